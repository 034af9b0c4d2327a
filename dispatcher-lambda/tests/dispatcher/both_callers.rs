//! Whatever comes from AWS's event source mapping: each record has one fate, the same that our consumer would be told.

use crate::events::{List, failed, payload};
use crate::requests::{batch, event};
use crate::scripted::{Act, Scripted, Taken, dispatcher};
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dispatcher::{Dispatcher, Settled};
use dispatcher_lambda::event_source::is_event;
use dispatcher_lambda::record::Need;
use domain::contract::Response;
use domain::failure::FailureClass;
use proptest::prelude::*;
use std::collections::HashSet;
use std::time::Duration;

fn build(script: Vec<Act>, records: usize, attempts: u32) -> (Dispatcher, Taken) {
    let (destination, taken) = Scripted::new(script, Act::Take, records);
    (dispatcher(vec![(Box::new(destination), Need::Required)], attempts), taken)
}

fn run<T>(step: impl Future<Output = T>) -> T {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    tokio.block_on(step)
}

fn settle(dispatcher: &Dispatcher, payload: &[u8]) -> Option<Settled> {
    run(async { dispatcher.dispatch_event(payload, Deadline::after(Duration::from_secs(20))).await.ok() })
}

fn respond(dispatcher: &Dispatcher, payload: &[u8]) -> Response {
    run(async { dispatcher.dispatch(payload, Deadline::after(Duration::from_secs(20))).await.unwrap() })
}

fn act() -> impl Strategy<Value = Act> {
    let class = || prop::sample::select(FailureClass::ALL.to_vec());
    prop_oneof![
        3 => Just(Act::Take),
        2 => class().prop_map(Act::Fail),
        3 => (prop::collection::vec(0_usize..4, 1..4), class()).prop_map(|(part, class)| Act::Part(part, class)),
        1 => Just(Act::RejectWith("BR00002")),
        1 => Just(Act::Panic),
        1 => Just(Act::Hang),
    ]
}

fn good() -> impl Strategy<Value = String> {
    (0_u8..4, 1_u64..1_000_000).prop_map(|(truck, seq)| event(&format!("BR{truck:05}"), seq))
}

/// What JSON can be in a request of ours.
fn json() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => good(),
        1 => good().prop_map(|value| format!(" \n{value}\t")),
        1 => Just("{\"v\":7}".to_owned()),
        1 => Just("[1, \"é\"]".to_owned()),
        1 => Just(event("BR00001", 7)),
    ]
}

fn lists() -> impl Strategy<Value = Vec<List>> {
    let value = prop_oneof![5 => json().prop_map(Some), 1 => Just(None), 1 => "[a\\{\\}é]{0,4}".prop_map(Some)];
    prop::collection::vec((prop::collection::vec(value, 0..8), 0_i64..1_000), 1..4).prop_map(|lists| {
        let list = |(partition, (values, first))| List { topic: "mt-c400", partition, first, values };
        (0..).zip(lists).map(list).collect()
    })
}

fn listed(settled: &Settled) -> usize {
    settled.responses.iter().map(|response| response.rejected.len() + response.retry.len()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_behind_the_source_are_verdicts_or_a_handled_error(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        text in "[\\{\\}\\[\\]:,\"a-t0-9-]{0,60}",
    ) {
        let (dispatcher, taken) = build(vec![], 2, 1);
        for tail in [bytes.as_slice(), text.as_bytes()] {
            let payload = [b"{\"eventSource\":\"aws:kafka\",\"records\":".as_slice(), tail].concat();
            prop_assert!(is_event(&payload));
            let settled = settle(&dispatcher, &payload);
            prop_assert!(settled.is_none_or(|settled| settled.responses.is_empty() || taken.calls() == 0));
        }
    }

    #[test]
    fn a_damaged_event_is_verdicts_or_a_handled_error(
        lists in lists(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (dispatcher, taken) = build(vec![], 2, 1);
        let mut payload = payload(&lists);
        for (at, byte) in damage {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        match settle(&dispatcher, &payload) {
            None => prop_assert_eq!(taken.calls(), 0),
            Some(settled) => {
                let failed = failed(&settled.failures);
                prop_assert_eq!(failed.len(), listed(&settled));
                prop_assert_eq!(failed.iter().collect::<HashSet<_>>().len(), failed.len());
            }
        }
    }

    #[test]
    fn every_record_has_exactly_one_fate(
        lists in lists(),
        script in prop::collection::vec(act(), 0..12),
        records in 1_usize..5,
        attempts in 1_u32..3,
    ) {
        let (dispatcher, taken) = build(script, records, attempts);
        let settled = settle(&dispatcher, &payload(&lists)).unwrap();
        let failed: HashSet<String> = failed(&settled.failures).into_iter().collect();
        let taken: Vec<String> = taken.values();
        prop_assert_eq!(taken.iter().collect::<HashSet<_>>().len(), taken.len(), "nothing is delivered twice");
        for list in &lists {
            for (offset, value) in (list.first..).zip(&list.values) {
                let held = value.as_ref().is_some_and(|value| taken.iter().any(|taken| taken == value.trim()));
                let named = failed.contains(&format!("{}:{offset}", list.name()));
                prop_assert!(held || named, "{} {}", list.name(), offset);
                // The same event may stand in another partition too, and wait there.
                let twice = lists.iter().flat_map(|list| &list.values).filter(|other| *other == value).count() > 1;
                prop_assert!(twice || !(held && named), "{} {}", list.name(), offset);
            }
        }
    }

    #[test]
    fn both_callers_are_told_the_same(
        values in prop::collection::vec(json(), 1..20),
        script in prop::collection::vec(act(), 0..10),
        records in 1_usize..5,
        attempts in 1_u32..3,
    ) {
        let ours = respond(&build(script.clone(), records, attempts).0, &batch(&values).request(1, None));
        let event = payload(&[List::new("mt-c400", 3, 100, &values)]);
        let (dispatcher, _) = build(script, records, attempts);
        let settled = settle(&dispatcher, &event).unwrap();
        let mut offsets: Vec<i64> = ours.rejected.iter().chain(&ours.retry).map(|listed| listed.offset.0).collect();
        offsets.sort_unstable();
        let named: Vec<String> = offsets.iter().map(|offset| format!("mt-c400-3:{offset}")).collect();
        prop_assert_eq!(failed(&settled.failures), named);
        prop_assert_eq!(settled.responses, vec![ours]);
    }
}
