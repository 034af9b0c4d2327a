//! Whatever comes in, and whatever the destination does: no panic, one verdict per record, order per key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dispatcher_lambda::config::Config;
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dedupe::{Dedupe, MemoryStore};
use dispatcher_lambda::deliver::Policy;
use dispatcher_lambda::destinations::{Destination, Failure, Limits, Named, Outcome, Parcel};
use dispatcher_lambda::dispatcher::Dispatcher;
use dispatcher_lambda::event_source::EventSource;
use dispatcher_lambda::record::Need;
use dispatcher_lambda::route::Rule;
use dispatcher_lambda::telemetry::TelemetryConfig;
use dispatcher_lambda::together::BoxFuture;
use domain::backoff::Backoff;
use domain::contract::{BatchHead, OpenBatch, Push, Response, judge};
use domain::event::Versions;
use domain::failure::FailureClass;
use domain::key::KeyStrategy;
use domain::offset::Offset;
use proptest::collection::vec;
use proptest::prelude::*;
use runtime::config::Settings;
use runtime::logs::{LogsConfig, LogsRaw};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the destination does with one call.
#[derive(Debug, Clone)]
enum Act {
    Take,
    Fail(FailureClass),
    Panic,
    Hang,
    /// The values of these trucks fail, the others are taken.
    Trucks(u8, FailureClass),
    Nonsense,
}

struct Fickle {
    script: Mutex<VecDeque<Act>>,
    taken: Arc<Mutex<Vec<String>>>,
    records: usize,
}

fn truck_of(value: &str) -> usize {
    let at = value.find("\"BR").unwrap() + 3;
    value[at..at + 5].parse().unwrap()
}

impl Destination for Fickle {
    fn limits(&self) -> Limits {
        Limits { records: self.records, bytes: 1_000_000, timeout: Duration::from_secs(1) }
    }

    fn deliver<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        let act = self.script.lock().unwrap().pop_front().unwrap_or(Act::Take);
        let take = |value: &str| self.taken.lock().unwrap().push(value.to_owned());
        let mut failed = Vec::new();
        match act {
            Act::Take => parcel.values().for_each(take),
            Act::Trucks(mask, class) => {
                for (index, value) in parcel.values().enumerate() {
                    if mask >> truck_of(value) & 1 == 1 {
                        failed.push((index, Failure::new(class, "truck")));
                    } else {
                        take(value);
                    }
                }
            }
            Act::Fail(class) => return Box::pin(std::future::ready(Outcome::Failed(Failure::new(class, "x")))),
            Act::Panic => panic!("fickle"),
            Act::Hang => return Box::pin(std::future::pending()),
            Act::Nonsense => failed.push((parcel.entries.len(), Failure::new(FailureClass::Rejected, "x"))),
        }
        let outcome = if failed.is_empty() { Outcome::Delivered } else { Outcome::Partial(failed) };
        Box::pin(std::future::ready(outcome))
    }
}

fn dispatcher(script: Vec<Act>, records: usize, attempts: u32) -> (Dispatcher, Arc<Mutex<Vec<String>>>) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let fickle = Fickle { script: Mutex::new(script.into()), taken: Arc::clone(&taken), records };
    let config = Config {
        logs: LogsConfig::validate(&Settings::default(), &LogsRaw::default()).unwrap(),
        telemetry: TelemetryConfig::default(),
        key: KeyStrategy::TruckId,
        versions: Versions::V1,
        dedupe: Dedupe::EventId { store: Box::new(MemoryStore::new(10_000)), claim: Duration::from_secs(60) },
        policy: Policy { attempts, backoff: Backoff { base: Duration::from_millis(10), cap: Duration::from_secs(1) } },
        event_source: EventSource::default(),
        margin: Duration::ZERO,
        destinations: vec![Named { name: "fickle".into(), destination: Box::new(fickle) }],
        rules: vec![Rule::everything(vec![(0, Need::Required)])],
    };
    (Dispatcher::new(config), taken)
}

fn dispatch(dispatcher: &Dispatcher, payload: &[u8]) -> Option<Response> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    tokio.block_on(async { dispatcher.dispatch(payload, Deadline::after(Duration::from_secs(5))).await.ok() })
}

fn batch(values: &[String]) -> OpenBatch {
    let head = BatchHead {
        group: "g".into(),
        topic: "t".into(),
        partition: 0,
        lane: 0,
        lanes: 1,
        epoch: 0,
        log: None,
        since: None,
    };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for (offset, value) in (0_i64..).zip(values) {
        assert_eq!(batch.push(Offset(offset), 0, value.as_bytes()), Push::Taken);
    }
    batch
}

