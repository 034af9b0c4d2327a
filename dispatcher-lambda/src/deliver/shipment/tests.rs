//! A shipment decides without clock or network, so its tests are plain calls.

use super::{Fate, Shipment, Then};
use crate::destinations::{Failure, Limits, Outcome};
use crate::record::{Entry, Need};
use domain::failure::FailureClass::{self, Ours, Rejected, Throttled, TooLarge, Transient};
use domain::offset::Offset;
use std::time::Duration;

const LIMITS: Limits = Limits { records: 4, bytes: 1_000, timeout: Duration::from_secs(1) };

fn entries(keys: &'static str) -> Vec<Entry<'static>> {
    let keys = keys.as_bytes().chunks(1);
    let entry = |(place, key)| Entry { place, offset: Offset(0), id: "e", key, value: "{}", need: Need::Required };
    keys.enumerate().map(entry).collect()
}

fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed(Failure::new(class, "why"))
}

/// One letter per entry.
fn word(shipment: Shipment<'_>) -> String {
    let letter = |fate: &Fate| match fate {
        Fate::Waiting => 'w',
        Fate::Delivered => 'd',
        Fate::Rejected { .. } => 'x',
        Fate::Retry { .. } => 'r',
    };
    shipment.into_fates().iter().map(letter).collect()
}

#[test]
fn calls_are_cut_by_records_and_by_bytes() {
    let entries = entries("abcdef");
    let mut shipment = Shipment::new(&entries, LIMITS, 1);
    assert_eq!((shipment.next(), shipment.next(), shipment.next()), (Some(vec![0, 1, 2, 3]), Some(vec![4, 5]), None));
    let limits = Limits { bytes: 7, ..LIMITS };
    let mut shipment = Shipment::new(&entries, limits, 1);
    assert_eq!(shipment.next(), Some(vec![0, 1]));
    let mut shipment = Shipment::new(&entries, Limits { bytes: 1, ..LIMITS }, 1);
    assert_eq!(shipment.next(), Some(vec![0]), "an entry over the limit goes alone");
}

#[test]
fn a_failed_call_is_tried_again_before_anything_behind_it_and_then_all_give_up() {
    let entries = entries("abcdef");
    let mut shipment = Shipment::new(&entries, LIMITS, 2);
    let first = shipment.next().unwrap();
    let then = shipment.record(first.clone(), failed(Transient));
    assert_eq!(then, Then::Wait { failures: 1, at_least: None });
    assert_eq!(shipment.next(), Some(first.clone()));
    assert_eq!(shipment.record(first, failed(Throttled)), Then::Go);
    assert_eq!(shipment.next(), None);
    assert_eq!(word(shipment), "rrrrrr");
}

#[test]
fn a_success_starts_the_count_of_failures_anew() {
    let entries = entries("abcdef");
    let mut shipment = Shipment::new(&entries, LIMITS, 2);
    let first = shipment.next().unwrap();
    shipment.record(first.clone(), failed(Transient));
    shipment.next();
    shipment.record(first, Outcome::Delivered);
    let second = shipment.next().unwrap();
    assert_eq!(shipment.record(second, failed(Transient)), Then::Wait { failures: 1, at_least: None });
}

#[test]
fn only_the_entries_at_fault_are_rejected() {
    for class in [Rejected, TooLarge] {
        let entries = entries("abcdefgh");
        let limits = Limits { records: 100, ..LIMITS };
        let mut shipment = Shipment::new(&entries, limits, 1);
        let (mut order, mut calls) = (Vec::<usize>::new(), 0);
        while let Some(call) = shipment.next() {
            calls += 1;
            let bad = call.iter().any(|entry| [2, 7].contains(entry));
            if !bad {
                order.extend(&call);
            }
            shipment.record(call, if bad { failed(class) } else { Outcome::Delivered });
        }
        assert_eq!(word(shipment), "ddxddddx");
        assert_eq!(order, [0, 1, 3, 4, 5, 6], "halving keeps the order");
        assert!(calls <= 13, "{calls}");
    }
}

#[test]
fn a_wrong_configuration_rejects_nothing_and_is_not_tried_again() {
    let entries = entries("abcdef");
    let mut shipment = Shipment::new(&entries, LIMITS, 5);
    let call = shipment.next().unwrap();
    assert_eq!(shipment.record(call, failed(Ours)), Then::Go);
    assert_eq!(shipment.next(), None);
    assert_eq!(word(shipment), "rrrrrr");
}

#[test]
fn what_was_taken_in_part_is_tried_again_alone_and_holds_back_its_keys() {
    let entries = entries("abcdaxb");
    let mut shipment = Shipment::new(&entries, LIMITS, 2);
    let call = shipment.next().unwrap();
    let mut throttled = Failure::new(Throttled, "slow down");
    throttled.retry_after = Some(Duration::from_secs(2));
    let partial = Outcome::Partial(vec![(0, throttled.clone()), (2, Failure::new(Rejected, "bad"))]);
    let then = shipment.record(call, partial);
    assert_eq!(then, Then::Wait { failures: 1, at_least: Some(Duration::from_secs(2)) });
    let call = shipment.next().unwrap();
    assert_eq!(call, [0]);
    assert_eq!(shipment.record(call, Outcome::Partial(vec![(0, throttled)])), Then::Go);
    let call = shipment.next().unwrap();
    assert_eq!(call, [5, 6], "the second a waits behind the first");
    shipment.record(call, Outcome::Delivered);
    assert_eq!(shipment.next(), None);
    assert_eq!(word(shipment), "rdxdrdd");
}

#[test]
fn attempts_that_bring_a_call_on_do_not_count() {
    let entries = entries("abcd");
    let mut shipment = Shipment::new(&entries, LIMITS, 2);
    for left in [3, 2, 1] {
        let call = shipment.next().unwrap();
        let failed = (call.len() - left..call.len()).map(|index| (index, Failure::new(Throttled, "why")));
        let then = shipment.record(call, Outcome::Partial(failed.collect()));
        assert_eq!(then, Then::Wait { failures: 1, at_least: None });
    }
    let call = shipment.next().unwrap();
    assert_eq!(call, [3]);
    assert_eq!(shipment.record(call, Outcome::Partial(vec![(0, Failure::new(Throttled, "why"))])), Then::Go);
    assert_eq!(word(shipment), "dddr");
}

#[test]
fn a_destination_that_talks_nonsense_delivers_nothing() {
    let entries = entries("ab");
    let mut shipment = Shipment::new(&entries, LIMITS, 1);
    let call = shipment.next().unwrap();
    shipment.record(call, Outcome::Partial(vec![(2, Failure::new(Rejected, "x"))]));
    assert_eq!(word(shipment), "rr");
}

#[test]
fn an_optional_destination_gets_one_attempt() {
    let mut entries = entries("ab");
    entries.iter_mut().for_each(|entry| entry.need = Need::Optional);
    let mut shipment = Shipment::new(&entries, LIMITS, 5);
    let call = shipment.next().unwrap();
    assert_eq!(shipment.record(call, failed(Transient)), Then::Go);
    assert_eq!(shipment.next(), None);
}
