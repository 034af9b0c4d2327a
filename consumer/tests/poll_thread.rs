//! The poll thread by itself, on the embedded broker: what holds it up, and what must not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rules.rs"]
#[allow(dead_code)]
mod rules;

use consumer::condition::Condition;
use consumer::desk::Desk;
use consumer::event::{Command, Event};
use consumer::metrics::Meters;
use consumer::poll::{Poll, PollParts, PollSettings};
use crossbeam_channel::Sender;
use kafka_client::settings::{ClientSettings, ConsumerTuning, GroupProtocol, Kafka, KafkaRaw};
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rules::TOPIC;
use runtime::clock;
use runtime::config::Settings;
use runtime::health::Health;
use runtime::metrics::{Metrics, MetricsConfig};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than anything here may take.
const NEVER: Duration = Duration::from_secs(120);
const DEADLINE: Duration = Duration::from_secs(20);

/// The thread, and what is around it: the test is its coordinator.
struct Stage {
    poll: Poll,
    client: ClientSettings,
    commands: Sender<Command>,
    events: UnboundedReceiver<Event>,
    meters: Arc<Meters>,
    broker: EmbeddedBroker,
}

impl Stage {
    fn start() -> Self {
        let broker = EmbeddedBroker::start(1, &[Topic::new(TOPIC, 1)]).unwrap();
        let raw = KafkaRaw { bootstrap_servers: vec![broker.bootstrap()], ..KafkaRaw::default() };
        let kafka = Kafka::validate(&Settings::of(&raw), &raw).unwrap();
        let client = kafka.consumer(&ConsumerTuning::for_group("g"));
        let (clock, metrics) = (clock::system(), Metrics::start(&MetricsConfig::default(), "test").unwrap());
        let (commands, served) = crossbeam_channel::unbounded();
        let (send, events) = unbounded_channel();
        let meters = Arc::new(Meters::new(&metrics));
        let parts = PollParts {
            desk: Desk::new(rules::settings(1, 1)),
            commands: served,
            events: send,
            beat: Health::new(clock.clone()).component("poll", NEVER),
            clock,
            meters: meters.clone(),
            condition: Condition::default(),
        };
        let settings = PollSettings {
            topics: vec![TOPIC.to_owned()],
            static_member: false,
            protocol: GroupProtocol::Classic,
            session_timeout: SECOND * 45,
            commit_interval: SECOND / 10,
            revoke_drain: SECOND,
            shutdown_drain: SECOND,
            close: SECOND,
        };
        let poll = Poll::start(&client, settings, parts).unwrap();
        Self { poll, client, commands, events, meters, broker }
    }

    fn produce(&self) {
        let producer: BaseProducer =
            rdkafka::ClientConfig::new().set("bootstrap.servers", self.broker.bootstrap()).create().unwrap();
        producer.send(BaseRecord::<(), str>::to(TOPIC).partition(0).payload("{}")).unwrap();
        producer.flush(DEADLINE).unwrap();
    }

    /// Answers events until `enough` of them, which must come in time.
    fn answer_until(&mut self, what: &str, mut enough: impl FnMut(&mut Self, Option<&Event>) -> bool) {
        let start = Instant::now();
        loop {
            let event = self.events.try_recv().ok();
            if let Some(Event::Revoked { ticket, .. }) = &event {
                self.commands.send(Command::Drained(*ticket)).unwrap();
            }
            if enough(self, event.as_ref()) {
                return;
            }
            assert!(start.elapsed() < DEADLINE, "{what} does not come");
            if event.is_none() {
                std::thread::park_timeout(Duration::from_millis(5));
            }
        }
    }
}

#[test]
fn a_client_whose_last_commit_is_not_answered_does_not_hold_up_the_one_that_replaces_it() {
    let mut stage = Stage::start();
    stage.produce();
    let mut batch = None;
    stage.answer_until("a batch", |_, event| {
        if let Some(Event::Closed(closed)) = event {
            batch = Some(closed.clone());
        }
        batch.is_some()
    });
    let batch = batch.unwrap();
    // From here on Kafka takes requests and answers none.
    stage.broker.mock().unwrap().broker_round_trip_time(1, NEVER).unwrap();
    let held = batch.lane.held.clone();
    stage.commands.send(Command::Finished { held, offsets: batch.offsets().collect() }).unwrap();
    stage.commands.send(Command::Settled { lane: batch.lane, bytes: batch.bytes }).unwrap();
    stage.poll.renewer()(stage.client.clone());
    stage.answer_until("another client", |stage, _| stage.meters.client_changes.get() == 1);
    stage.commands.send(Command::Stop).unwrap();
    stage.answer_until("the end", |stage, _| stage.poll.left.try_recv().is_ok());
    assert_eq!(stage.meters.commits_ok.get(), 0);
}
