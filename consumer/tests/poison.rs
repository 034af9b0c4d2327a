//! Records at which the function fails: found by cutting, set aside alone, counted over all owners; and a function that always fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::flood::FloodLimits;
use domain::failure::FailureClass;
use proptest::prelude::*;
use rig::{ATTEMPTS, Rig, settings};
use std::collections::BTreeSet;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn the_record_at_fault_is_found_and_set_aside_alone_and_the_others_are_delivered_in_order() {
    let mut rig = Rig::new(settings(1, 8));
    rig.assign(&[0]);
    rig.lambda.poison(0, 5);
    rig.receive(0, 0..16);
    rig.pass(SECOND * 20).await;
    let letters = rig.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].record.offset.0, letters[0].class), (5, FailureClass::FunctionError));
    assert_eq!((letters[0].reason.as_str(), letters[0].attempts), ("function-error", ATTEMPTS));
    assert_eq!(rig.lambda.harm()[&(0, 5)], ATTEMPTS);
    let sent = rig.sent();
    assert_eq!(sent[..2], [(0..8).collect::<Vec<_>>(), (0..8).collect()], "twice whole");
    assert_eq!(sent[2..6], [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![4, 5], vec![4]]);
    assert_eq!(sent[6..], [vec![5], vec![5], vec![6, 7], (8..16).collect()]);
    assert_eq!(rig.commit(), [(0, 16)]);
    assert_eq!(rig.meters.cuts.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_owner_goes_on_where_the_one_before_stopped() {
    let mut rig = Rig::new(settings(1, 8));
    let mut held = rig.assign(&[0]);
    rig.lambda.poison(0, 5);
    let mut next = 0;
    for _ in 0..100 {
        rig.receive(0, next..8);
        // Long enough for the batch to be old enough, and for a failure or two.
        rig.pass(SECOND + SECOND / 8).await;
        let (ticket, gone) = rig.revoke(&[0]);
        rig.pass(SECOND / 100).await;
        assert!(rig.desk.is_drained(ticket) && gone == held);
        next = rig.give_back(&held).first().map_or(next, |(_, next)| *next);
        if next == 8 {
            break;
        }
        held = rig.assign(&[0]);
    }
    assert_eq!((next, rig.dead_letters().len()), (8, 1));
    assert!(rig.lambda.harm()[&(0, 5)] <= ATTEMPTS, "{:?}", rig.lambda.harm());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_failed_often_enough_is_not_called_again_whoever_owns_it_while_its_letter_waits() {
    let mut rig = Rig::new(settings(1, 4));
    rig.lambda.poison(0, 1);
    rig.dead_letters_down(true);
    for _ in 0..4 {
        let held = rig.assign(&[0]);
        rig.receive(0, 0..4);
        rig.pass(SECOND * 20).await;
        assert_eq!(rig.lambda.harm()[&(0, 1)], ATTEMPTS);
        let (ticket, _) = rig.revoke(&[0]);
        rig.pass(SECOND / 10).await;
        assert!(rig.desk.is_drained(ticket));
        rig.give_back(&held);
    }
    rig.dead_letters_down(false);
    rig.assign(&[0]);
    rig.receive(0, 1..4);
    rig.pass(SECOND * 5).await;
    let letters = rig.dead_letters();
    assert_eq!((letters.len(), rig.lambda.harm()[&(0, 1)]), (1, ATTEMPTS));
    assert_eq!((letters[0].attempts, letters[0].class), (ATTEMPTS, FailureClass::FunctionError));
    assert!(letters[0].detail.contains(&format!("{ATTEMPTS} times")), "{}", letters[0].detail);
    assert_eq!(rig.commit(), [(0, 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_always_fails_stops_the_partition_with_its_offsets_intact() {
    let mut rig = Rig::flooded(settings(1, 8), FloodLimits { in_a_row: 3, ..FloodLimits::default() });
    rig.assign(&[0]);
    rig.lambda.always_fails(true);
    rig.receive(0, 0..16);
    rig.pass(SECOND * 300).await;
    assert_eq!(rig.dead_letters().len(), 3);
    assert_eq!(rig.commit(), [(0, 3)]);
    let calls = rig.calls().len();
    assert!(
        rig.condition.why().unwrap().contains("t/0 is stopped: 3 dead letters in a row"),
        "{:?}",
        rig.condition.why()
    );
    rig.pass(SECOND * 300).await;
    assert_eq!((rig.calls().len(), rig.commit()), (calls, vec![]));
    // It is mended, and somebody opens the partition: what waits to be set aside is, and the rest is delivered.
    rig.lambda.always_fails(false);
    assert_eq!(rig.open_flood(), 1);
    rig.pass(SECOND * 30).await;
    assert_eq!((rig.dead_letters().len(), rig.commit(), rig.condition.why()), (4, vec![(0, 16)], None));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_partition_can_be_given_away() {
    let mut rig = Rig::flooded(settings(1, 4), FloodLimits { in_a_row: 1, ..FloodLimits::default() });
    let held = rig.assign(&[0]);
    rig.lambda.always_fails(true);
    rig.receive(0, 0..4);
    rig.pass(SECOND * 100).await;
    let (ticket, _) = rig.revoke(&[0]);
    rig.pass(SECOND / 10).await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!((rig.give_back(&held), rig.condition.why()), (vec![(0, 1)], None));
}

/// A history: which records are at fault, the batch size, and after how many hundredths of a second each owner goes.
fn history() -> impl Strategy<Value = (BTreeSet<i64>, usize, u32, Vec<u16>)> {
    let poison = prop::collection::btree_set(0..40_i64, 0..5);
    (poison, 1..9_usize, 1..4_u32, prop::collection::vec(1..120_u16, 0..12))
}

async fn play((poison, records, lanes, owners): (BTreeSet<i64>, usize, u32, Vec<u16>)) {
    let mut rig = Rig::new(settings(lanes, records));
    poison.iter().for_each(|offset| rig.lambda.poison(0, *offset));
    let mut next = 0;
    for stays in owners.iter().map(|hundredths| SECOND / 100 * u32::from(*hundredths)).chain([SECOND * 60]) {
        let held = rig.assign(&[0]);
        rig.receive(0, next..40);
        rig.pass(stays).await;
        let (ticket, _) = rig.revoke(&[0]);
        rig.pass(SECOND / 50).await;
        assert!(rig.desk.is_drained(ticket));
        next = rig.give_back(&held).first().map_or(next, |(_, next)| *next);
    }
    assert_eq!(next, 40);
    let letters: BTreeSet<i64> = rig.dead_letters().iter().map(|letter| letter.record.offset.0).collect();
    assert_eq!(letters, poison, "all that are at fault, and no others");
    let harm = rig.lambda.harm();
    assert!(harm.values().all(|calls| *calls <= ATTEMPTS), "{harm:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whoever_owns_the_partition_a_record_at_fault_is_tried_so_often_and_no_good_one_is_set_aside(history in history()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(history));
    }
}
