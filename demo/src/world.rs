//! The broker, the Lambda host and the collector of one run, and who may do what on them.

use crate::kafka_view::{KafkaView, TopicPartition};
use crate::layout::{Binaries, DEAD_LETTER_PARTITIONS, FUNCTION, GROUP, TOPICS};
use crate::options::{BrokerKind, Fault, Options, Story};
use crate::watch::Snapshot;
use anyhow::{Context, Result, bail};
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
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// How one client reaches Kafka.
#[derive(Debug, Clone)]
pub struct Access {
    pub bootstrap: String,
    /// `None` is plaintext.
    pub identity: Option<Identity>,
}

/// Everything outside the services. Dropping it ends all of it but the broker, which several journeys may share.
pub struct World<'a> {
    pub broker: &'a mut Broker,
    pub host: LambdaHost,
    pub collector: Collector,
    pub producer: Access,
    pub consumer: Access,
    /// The consumer group.
    pub group: String,
    /// The topics that carry events, with their partition counts of now.
    pub topics: BTreeMap<String, i32>,
    onlooker: Access,
}

const BROKERS: usize = 3;
/// Key, value and headers of a record of the demo's profile, rounded up.
const RECORD_BYTES: u64 = 230;
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);
/// More processes than this would only wait for each other on a laptop.
const CONCURRENCY: usize = 24;

impl<'a> World<'a> {
    /// Creates fresh topics, starts the rest, deploys the dispatcher, and gives each client exactly its rights.
    ///
    /// # Errors
    /// When a part does not start; the sentence says what to do.
    pub async fn start(broker: &'a mut Broker, options: &Options, binaries: &Binaries) -> Result<Self> {
        let group = group(options);
        tokio::task::block_in_place(|| fresh_topics(broker))?;
        let bootstrap = broker.bootstrap();
        let access = |name, grants: &[Grant]| {
            let identity = tokio::task::block_in_place(|| broker.client(name, grants))?;
            anyhow::Ok(Access { bootstrap: bootstrap.clone(), identity })
        };
        let producer = access("producer", &producer_grants())?;
        let consumer = access("consumer", &consumer_grants(&group))?;
        let onlooker = access("onlooker", &onlooker_grants(&group))?;
        let collector = Collector::start().await?;
        let host = LambdaHost::start(HostOptions::default()).await?;
        host.deploy(dispatcher(binaries, &collector, options.story))?;
        let topics = TOPICS.iter().map(|(name, partitions)| ((*name).to_owned(), *partitions)).collect();
        Ok(Self { broker, host, collector, producer, consumer, group, topics, onlooker })
    }

    /// A reader that joins no group.
    ///
    /// # Errors
    /// When its configuration is refused.
    pub fn kafka_view(&self) -> Result<KafkaView> {
        let config = client_config(&self.onlooker.bootstrap, self.onlooker.identity.as_ref());
        KafkaView::new(config, &self.group)
    }

    /// Real Kafka.
    ///
    /// # Errors
    /// When this world has another broker.
    pub fn kafka(&mut self) -> Result<&mut KafkaCluster> {
        match self.broker {
            Broker::Kafka(cluster) => Ok(cluster),
            _ => bail!("this needs real Kafka"),
        }
    }

    /// Every partition that carries events.
    pub fn partitions(&self) -> Vec<TopicPartition> {
        self.topics.iter().flat_map(|(topic, count)| (0..*count).map(|p| (topic.clone(), p))).collect()
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

/// Starts what the journeys run on; `folder` is for the data of real Kafka.
///
/// # Errors
/// When it does not start; the sentence says what to do.
pub fn start_broker(kind: BrokerKind, folder: &Path) -> Result<Broker> {
    match kind {
        BrokerKind::Embedded => Ok(Broker::Embedded(EmbeddedBroker::start(3, &topics())?)),
        BrokerKind::Kafka => {
            let options = KafkaOptions { dir: Some(folder.to_owned()), ..KafkaOptions::brokers(BROKERS) };
            let cluster = KafkaCluster::start(&options).context("real Kafka does not start")?;
            Ok(Broker::Kafka(Box::new(cluster)))
        }
    }
}

/// Without what an earlier journey left in them. The embedded broker serves one journey, and has them from the start.
fn fresh_topics(broker: &Broker) -> Result<()> {
    let topics = topics();
    if let Broker::Kafka(cluster) = broker {
        cluster.delete_topics(&topics.iter().map(|topic| topic.name.clone()).collect::<Vec<_>>())?;
        cluster.create_topics(&topics)?;
    }
    Ok(())
}

/// A group of its own for every story: the members of an earlier one may still be expected back.
fn group(options: &Options) -> String {
    match (options.story, options.fault) {
        (Story::Kill, Fault::None) => GROUP.to_owned(),
        (story, Fault::None) => format!("{GROUP}-{story}"),
        (story, fault) => format!("{GROUP}-{story}-{fault}"),
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
pub fn consumer_grants(group: &str) -> Vec<Grant> {
    let both = |(name, _): &(&str, i32)| [Grant::consume(name), Grant::produce(&dead_letter_topic(name))];
    TOPICS.iter().flat_map(both).chain([Grant::group(group)]).collect()
}

/// The demo itself only looks: offsets of the group, ends and dead letters.
fn onlooker_grants(group: &str) -> Vec<Grant> {
    let both = |(name, _): &(&str, i32)| [Grant::consume(name), Grant::consume(&dead_letter_topic(name))];
    TOPICS.iter().flat_map(both).chain([Grant::group(group)]).collect()
}

/// The real dispatcher, delivering to the collector.
fn dispatcher(binaries: &Binaries, collector: &Collector, story: Story) -> Function {
    let mut function = Function::new(FUNCTION, binaries.path("bootstrap"));
    function.timeout = FUNCTION_TIMEOUT;
    function.reserved_concurrency = Some(CONCURRENCY);
    let url = format!("{}/v1/deliveries", collector.endpoint());
    function.env.insert("COMBOIO_DESTINATIONS__COLLECTOR__HTTP__URL".into(), url);
    if story != Story::Kill {
        // Every repeat shall be seen.
        function.env.insert("COMBOIO_DEDUPE__STRATEGY".into(), "none".into());
    }
    function
}
