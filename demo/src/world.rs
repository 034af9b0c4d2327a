//! The broker, the Lambda host and the collector of one run, and who may do what on them.

use crate::kafka_view::{KafkaView, TopicPartition};
use crate::layout::{Binaries, DEAD_LETTER_PARTITIONS, FUNCTION, GROUP, RunFolder, TOPICS};
use crate::options::{BrokerKind, Options};
use crate::watch::Snapshot;
use anyhow::{Context, Result};
use domain::headers::dead_letter_topic;
use localenv::authority::Identity;
use localenv::broker::Broker;
use localenv::broker::admin::client_config;
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::embedded::room::{Room, room};
use localenv::broker::grant::Grant;
use localenv::broker::kafka::{KafkaCluster, KafkaOptions};
use localenv::broker::topic::Topic;
use localenv::collector::Collector;
use localenv::lambda_host::{Function, HostOptions, LambdaHost};
use std::time::Duration;

/// How one client reaches Kafka.
#[derive(Debug, Clone)]
pub struct Access {
    pub bootstrap: String,
    /// `None` is plaintext.
    pub identity: Option<Identity>,
}

/// Everything outside the services. Dropping it ends all of it.
pub struct World {
    pub broker: Broker,
    pub host: LambdaHost,
    pub collector: Collector,
    pub producer: Access,
    pub consumer: Access,
    onlooker: Access,
}

const BROKERS: usize = 3;
/// Key, value and headers of a record of the demo's profile, rounded up.
const RECORD_BYTES: u64 = 230;
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);
/// More processes than this would only wait for each other on a laptop.
const CONCURRENCY: usize = 24;

impl World {
    /// Starts it, creates the topics, deploys the dispatcher, and gives each client exactly its rights.
    ///
    /// # Errors
    /// When a part does not start; the sentence says what to do.
    pub async fn start(options: &Options, run: &RunFolder, binaries: &Binaries) -> Result<Self> {
        let (kind, folder) = (options.broker, run.file("kafka"));
        let broker = tokio::task::spawn_blocking(move || start_broker(kind, &folder)).await??;
        let access = |identity| Access { bootstrap: broker.bootstrap(), identity };
        let producer = access(broker.client("producer", &producer_grants())?);
        let consumer = access(broker.client("consumer", &consumer_grants())?);
        let onlooker = access(broker.client("onlooker", &onlooker_grants())?);
        let collector = Collector::start().await?;
        let host = LambdaHost::start(HostOptions::default()).await?;
        host.deploy(dispatcher(binaries, &collector))?;
        Ok(Self { broker, host, collector, producer, consumer, onlooker })
    }

    /// A reader that joins no group.
    ///
    /// # Errors
    /// When its configuration is refused.
    pub fn kafka_view(&self) -> Result<KafkaView> {
        let config = client_config(&self.onlooker.bootstrap, self.onlooker.identity.as_ref());
        Ok(KafkaView::new(config, GROUP))
    }

    /// Every partition that carries events.
    pub fn partitions(&self) -> Vec<TopicPartition> {
        TOPICS.iter().flat_map(|(topic, count)| (0..*count).map(|p| ((*topic).to_owned(), p))).collect()
    }

    pub fn dead_letter_topics(&self) -> Vec<String> {
        TOPICS.iter().map(|(topic, _)| dead_letter_topic(topic)).collect()
    }

    /// What to say when the embedded broker is about to forget records that were not read yet.
    pub fn limit_warning(&self, now: &Snapshot) -> Option<String> {
        let judged = room(now.lag_worst, RECORD_BYTES);
        (matches!(self.broker, Broker::Embedded(_)) && judged != Room::Ample).then(|| judged.to_string())
    }

    /// Invocations of the dispatcher that ran.
    pub fn invocations(&self) -> u64 {
        self.host.stats().functions.get(FUNCTION).map_or(0, |function| function.executions)
    }
}

fn start_broker(kind: BrokerKind, folder: &std::path::Path) -> Result<Broker> {
    let topics = topics();
    match kind {
        BrokerKind::Embedded => Ok(Broker::Embedded(EmbeddedBroker::start(3, &topics)?)),
        BrokerKind::Kafka => {
            let cluster =
                KafkaCluster::start(&KafkaOptions { dir: Some(folder.to_owned()), ..KafkaOptions::brokers(BROKERS) })
                    .context("real Kafka does not start")?;
            cluster.create_topics(&topics)?;
            Ok(Broker::Kafka(Box::new(cluster)))
        }
    }
}

fn topics() -> Vec<Topic> {
    let events = TOPICS.iter().map(|(name, partitions)| Topic::new(*name, *partitions));
    let dead = TOPICS.iter().map(|(name, _)| Topic::new(dead_letter_topic(name), DEAD_LETTER_PARTITIONS));
    events.chain(dead).collect()
}

/// The producer writes events, and dead letters of what it must set aside.
pub fn producer_grants() -> Vec<Grant> {
    let both = |(name, _): &(&str, i32)| [Grant::produce(name), Grant::produce(&dead_letter_topic(name))];
    TOPICS.iter().flat_map(both).collect()
}

/// The consumer reads events in its group, and writes dead letters.
pub fn consumer_grants() -> Vec<Grant> {
    let both = |(name, _): &(&str, i32)| [Grant::consume(name), Grant::produce(&dead_letter_topic(name))];
    TOPICS.iter().flat_map(both).chain([Grant::group(GROUP)]).collect()
}

/// The demo itself only looks: offsets of the group, ends and dead letters.
fn onlooker_grants() -> Vec<Grant> {
    let both = |(name, _): &(&str, i32)| [Grant::consume(name), Grant::consume(&dead_letter_topic(name))];
    TOPICS.iter().flat_map(both).chain([Grant::group(GROUP)]).collect()
}

/// The real dispatcher, delivering to the collector.
pub fn dispatcher(binaries: &Binaries, collector: &Collector) -> Function {
    let mut function = Function::new(FUNCTION, binaries.path("bootstrap"));
    function.timeout = FUNCTION_TIMEOUT;
    function.reserved_concurrency = Some(CONCURRENCY);
    let url = format!("{}/v1/deliveries", collector.endpoint());
    function.env.insert("COMBOIO_DESTINATIONS__COLLECTOR__HTTP__URL".into(), url);
    function
}
