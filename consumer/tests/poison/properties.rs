//! Whatever the function does, and whoever owns the partition: those at fault are set aside, each once, and no others.

use crate::rig::{ATTEMPTS, Rig, settings, usual_pace};
use crate::{SECOND, pass_with_others};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What the function does to everybody for a while.
#[derive(Debug, Clone, Copy)]
enum Weather {
    Well,
    FailsAtAll,
    /// At so many calls of a hundred, whatever they send.
    FailsAtSome(u32),
}

fn weather() -> impl Strategy<Value = (Weather, u32)> {
    let kind = prop_oneof![
        2 => Just(Weather::Well),
        2 => Just(Weather::FailsAtAll),
        1 => (5..60_u32).prop_map(Weather::FailsAtSome),
    ];
    (kind, 1..40_u32)
}

/// A function that is ill by itself beside the records at fault, at the usual pace, with records coming all the time; then it is well.
async fn endure(lanes: u32, poison: &BTreeSet<i64>, weather: &[(Weather, u32)]) {
    let mut rig = Rig::paced(settings(lanes, 8), usual_pace());
    rig.assign(&[0, 1, 2, 3]);
    poison.iter().for_each(|offset| rig.lambda.poison(0, *offset));
    let (mut next, at_last) = (0, (Weather::Well, 40 + 20 * poison.len() as u32));
    for (weather, seconds) in weather.iter().chain([&at_last]) {
        rig.lambda.always_fails(matches!(weather, Weather::FailsAtAll));
        rig.lambda.fails_at_some(if let Weather::FailsAtSome(share) = weather { *share } else { 0 });
        for _ in 0..seconds * 2 {
            (0..4).for_each(|partition| rig.receive(partition, next..next + 8));
            next += 8;
            rig.pass(SECOND / 2).await;
        }
    }
    rig.pass(SECOND * 10).await;
    rig.commit();
    let standings = rig.desk.standings();
    assert!(standings.iter().all(|standing| standing.committed == standing.polled), "{standings:?}");
    let letters: BTreeSet<i64> = rig.dead_letters().iter().map(|letter| letter.record.offset.0).collect();
    assert_eq!(
        (&letters, rig.dead_letters().len()),
        (poison, poison.len()),
        "all that are at fault, each once, and no others"
    );
    assert_eq!((rig.condition.why(), rig.overlaps()), (None, 0));
}

/// A history: which records are at fault, the batch size, and after how many hundredths of a second each owner goes.
fn history() -> impl Strategy<Value = (BTreeSet<i64>, usize, u32, Vec<u16>)> {
    let poison = prop::collection::btree_set(0..40_i64, 0..5);
    (poison, 1..9_usize, 1..4_u32, prop::collection::vec(1..120_u16, 0..12))
}

/// Whoever owns partition 0, its owner has partition 1 too, at which nothing is wrong.
async fn play((poison, records, lanes, owners): (BTreeSet<i64>, usize, u32, Vec<u16>)) {
    let mut rig = Rig::new(settings(lanes, records));
    poison.iter().for_each(|offset| rig.lambda.poison(0, *offset));
    rig.assign(&[1]);
    let (mut next, mut others) = (0, 0);
    for stays in owners.iter().map(|hundredths| SECOND / 100 * u32::from(*hundredths)).chain([SECOND * 60]) {
        pass_with_others(&mut rig, SECOND / 10, &mut others).await;
        let held = rig.assign(&[0]);
        rig.receive(0, next..40);
        pass_with_others(&mut rig, stays, &mut others).await;
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

    #[test]
    fn whatever_the_function_does_to_everybody_no_record_is_set_aside_for_it(
        lanes in 1..4_u32,
        poison in prop::collection::btree_set(0..100_i64, 0..3),
        weather in prop::collection::vec(weather(), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(endure(lanes, &poison, &weather));
    }
}
