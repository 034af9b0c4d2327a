//! Records at which the function fails: found by cutting, set aside alone, counted over all owners; and a function that always fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod properties;
#[path = "../pipeline/rig.rs"]
mod rig;

use consumer::flood::FloodLimits;
use domain::failure::FailureClass;
use rig::{ATTEMPTS, CAP, Rig, settings, usual_pace};
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
    rig.lambda.poison(0, 3);
    rig.dead_letters_down(true);
    for first in [0, 3, 3, 3] {
        let held = rig.assign(&[0]);
        rig.receive(0, first..4);
        rig.pass(SECOND * 20).await;
        assert_eq!(rig.lambda.harm()[&(0, 3)], ATTEMPTS);
        let (ticket, _) = rig.revoke(&[0]);
        rig.pass(SECOND / 10).await;
        assert!(rig.desk.is_drained(ticket));
        rig.give_back(&held);
    }
    rig.dead_letters_down(false);
    rig.assign(&[0]);
    rig.receive(0, 3..4);
    rig.pass(SECOND * 5).await;
    let letters = rig.dead_letters();
    assert_eq!((letters.len(), rig.lambda.harm()[&(0, 3)]), (1, ATTEMPTS));
    assert_eq!((letters[0].attempts, letters[0].class), (ATTEMPTS, FailureClass::FunctionError));
    assert!(letters[0].detail.contains(&format!("{ATTEMPTS} times")), "{}", letters[0].detail);
    assert_eq!(rig.commit(), [(0, 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_always_fails_stops_the_partitions_with_their_offsets_intact_and_they_go_on_when_it_is_mended()
{
    let mut rig = Rig::new(settings(1, 8));
    rig.assign(&[0, 1]);
    rig.lambda.always_fails(true);
    for partition in [0, 1] {
        rig.receive(partition, 0..16);
    }
    rig.pass(SECOND * 300).await;
    assert_nothing_finished(&mut rig);
    let why = rig.condition.why().unwrap();
    assert!(why.contains("t/0 is stopped: function dispatcher fails at offset 0 alone"), "{why}");
    assert!(why.contains("t/1 is stopped"), "{why}");
    let calls = rig.calls().len();
    rig.pass(SECOND * 300).await;
    let more = rig.calls().len() - calls;
    assert!(more <= 2 * 300 / CAP.as_secs() as usize + 2, "{more} calls in 300 s");
    rig.lambda.always_fails(false);
    rig.pass(SECOND * 10).await;
    assert_eq!((rig.dead_letters().len(), rig.commit(), rig.condition.why()), (0, vec![(0, 16), (1, 16)], None));
}

/// What is committed is what is suspected, at the offsets of the beginning.
fn assert_nothing_finished(rig: &mut Rig) {
    assert_eq!(rig.dead_letters().len(), 0);
    assert!(rig.commit().iter().all(|(_, next)| *next == 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_set_aside_when_somebody_opens_it_and_goes_to_another_owner_as_it_is() {
    let mut rig = Rig::new(settings(1, 1));
    let held = rig.assign(&[0]);
    rig.lambda.poison(0, 0);
    rig.receive(0, 0..1);
    rig.pass(SECOND * 100).await;
    assert!(rig.condition.why().unwrap().contains("offset 0 alone"), "nothing shows that the function takes others");
    let (ticket, _) = rig.revoke(&[0]);
    rig.pass(SECOND / 10).await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!((rig.give_back(&held), rig.condition.why()), (vec![(0, 0)], None));
    rig.assign(&[0]);
    rig.receive(0, 0..2);
    rig.pass(SECOND * 10).await;
    assert_eq!((rig.open_flood(), rig.dead_letters().len()), (1, 0));
    rig.pass(SECOND * 10).await;
    let letters = rig.dead_letters();
    assert_eq!((letters.len(), letters[0].record.offset.0, letters[0].class), (1, 0, FailureClass::FunctionError));
    assert_eq!((rig.commit(), rig.condition.why()), (vec![(0, 2)], None));
}

/// Records of one partition at which the function fails, while it takes all others.
#[tokio::test(start_paused = true)]
async fn a_flood_of_dead_letters_stops_the_partition_with_its_offsets_intact() {
    let mut rig = Rig::flooded(settings(1, 8), FloodLimits { in_a_row: 3, ..FloodLimits::default() });
    rig.assign(&[0, 1]);
    (0..16).for_each(|offset| rig.lambda.poison(0, offset));
    rig.receive(0, 0..16);
    pass_with_others(&mut rig, SECOND * 30, &mut 0).await;
    assert_eq!(rig.dead_letters().len(), 3);
    assert_eq!(rig.commit()[0], (0, 3));
    let why = rig.condition.why().unwrap();
    assert!(why.contains("t/0 is stopped: 3 dead letters in a row"), "{why}");
    let calls = rig.calls().len();
    rig.pass(SECOND * 300).await;
    assert_eq!((rig.calls().len(), rig.commit()), (calls, vec![]));
    // It is mended, and somebody opens the partition: what waits to be set aside is, and the rest is delivered.
    rig.lambda.heal();
    assert_eq!(rig.open_flood(), 1);
    rig.pass(SECOND * 30).await;
    assert_eq!((rig.dead_letters().len(), rig.commit(), rig.condition.why()), (4, vec![(0, 16)], None));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_partition_can_be_given_away() {
    let mut rig = Rig::flooded(settings(1, 4), FloodLimits { in_a_row: 1, ..FloodLimits::default() });
    let (held, _) = (rig.assign(&[0]), rig.assign(&[1]));
    (0..4).for_each(|offset| rig.lambda.poison(0, offset));
    rig.receive(0, 0..4);
    pass_with_others(&mut rig, SECOND * 10, &mut 0).await;
    let (ticket, _) = rig.revoke(&[0]);
    rig.pass(SECOND / 10).await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!((rig.give_back(&held), rig.condition.why()), (vec![(0, 1)], None));
}

/// Lets time go by in which the function answers a batch of partition 1 every now and then.
async fn pass_with_others(rig: &mut Rig, span: Duration, next: &mut i64) {
    let (mut passed, step) = (Duration::ZERO, SECOND / 20);
    while passed < span {
        rig.receive(1, *next..*next + 8);
        *next += 8;
        rig.pass(step.min(span - passed)).await;
        passed += step;
    }
}

/// Every call for a batch of 512 fails at a record at fault, which spends one of its attempts, or is for the half without one, which a cut made.
#[tokio::test(start_paused = true)]
async fn each_record_at_fault_among_512_costs_no_more_calls_than_its_attempts_and_one_for_each_cut() {
    let pace = usual_pace();
    let each = (pace.attempts + 512_u32.ilog2()) as usize;
    assert_eq!(each, 2 * 9 + 7, "O(log n): two a cut, and what the first cut and the last proof take");
    for poison in [vec![0], vec![1], vec![255], vec![256], vec![511], vec![7, 300, 301]] {
        let mut rig = Rig::paced(settings(1, 512), pace);
        rig.assign(&[0, 1]);
        poison.iter().for_each(|offset| rig.lambda.poison(0, *offset));
        rig.receive(0, 0..512);
        pass_with_others(&mut rig, SECOND * 90 * poison.len() as u32, &mut 0).await;
        let calls = rig.calls().iter().filter(|call| call.partition == 0).count();
        assert!(calls <= each * poison.len(), "{calls} calls for {poison:?}");
        let letters: Vec<i64> = rig.dead_letters().iter().map(|letter| letter.record.offset.0).collect();
        assert_eq!(letters, poison);
        assert!(rig.commit().contains(&(0, 512)));
    }
}

/// Six lanes, and a function that fails at everything for far longer than all attempts of a record take.
#[tokio::test(start_paused = true)]
async fn a_function_that_fails_as_a_whole_for_a_while_makes_no_dead_letter() {
    let mut rig = Rig::new(settings(2, 8));
    rig.assign(&[0, 1, 2]);
    for partition in 0..3 {
        rig.receive(partition, 0..32);
    }
    rig.lambda.always_fails(true);
    rig.pass(SECOND * 60).await;
    assert_nothing_finished(&mut rig);
    rig.lambda.always_fails(false);
    rig.pass(SECOND * 10).await;
    assert_eq!((rig.dead_letters().len(), rig.commit()), (0, vec![(0, 32), (1, 32), (2, 32)]));
}
