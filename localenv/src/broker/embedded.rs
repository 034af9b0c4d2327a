//! librdkafka's own mock cluster, in this process: no Java, there at once.
//!
//! Its limits (librdkafka 2.12.1, rdkafka_mock.c): plaintext only; a partition keeps 5 MiB or 100,000 message sets and
//! drops the oldest without a word (see [`room`]); no admin requests, so topics are made here and partition counts stay;
//! sequence numbers are checked only for transactions, so it proves nothing about idempotence; one thread serves all
//! brokers. It ends with this value.

/// How near a lag is to what the broker keeps.
pub mod room;

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::bindings::{
    rd_kafka_handle_mock_cluster, rd_kafka_mock_group_initial_rebalance_delay_ms,
    rd_kafka_mock_push_request_errors_array, rd_kafka_mock_set_group_consumer_heartbeat_interval_ms,
    rd_kafka_mock_set_group_consumer_session_timeout_ms,
};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, DefaultProducerContext, Producer};
use rdkafka::types::RDKafkaRespErr;

use super::topic::Topic;
use std::time::Duration;

/// A mock cluster; it lives inside a client that nobody uses otherwise.
pub struct EmbeddedBroker {
    client: BaseProducer,
    brokers: i32,
}

impl EmbeddedBroker {
    /// Starts `brokers` brokers with `topics`. Groups form at once (librdkafka's own default makes them wait 3 s).
    ///
    /// # Errors
    /// No ports can be had, or a topic is not valid.
    pub fn start(brokers: i32, topics: &[Topic]) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config.set("test.mock.num.brokers", brokers.to_string());
        // The client itself has nothing to say; librdkafka tells at this level that a mock cluster is in use.
        config.set("log_level", "3");
        let client: BaseProducer = config.create().context("cannot start the embedded broker")?;
        // SAFETY: the client is live, and owns the cluster that is returned for it; the call only stores a number.
        unsafe {
            let cluster = rd_kafka_handle_mock_cluster(client.client().native_ptr());
            anyhow::ensure!(!cluster.is_null(), "librdkafka started no mock cluster");
            rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0);
        }
        let broker = Self { client, brokers };
        broker.create_topics(topics)?;
        Ok(broker)
    }

    /// What goes into `bootstrap_servers`.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.mock().map(|mock| mock.bootstrap_servers()).unwrap_or_default()
    }

    /// Creates topics. One that exists is left as it is; settings are ignored.
    ///
    /// # Errors
    /// A count is out of range.
    pub fn create_topics(&self, topics: &[Topic]) -> anyhow::Result<()> {
        let mock = self.mock().context("the mock cluster is gone")?;
        for topic in topics {
            let replication = topic.replication.unwrap_or(3).min(self.brokers);
            match mock.create_topic(&topic.name, topic.partitions, replication) {
                Err(error) if !is_there_already(&error) => {
                    return Err(error).with_context(|| format!("topic {}", topic.name));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// How long a member of a group of the brokers may be silent, and how often it is asked to speak; for groups that are not there yet.
    pub fn group_session(&self, silence: Duration, heartbeat: Duration) {
        let millis = |span: Duration| i32::try_from(span.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client is live and owns the cluster that is returned for it; the calls only store a number.
        unsafe {
            let cluster = rd_kafka_handle_mock_cluster(self.client.client().native_ptr());
            rd_kafka_mock_set_group_consumer_session_timeout_ms(cluster, millis(silence));
            rd_kafka_mock_set_group_consumer_heartbeat_interval_ms(cluster, millis(heartbeat));
        }
    }

    /// Answers the next request of this kind, for whose key rdkafka has no name, with this error.
    pub fn refuse_next(&self, api_key: i16, error: RDKafkaRespErr) {
        // SAFETY: the client is live and owns the cluster that is returned for it; one error is read and copied.
        unsafe {
            let cluster = rd_kafka_handle_mock_cluster(self.client.client().native_ptr());
            rd_kafka_mock_push_request_errors_array(cluster, api_key, 1, &raw const error);
        }
    }

    /// The cluster itself, for faults: request errors, brokers up and down, round-trip times, leaders.
    #[must_use]
    pub fn mock(&self) -> Option<MockCluster<'_, DefaultProducerContext>> {
        self.client.client().mock_cluster()
    }
}

fn is_there_already(error: &rdkafka::error::KafkaError) -> bool {
    error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::TopicAlreadyExists)
}
