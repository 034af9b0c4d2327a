//! Names that nobody resolves for a while: librdkafka's threads hang in the look-up, and the flow goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kafka_client::settings::{Kafka, KafkaRaw, ProducerTuning};
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use nix::libc;
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
use producer::spool::Spool;
use producer::spool::desk::{Desk, SpoolRules};
use producer::tally::Tally;
use producer::ticket::Ticket;
use runtime::clock::{self, SharedClock};
use runtime::config::Settings;
use runtime::health::Health;
use runtime::shutdown::Shutdown;
use std::ffi::{c_char, c_int};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(30);
const AFTER: Duration = Duration::from_millis(500);
/// How long a look-up hangs before it fails.
const PATIENCE: Duration = Duration::from_secs(8);
/// The end of everything may take so long meanwhile.
const END: Duration = Duration::from_secs(5);
/// No turn of the flow may take so long meanwhile.
const TURN: Duration = Duration::from_secs(1);

/// Look-ups of one test alone may hang.
static ALONE: Mutex<()> = Mutex::new(());

/// Whether look-ups hang, and how many do.
static NAMES: (Mutex<(bool, u64)>, Condvar) = (Mutex::new((false, 0)), Condvar::new());

/// While it lives look-ups hang, and fail in the end.
struct Hanging;

impl Hanging {
    fn begin() -> Self {
        NAMES.0.lock().unwrap().0 = true;
        Self
    }

    fn now() -> u64 {
        NAMES.0.lock().unwrap().1
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        NAMES.0.lock().unwrap().0 = false;
        NAMES.1.notify_all();
    }
}

/// False when the look-up failed.
fn hang() -> bool {
    let mut names = NAMES.0.lock().unwrap();
    names.1 += 1;
    let (mut names, timeout) = NAMES.1.wait_timeout_while(names, PATIENCE, |(hang, _)| *hang).unwrap();
    names.1 -= 1;
    !timeout.timed_out()
}

type Lookup =
    unsafe extern "C" fn(*const c_char, *const c_char, *const libc::addrinfo, *mut *mut libc::addrinfo) -> c_int;

/// Takes the place of the C library's look-up in this process.
///
/// # Safety
/// As for the one behind it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const libc::addrinfo,
    found: *mut *mut libc::addrinfo,
) -> c_int {
    if !hang() {
        return libc::EAI_AGAIN;
    }
    // SAFETY: the next symbol of this name is the C library's, which has this type; the arguments are the caller's.
    unsafe {
        let next = libc::dlsym(libc::RTLD_NEXT, c"getaddrinfo".as_ptr());
        std::mem::transmute::<*mut libc::c_void, Lookup>(next)(node, service, hints, found)
    }
}

struct Way {
    detour: Detour<KafkaOutlet>,
    polling: Polling,
    tally: Tally,
    seq: u64,
    /// The longest turn of the flow.
    longest: Duration,
}

fn way(broker: &EmbeddedBroker, folder: &tempfile::TempDir) -> Way {
    let raw = KafkaRaw { bootstrap_servers: vec![broker.bootstrap()], ..KafkaRaw::default() };
    let kafka = Kafka::validate(&Settings::of(&raw), &raw).unwrap();
    let (clock, tally): (SharedClock, _) = (clock::system(), Tally::default());
    let answers = Answers::new(InFlight::new(10_000), tally.clone(), clock.clone(), Shutdown::new(), false).unwrap();
    let answers = Arc::new(answers);
    let (dead_letters, inbox) = crossbeam_channel::unbounded();
    let missing = Arc::new(MissingTopics::new(DEADLINE, clock.clone()));
    let seed = Seed { answers: answers.clone(), dead_letters, last: None, given_back: Arc::default(), missing };
    let linger = Duration::ZERO;
    let tuning = ProducerTuning { linger, delivery_timeout: Duration::ZERO, ..ProducerTuning::default() };
    let clients = Clients::new(kafka.producer(&tuning), seed).unwrap();
    let file = Arc::new(SetAsideFile::new(folder.path().join("aside.ndjson")));
    let last = LastPlace { file, answers: answers.clone(), clock: clock.clone() };
    let letters = DeadLetters::new(inbox, None::<KafkaDeadLetterTopic>, None, last);
    let health = Health::new(clock.clone());
    let polling = Polling::start(clients.clone(), letters, health.component("poll", DEADLINE)).unwrap();
    let outlet = KafkaOutlet::new(clients, vec!["t".to_owned()], clock.clone());
    answers.started();
    let spool = Spool::open(&folder.path().join("spool"), 1 << 20).unwrap();
    let rules = SpoolRules { after: AFTER, attempts: 0 };
    let desk = Desk::new(spool, rules, (tally.clone(), clock.clone(), health.component("spool", DEADLINE)));
    let detour = Detour::new(outlet, Some(desk), answers, clock);
    Way { detour, polling, tally, seq: 0, longest: Duration::ZERO }
}

