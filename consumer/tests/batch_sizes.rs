//! Batches follow the function: one that times out with many records gets fewer, loses none, and gets more again when it can.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use domain::failure::FailureClass;
use rig::{Answer, FUNCTION, Rig, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(3);
/// More the function cannot do in time.
const MOST: usize = 30;

/// Two partitions of a function that takes 120 ms, with room for so many records in a batch.
fn rig(records: usize) -> Rig {
    let mut settings = settings(1, records);
    settings.room.waiting = 8;
    let mut rig = Rig::new(settings);
    rig.latency(SECOND * 12 / 100);
    rig.assign(&[0, 1]);
    rig
}

/// Records keep coming for so many tenths of a second, from `next` of each partition on, unless that is paused.
async fn feed(rig: &mut Rig, tenths: usize, next: &mut [i64; 2]) {
    for _ in 0..tenths {
        for partition in 0..2 {
            if !rig.paused.contains(&partition) {
                let next = &mut next[partition as usize];
                rig.receive(partition, *next..*next + 20);
                *next += 20;
            }
        }
        rig.pass(SECOND / 10).await;
    }
}

/// What was delivered of a partition, in order: calls of more than `most` records were not.
fn delivered(rig: &Rig, partition: i32, most: usize) -> Vec<i64> {
    let calls = rig.calls().into_iter().filter(|call| call.partition == partition && call.offsets.len() <= most);
    calls.flat_map(|call| call.offsets).collect()
}

#[tokio::test(start_paused = true)]
async fn a_function_that_times_out_with_many_records_gets_fewer_and_all_are_delivered_in_order() {
    let mut rig = rig(200);
    rig.lambda.times_out_above(Some((MOST, TIMEOUT)));
    let mut fed = [0; 2];
    feed(&mut rig, 600, &mut fed).await;
    rig.pass(SECOND * 60).await;
    for (partition, fed) in [(0, fed[0]), (1, fed[1])] {
        assert_eq!(delivered(&rig, partition, MOST), (0..fed).collect::<Vec<_>>(), "each once, in order");
    }
    assert_eq!((rig.commit(), rig.dead_letters().len(), rig.overlaps()), (vec![(0, fed[0]), (1, fed[1])], 0, 0));
    let too_large = rig.calls().iter().filter(|call| call.offsets.len() > MOST).count();
    assert!((4..=30).contains(&too_large), "{too_large} of {} invocations timed out", rig.calls().len());
    assert!((8..=MOST * 2).contains(&rig.batch_limit().records()), "{}", rig.batch_limit().records());
    let late = rig.calls().split_off(rig.calls().len() * 3 / 4);
    let small = late.iter().filter(|call| call.offsets.len() <= MOST).count();
    assert!(small * 100 >= late.len() * 95, "{small} of the last {} were small enough", late.len());
}

#[tokio::test(start_paused = true)]
async fn batches_are_as_large_as_before_when_the_function_can_do_them_again() {
    let mut rig = rig(80);
    rig.lambda.times_out_above(Some((5, TIMEOUT)));
    let mut fed = [0; 2];
    feed(&mut rig, 100, &mut fed).await;
    assert!(rig.batch_limit().records() <= 10, "{}", rig.batch_limit().records());
    rig.pass(SECOND * 60).await;
    rig.receive(0, fed[0]..fed[0] + 40);
    fed[0] += 40;
    rig.turn().await;
    let closed = rig.desk.standings()[0].outstanding;
    assert!(closed >= 4, "40 records are {closed} batches: new ones have the limit of now");
    rig.lambda.times_out_above(None);
    let before = rig.calls().len();
    feed(&mut rig, 600, &mut fed).await;
    rig.pass(SECOND * 20).await;
    assert_eq!((rig.batch_limit().records(), rig.commit()), (80, vec![(0, fed[0]), (1, fed[1])]));
    let full = rig.calls()[before..].iter().filter(|call| call.offsets.len() == 80).count();
    assert!(full > 50, "{full} full batches after the fault");
    assert!(rig.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn throttling_and_function_errors_do_not_make_batches_smaller() {
    let mut rig = rig(20);
    for class in [FailureClass::Throttled, FailureClass::Transient, FailureClass::FunctionError] {
        rig.script([Answer::Fail(class), Answer::Fail(class)]);
    }
    feed(&mut rig, 50, &mut [0; 2]).await;
    assert_eq!((rig.batch_limit().records(), rig.meters.batch_limit(FUNCTION).shrunk.get()), (20, 0));
}