fn event(truck: u8, seq: u8) -> String {
    format!(
        r#"{{"v":1,"id":"p-BR{truck:05}-3-{seq}","codigo":3,"truck_id":"BR{truck:05}","seq":{},"ts":1,"lat":1.0,"lon":1.0,"speed":1.0,"fuel":1.0,"odo":1.0}}"#,
        u32::from(seq) + 1
    )
}

fn class() -> impl Strategy<Value = FailureClass> {
    proptest::sample::select(FailureClass::ALL.to_vec())
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Take),
        3 => class().prop_map(Act::Fail),
        1 => Just(Act::Panic),
        1 => Just(Act::Hang),
        3 => (any::<u8>(), class()).prop_map(|(mask, class)| Act::Trucks(mask, class)),
        1 => Just(Act::Nonsense),
    ]
}

/// Mostly events of four trucks, some of them twice, some of them bad.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0_u8..4, 0_u8..40).prop_map(|(truck, seq)| event(truck, seq)),
        1 => Just("{\"v\":1}".to_owned()),
        1 => Just("[[[1]], \"\\n\"]".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_get_verdicts_or_a_handled_error(bytes in vec(any::<u8>(), 0..400)) {
        let (dispatcher, _) = dispatcher(vec![], 10, 1);
        prop_assert!(dispatch(&dispatcher, &bytes).is_none());
    }

    #[test]
    fn a_damaged_request_gets_verdicts_or_a_handled_error(
        values in vec(value(), 1..6),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (dispatcher, taken) = dispatcher(vec![], 10, 1);
        let mut payload = batch(&values).request(1, None);
        for (at, byte) in damage {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        match dispatch(&dispatcher, &payload) {
            None => prop_assert!(taken.lock().unwrap().is_empty()),
            Some(response) => {
                let listed = response.rejected.len() + response.retry.len();
                let counted = response.delivered + response.duplicates + listed as u64;
                prop_assert_eq!(counted, values.len() as u64);
            }
        }
    }

    #[test]
    fn every_record_gets_one_true_verdict_and_keys_keep_their_order(
        values in vec(value(), 1..40),
        script in vec(act(), 0..12),
        records in 1_usize..10,
        attempts in 1_u32..4,
    ) {
        let (dispatcher, taken) = dispatcher(script, records, attempts);
        let batch = batch(&values);
        let response = dispatch(&dispatcher, &batch.request(1, None)).unwrap();
        let judgement = judge(&batch, &serde_json::to_vec(&response).unwrap()).unwrap();
        let taken: Vec<String> = taken.lock().unwrap().clone();

        let held: HashSet<&String> = taken.iter().collect();
        prop_assert_eq!(judgement.delivered, held.len() as u64, "delivered is what the destination holds");
        prop_assert_eq!(taken.len(), held.len(), "nothing is delivered twice");

        let mut first_place: HashMap<&String, usize> = HashMap::new();
        for (place, value) in values.iter().enumerate() {
            first_place.entry(value).or_insert(place);
        }
        let mut last: HashMap<usize, usize> = HashMap::new();
        for value in &taken {
            let place = first_place[value];
            let before = last.insert(truck_of(value), place);
            prop_assert!(before.is_none_or(|before| before < place), "order per key at the destination");
        }
        for listed in &judgement.retry {
            let place = usize::try_from(listed.offset.0).unwrap();
            let behind = last.get(&truck_of(&values[place])).is_some_and(|taken| *taken > place);
            let twin = first_place[&values[place]] < place;
            prop_assert!(twin || !behind, "a record that comes again was overtaken");
        }
    }

    #[test]
    fn tried_again_until_nothing_is_left_every_valid_event_is_delivered_once(
        values in vec(value(), 1..30),
        script in vec(act(), 0..20),
    ) {
        let script = script.into_iter().filter(|act| !matches!(act,
            Act::Fail(FailureClass::Rejected | FailureClass::TooLarge)
            | Act::Trucks(_, FailureClass::Rejected | FailureClass::TooLarge)));
        let (dispatcher, taken) = dispatcher(script.collect(), 5, 2);
        let batch = batch(&values);
        for attempt in 1..30 {
            let response = dispatch(&dispatcher, &batch.request(attempt, None)).unwrap();
            if response.retry.is_empty() {
                break;
            }
        }
        let taken = taken.lock().unwrap().clone();
        let valid: HashSet<&String> = values.iter().filter(|value| value.contains("\"id\"")).collect();
        prop_assert_eq!(taken.len(), valid.len());
        prop_assert_eq!(taken.iter().collect::<HashSet<_>>(), valid);
    }
}
