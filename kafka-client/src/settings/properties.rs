//! librdkafka's property names and the values that every client of Comboio has.
//!
//! Nobody else writes a property name. Names and ranges: CONFIGURATION.md of librdkafka 2.12.

use super::client::{ClientSettings, Purpose};
use super::{ConsumerTuning, GroupProtocol, Kafka, ProducerTuning};
use crate::certificates::Bundle;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use std::time::Duration;

/// A heartbeat must come several times within a session; Kafka's own default is this or less.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// When metadata has been out of reach for so long, the client starts again from the bootstrap servers. When *all*
/// brokers are down it does so at once, whatever this says.
const REBOOTSTRAP_AFTER: Duration = Duration::from_secs(60);

/// Requests of a producer that a broker may owe an answer at once. An idempotent librdkafka keeps one batch of a partition
/// under way, and its thread spins while the next batch of that partition is due; but once so many requests are out and one
/// more waits, it sleeps. With fewer partitions per broker than the default of 5 it would never come to that.
const IN_FLIGHT: &str = "2";

pub(super) fn producer(kafka: &Kafka, tuning: &ProducerTuning) -> ClientSettings {
    let mut config = base(kafka);
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("max.in.flight.requests.per.connection", IN_FLIGHT)
        .set("partitioner", "murmur2_random")
        .set("compression.codec", tuning.compression.as_str())
        .set("linger.ms", millis(tuning.linger))
        .set("batch.size", tuning.batch_bytes.to_string())
        .set("message.max.bytes", tuning.record_bytes.to_string())
        .set("batch.num.messages", tuning.batch_records.to_string())
        .set("queue.buffering.max.messages", tuning.queue_records.to_string())
        .set("queue.buffering.max.kbytes", kibibytes(tuning.queue_bytes))
        .set("topic.metadata.propagation.max.ms", millis(tuning.topic_patience))
        .set("delivery.timeout.ms", millis(tuning.delivery_timeout));
    finish(kafka, config, Purpose::Producer)
}

pub(super) fn consumer(kafka: &Kafka, tuning: &ConsumerTuning) -> ClientSettings {
    let mut config = base(kafka);
    config
        .set("group.id", &tuning.group)
        .set("max.poll.interval.ms", millis(tuning.max_poll_interval))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", tuning.offset_reset.as_str())
        .set("allow.auto.create.topics", "false")
        .set("isolation.level", "read_committed")
        .set("check.crcs", "true")
        .set("queued.min.messages", tuning.prefetch_records.to_string())
        .set("queued.max.messages.kbytes", kibibytes(tuning.prefetch_bytes))
        .set("max.partition.fetch.bytes", tuning.partition_fetch_bytes.to_string())
        .set("fetch.wait.max.ms", millis(tuning.fetch_wait))
        // How long fetching stops whenever the read-ahead is full (default: a second). What is read ahead must last so long, or
        // the reader waits.
        .set("fetch.queue.backoff.ms", "20");
    membership(&mut config, tuning);
    finish(kafka, config, Purpose::Consumer)
}

/// With the newer protocol librdkafka refuses to be told what is the brokers' to say.
fn membership(config: &mut ClientConfig, tuning: &ConsumerTuning) {
    match tuning.protocol {
        GroupProtocol::Classic => {
            config
                .set("group.protocol", "classic")
                .set("partition.assignment.strategy", "cooperative-sticky")
                .set("session.timeout.ms", millis(tuning.session_timeout))
                .set("heartbeat.interval.ms", millis(HEARTBEAT.min(tuning.session_timeout / 3)));
        }
        GroupProtocol::Consumer => {
            config.set("group.protocol", "consumer");
            if let Some(assignor) = &tuning.assignor {
                config.set("group.remote.assignor", assignor);
            }
        }
    }
    if let Some(instance) = &tuning.instance {
        config.set("group.instance.id", instance);
    }
}

impl ClientSettings {
    /// Settings of a producer that sends each record in a batch of its own.
    pub fn one_by_one(&self) -> Self {
        let mut alone = self.clone();
        alone.config.set("batch.num.messages", "1");
        alone
    }

    /// Settings of a consumer that looks at single records beside the group and is never a member of it: it reads ahead as little
    /// as may be, and is told where a partition ends.
    pub fn to_scout(&self) -> Self {
        let mut scout = self.clone();
        scout
            .config
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("queued.min.messages", "1")
            .set("queued.max.messages.kbytes", "1024")
            .set("max.partition.fetch.bytes", "1024")
            .set("statistics.interval.ms", "0");
        scout.config.remove("group.instance.id");
        scout
    }
}

pub(super) fn admin(kafka: &Kafka) -> ClientSettings {
    let mut config = base(kafka);
    config.set("statistics.interval.ms", "0");
    finish(kafka, config, Purpose::Admin)
}

#[allow(clippy::disallowed_methods, reason = "this is the one home of Kafka's settings")]
fn base(kafka: &Kafka) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", kafka.bootstrap.join(","))
        .set("client.id", &kafka.client_id)
        .set("socket.keepalive.enable", "true")
        .set("socket.connection.setup.timeout.ms", millis(kafka.connect_timeout))
        .set("socket.timeout.ms", millis(kafka.request_timeout))
        .set("metadata.recovery.strategy", "rebootstrap")
        .set("metadata.recovery.rebootstrap.trigger.ms", millis(REBOOTSTRAP_AFTER))
        .set("statistics.interval.ms", millis(kafka.statistics_interval))
        .set("topic.metadata.refresh.interval.ms", millis(kafka.metadata_refresh))
        // Which lines are written is decided by the service's log filter, not here.
        .set_log_level(RDKafkaLogLevel::Info);
    if let Some(bundle) = &kafka.bundle {
        secure(&mut config, bundle, kafka.verify_hostname);
    }
    config
}

fn secure(config: &mut ClientConfig, bundle: &Bundle, verify_hostname: bool) {
    config
        .set("security.protocol", "ssl")
        .set("ssl.ca.pem", bundle.ca_pem())
        .set("ssl.endpoint.identification.algorithm", if verify_hostname { "https" } else { "none" });
    if let Some(identity) = bundle.identity() {
        config.set("ssl.certificate.pem", identity.certificate_pem()).set("ssl.key.pem", identity.key_pem());
    }
}

fn finish(kafka: &Kafka, config: ClientConfig, purpose: Purpose) -> ClientSettings {
    ClientSettings { config, purpose, kafka: kafka.clone() }
}

fn millis(span: Duration) -> String {
    span.as_millis().to_string()
}

fn kibibytes(bytes: u64) -> String {
    bytes.div_ceil(1024).to_string()
}
