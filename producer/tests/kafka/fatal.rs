//! librdkafka declares a client finished for good while it has records under way.

use crate::reader;
use crate::senders::event;
use crate::stage::{DEADLINE, Stage};
use kafka_client::settings::{Kafka, KafkaRaw, ProducerTuning, TlsRaw};
use producer::answers::Answers;
use producer::chunk::{Chunk, Item, NO_SERIES};
use producer::client::Offered;
use producer::clients::{Clients, Seed};
use producer::dead_letter::{DeadLetters, LastPlace};
use producer::detour::Detour;
use producer::in_flight::InFlight;
use producer::missing::MissingTopics;
use producer::outlet::KafkaOutlet;
use producer::polling::{KafkaDeadLetterTopic, Polling};
use producer::send::Outlet;
use producer::set_aside::SetAsideFile;
use producer::tally::Tally;
use producer::ticket::Ticket;
use rdkafka::bindings::{rd_kafka_resp_err_t, rd_kafka_test_fatal_error};
use runtime::clock::{self, SharedClock};
use runtime::config::Settings;
use runtime::health::Health;
use runtime::shutdown::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

const KEYS: u64 = 20;
const EVENTS: u64 = 4_000;

struct Way {
    clients: Arc<Clients>,
    detour: Detour<KafkaOutlet>,
    answers: Arc<Answers>,
    tally: Tally,
    polling: Polling,
}

fn way(stage: &mut Stage) -> Way {
    let text = |path: &std::path::Path| path.display().to_string();
    let identity = stage.identity.clone();
    let tls = TlsRaw {
        ca: text(&identity.ca),
        certificate: text(&identity.certificate),
        key: text(&identity.key),
        ..TlsRaw::default()
    };
    let bootstrap_servers = stage.broker().bootstrap().split(',').map(str::to_owned).collect();
    let raw = KafkaRaw { bootstrap_servers, tls, ..KafkaRaw::default() };
    let kafka = Kafka::validate(&Settings::of(&raw), &raw).unwrap();
    let (clock, tally): (SharedClock, _) = (clock::system(), Tally::default());
    let answers = Answers::new(InFlight::new(100_000), tally.clone(), clock.clone(), Shutdown::new(), false).unwrap();
    let answers = Arc::new(answers);
    let (dead_letters, inbox) = crossbeam_channel::unbounded();
    let missing = Arc::new(MissingTopics::new(DEADLINE, clock.clone()));
    let seed = Seed { answers: answers.clone(), dead_letters, last: None, given_back: Arc::default(), missing };
    let clients = Clients::new(kafka.producer(&ProducerTuning::default()), seed).unwrap();
    let file = Arc::new(SetAsideFile::new(stage.path("aside.ndjson")));
    let nowhere = None::<KafkaDeadLetterTopic>;
    let last = LastPlace { file, answers: answers.clone(), clock: clock.clone() };
    let letters = DeadLetters::new(inbox, nowhere, None, last);
    let beat = Health::new(clock.clone()).component("poll", DEADLINE);
    let polling = Polling::start(clients.clone(), letters, beat).unwrap();
    let outlet = KafkaOutlet::new(clients.clone(), vec![stage.topic("c400")], clock.clone());
    answers.started();
    Way { clients, detour: Detour::new(outlet, None, answers.clone(), clock), answers, tally, polling }
}

impl Way {
    /// Offers an event until it is taken.
    fn offer(&mut self, key: u64, seq: u64) {
        let mut chunk = Chunk::default();
        let truck = format!("KEY{key}");
        let value = chunk.write(|bytes| bytes.extend_from_slice(event(&truck, 400, seq).as_bytes()));
        let key = chunk.write(|bytes| bytes.extend_from_slice(truck.as_bytes()));
        let item = Item {
            due: Duration::ZERO,
            ts: 1_763_701_200_123,
            codigo: 400,
            truck: key,
            value,
            series: NO_SERIES,
            seq,
            invalid_id: None,
            intent: Default::default(),
            ticket: Ticket::NONE,
            topic: 0,
            key,
        };
        chunk.push(item);
        self.until("room", |way| way.detour.offer(&item, &chunk) == Offered::Taken);
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !done(self) {
            assert!(Instant::now() < end, "{what} never came");
            self.detour.tend(false);
            self.detour.wait_for_room(Duration::from_millis(1));
        }
    }

    fn finish_the_client(&self) {
        let (client, code) =
            (self.clients.current(), rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
        // SAFETY: the client outlives the call, and the reason is a C string that is copied.
        unsafe { rd_kafka_test_fatal_error(client.client().native_ptr(), code, c"made for a test".as_ptr()) };
    }
}

#[test]
fn a_fatal_error_of_the_client_costs_repeats_at_most() {
    let mut stage = Stage::new("fatal");
    let mut way = way(&mut stage);
    for number in 0..EVENTS {
        if number > 0 && number % (EVENTS / 4) == 0 {
            way.until("an acknowledgement of the client in use", |way| way.tally.acknowledged.get() > number / 2);
            way.finish_the_client();
        }
        way.offer(number % KEYS, number / KEYS + 1);
    }
    way.until("every answer", |way| way.detour.settled(false));
    way.polling.stop();
    let topics = [(stage.topic("c400"), 6)];
    let deliveries = reader::deliveries(stage.broker(), &topics);
    let outcome = way.answers.take();
    assert_eq!((way.tally.acknowledged.get(), way.tally.failed.get()), (EVENTS, 0), "{:?}", outcome.failures);
    assert_eq!((deliveries.first_deliveries(), deliveries.order_violations()), (EVENTS, 0));
    assert_eq!(way.tally.client_changes.get(), 3);
    assert!(deliveries.duplicates() <= way.tally.maybe_twice.get());
    stage.showed(&format!(
        "the client finished three times with {EVENTS} events on their way: all delivered in order, {} twice of at most {}",
        deliveries.duplicates(),
        way.tally.maybe_twice.get(),
    ));
}
