//! The destination is down, or hangs: everything waits, nothing is set aside, nobody leaves the group, and then it drains.

use crate::DEADLINE;
use crate::admin::{each, sum};
use crate::consumer::Setting;
use crate::world::{BRIEF, PARTITIONS, World};
use localenv::collector::Collector;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Longer than the group waits for a silent member, and than the client may go unpolled.
const DOWN: Duration = Duration::from_secs(9);

/// What a rebalance would change.
fn membership(status: &Value) -> (Value, Vec<f64>) {
    (status["rebalances"].clone(), each(status, "generation"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_down_is_lag_and_nothing_else() {
    let down =
        |collector: &Collector, down| collector.refuse(if down { 503 } else { 200 }, if down { u64::MAX } else { 0 });
    lag_and_nothing_else(World::on_kafka("destination").await, &[], down).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_hangs_is_lag_and_nothing_else() {
    // Less than it hangs, so that each invocation comes to the end of its time.
    let brief = [("FUNCTION__NAME", BRIEF.to_owned()), ("FUNCTION__TIMEOUT", "2s".into())];
    lag_and_nothing_else(World::on_kafka("hanging").await, &brief, Collector::hang).await;
}

async fn lag_and_nothing_else(mut world: World, more: &[Setting], down: impl Fn(&Collector, bool)) {
    let settings = [
        ("CONSUMER__MAX_POLL_INTERVAL", "6s".to_owned()),
        ("DRAIN__REVOKE", "2s".into()),
        ("BATCH__RECORDS", "100".into()),
    ];
    let consumer = world.start(&[&settings, more].concat());
    consumer.wait_assigned(PARTITIONS as usize).await;
    world.produce(300);
    world.wait_committed(DEADLINE).await;
    let settled = consumer.wait_for("no lag", |status| sum(status, "lag_records") == 0.0).await;
    let before = world.reader.committed_and_ends();

    down(&world.collector, true);
    let begun = Instant::now();
    let (mut records, mut oldest) = (0.0, 0.0);
    while begun.elapsed() < DOWN {
        world.produce_for(Duration::from_secs(1), 20).await;
        let status = consumer.status().unwrap();
        let now = (sum(&status, "lag_records"), each(&status, "lag_seconds").into_iter().fold(0.0, f64::max));
        assert!(now.0 > records && now.1 > oldest, "{now:?} after {records} records and {oldest} s");
        (records, oldest) = now;
        assert_eq!((&status["dead_lettered"], membership(&status)), (&0.into(), membership(&settled)));
    }
    let waits = begun.elapsed().as_secs_f64();
    assert!(oldest > waits - 2.0 && oldest < waits + 1.0, "{oldest} s after {waits} s");
    let produced_meanwhile = world.events.made() - 300;
    assert!(records > produced_meanwhile as f64 * 0.8, "{records} of {produced_meanwhile}");
    assert_eq!(
        world.reader.committed_and_ends().iter().map(|(next, _)| *next).collect::<Vec<_>>(),
        before.iter().map(|(next, _)| *next).collect::<Vec<_>>(),
        "nothing was committed"
    );

    down(&world.collector, false);
    world.assert_recovered().await;
    let status = consumer.wait_for("no lag", |status| sum(status, "lag_records") == 0.0).await;
    assert_eq!(membership(&status), membership(&settled));
    let log = consumer.stop().await;
    log.find("records must come again");
}
