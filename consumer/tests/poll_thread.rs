//! The poll thread by itself, on the embedded broker: what holds it up, and what must not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rules.rs"]
#[allow(dead_code)]
mod rules;

use consumer::batch::Batch;
use consumer::condition::Condition;
use consumer::desk::Desk;
use consumer::event::{Command, Event};
use consumer::metrics::Meters;
use consumer::poll::{Poll, PollParts, PollSettings};
use crossbeam_channel::Sender;
use kafka_client::context::ObservedContext;
use kafka_client::settings::{ClientSettings, ConsumerTuning, GroupProtocol, Kafka, KafkaRaw};
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
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
        Self::of_group(GroupProtocol::Classic)
    }

    fn of_group(protocol: GroupProtocol) -> Self {
        let broker = EmbeddedBroker::start(1, &[Topic::new(TOPIC, 1)]).unwrap();
        broker.group_session(SECOND * 2, SECOND / 5);
        let raw = KafkaRaw { bootstrap_servers: vec![broker.bootstrap()], ..KafkaRaw::default() };
        let kafka = Kafka::validate(&Settings::of(&raw), &raw).unwrap();
        let client = kafka.consumer(&ConsumerTuning { protocol, ..ConsumerTuning::for_group("g") });
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
            protocol,
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

    /// Answers events until a batch comes.
    fn next_batch(&mut self) -> Batch {
        let mut batch = None;
        self.answer_until("a batch", |_, event| {
            if let Some(Event::Closed(closed)) = event {
                batch = Some(closed.clone());
            }
            batch.is_some()
        });
        *batch.unwrap()
    }

    /// All of it is delivered.
    fn finish(&self, batch: Batch) {
        let (held, offsets) = (batch.lane.held.clone(), batch.offsets().collect());
        self.commands.send(Command::Finished { held, offsets }).unwrap();
        self.commands.send(Command::Settled { lane: batch.lane, bytes: batch.bytes }).unwrap();
    }

    /// Where the group stands.
    fn committed(&self) -> Offset {
        let client: BaseConsumer<ObservedContext> =
            self.client.create_with_context(ObservedContext::default()).unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition(TOPIC, 0);
        let committed = client.committed_offsets(list, DEADLINE).unwrap();
        committed.elements()[0].offset()
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
    let batch = stage.next_batch();
    // From here on Kafka takes requests and answers none.
    stage.broker.mock().unwrap().broker_round_trip_time(1, NEVER).unwrap();
    stage.finish(batch);
    stage.poll.renewer()(stage.client.clone());
    stage.answer_until("another client", |stage, _| stage.meters.client_changes.get() == 1);
    stage.commands.send(Command::Stop).unwrap();
    stage.answer_until("the end", |stage, _| stage.poll.left.try_recv().is_ok());
    assert_eq!(stage.meters.commits_ok.get(), 0);
}

/// Kafka's key of the request by which a member of a group of the brokers says that it is there.
const CONSUMER_GROUP_HEARTBEAT: i16 = 68;

#[test]
fn a_client_with_a_fatal_error_is_replaced_and_what_it_had_in_flight_is_read_again() {
    let mut stage = Stage::of_group(GroupProtocol::Consumer);
    stage.produce();
    let lost = stage.next_batch();
    // To librdkafka this is the end of a client, as a fence is.
    stage.broker.refuse_next(CONSUMER_GROUP_HEARTBEAT, RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_REQUEST);
    stage.answer_until("another client", |stage, _| stage.meters.client_changes.get() == 1);
    // The function answers too late.
    let old = lost.lane.held.clone();
    stage.finish(lost.clone());
    let again = stage.next_batch();
    assert_eq!(again.offsets().collect::<Vec<_>>(), lost.offsets().collect::<Vec<_>>());
    assert!(again.lane.held.generation > old.generation);
    assert_eq!(
        (stage.committed(), stage.meters.commits_ok.get()),
        (Offset::Invalid, 0),
        "nothing of the old generation"
    );
    stage.finish(again);
    stage.produce();
    let next = stage.next_batch();
    assert_eq!(next.records.first().unwrap().0, 1);
    stage.finish(next);
    stage.answer_until("the commit", |stage, _| stage.committed() == Offset::Offset(2));
    assert_eq!((stage.meters.client_changes.get(), stage.meters.lost.get()), (1, 1));
    stage.commands.send(Command::Stop).unwrap();
    stage.answer_until("the end", |stage, _| stage.poll.left.try_recv().is_ok());
}