impl Way {
    /// What is said to the next event.
    fn offer(&mut self) -> Offered {
        let mut chunk = Chunk::default();
        let value = chunk.write(|bytes| bytes.extend_from_slice((self.seq + 1).to_string().as_bytes()));
        let key = chunk.write(|bytes| bytes.extend_from_slice(format!("K{}", self.seq % 8).as_bytes()));
        let item = Item {
            due: Duration::ZERO,
            ts: 1_763_701_200_123,
            codigo: 400,
            truck: key,
            value,
            series: NO_SERIES,
            seq: self.seq + 1,
            invalid_id: None,
            intent: Default::default(),
            ticket: Ticket::NONE,
            topic: 0,
            key,
        };
        chunk.push(item);
        self.detour.begin_chunk(1);
        let offered = self.detour.offer(&item, &chunk);
        self.detour.end_chunk();
        if matches!(offered, Offered::Taken | Offered::Spooled) {
            self.seq += 1;
            self.tally.offered.add(1);
        }
        offered
    }

    fn turn(&mut self) {
        let begin = Instant::now();
        self.detour.tend(false);
        self.longest = self.longest.max(begin.elapsed());
        self.detour.wait_for_room(Duration::from_millis(1));
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !done(self) {
            assert!(Instant::now() < end, "{what} never came; the longest turn took {:?}", self.longest);
            self.turn();
        }
    }

    fn changes(&self) -> u64 {
        self.tally.client_changes.get()
    }
}

#[test]
fn the_end_waits_for_no_name() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let broker = EmbeddedBroker::start(1, &[Topic::new("t", 4)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut way = way(&broker, &folder);
    way.until("the first answers", |way| way.offer() == Offered::Taken && way.tally.acknowledged.get() > 100);
    let hanging = Hanging::begin();
    broker.mock().unwrap().broker_down(1).unwrap();
    way.until("a thread that hangs", |_| Hanging::now() > 0);
    let begin = Instant::now();
    drop(way.detour);
    way.polling.stop().wait();
    assert!(begin.elapsed() < END, "{:?}", begin.elapsed());
    drop(hanging);
}

#[test]
fn the_flow_goes_on_while_no_name_is_resolved_and_nothing_is_lost() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let broker = EmbeddedBroker::start(1, &[Topic::new("t", 4)]).unwrap();
    let mock = broker.mock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut way = way(&broker, &folder);
    way.until("the first answers", |way| way.offer() == Offered::Taken && way.tally.acknowledged.get() > 100);
    // More than the requests that may be under way: records are in the hands of the broker's thread when its connection
    // breaks and it looks the name up again.
    mock.broker_round_trip_time(1, DEADLINE).unwrap();
    let _hanging = Hanging::begin();
    for _ in 0..40 {
        assert!((0..50).all(|_| way.offer() == Offered::Taken));
        way.turn();
    }
    mock.broker_down(1).unwrap();
    way.until("a thread that hangs", |_| Hanging::now() > 0);
    way.until("another client", |way| way.changes() == 1);
    assert_eq!(way.offer(), Offered::Later, "it would overtake what only the thread that hangs has");
    way.until("events in the spool", |way| way.offer() == Offered::Spooled);
    // From now on new ones go to the disk, whatever hangs.
    let changes = way.changes();
    way.until("more clients", |way| {
        assert_eq!(way.offer(), Offered::Spooled);
        way.changes() > changes + 2 && Hanging::now() > 0
    });
    assert!(way.longest < TURN, "{:?}", way.longest);
    drop(_hanging);
    mock.broker_round_trip_time(1, Duration::ZERO).unwrap();
    mock.broker_up(1).unwrap();
    way.until("all answers", |way| way.detour.settled(false));
    assert_eq!((way.tally.acknowledged.get(), way.tally.failed.get()), (way.tally.offered.get(), 0));
    way.polling.stop();
}
