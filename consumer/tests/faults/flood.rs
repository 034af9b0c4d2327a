//! A function that fails at everything, and a partition of which everything is at fault: partitions stop with their offsets intact.

use crate::DEADLINE;
use crate::brain::Fault;
use crate::consumer::Consumer;
use crate::world::{PARTITIONS, World};
use domain::headers::dead_letter as header;
use localenv::lambda_host::{Fault as HostFault, Rule, When};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const IN_A_ROW: i64 = 5;
/// In every event of the topic, and in no traffic.
const MARK: &str = "\"BR";

/// Waits until all partitions are stopped for this reason; says why the consumer is not ready.
async fn stopped(consumer: &Consumer, reason: &str) {
    let all = |status: &Value| {
        let stopped = status["flood"].as_array().map_or(&[][..], |all| all);
        stopped.len() == PARTITIONS as usize && stopped.iter().all(|one| one["why"].as_str().unwrap().contains(reason))
    };
    let status = consumer.wait_for("all partitions stopped", all).await;
    let why = status["not_ready"].as_str().unwrap();
    let named = (0..PARTITIONS).all(|partition| why.contains(&format!("flood/{partition} is stopped")));
    assert!(named && why.contains(reason), "{why}");
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    let until = Instant::now() + DEADLINE;
    while consumer.ask("GET /readyz").0 != 503 {
        looks.tick().await;
        assert!(Instant::now() < until, "still ready");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_always_fails_stops_the_partitions_with_offsets_intact_and_they_go_on_when_it_is_mended() {
    let mut world = World::embedded("flood").await;
    let always =
        HostFault::FunctionError { when: When::Before, error_type: "Runtime.ExitError".into(), message: "no".into() };
    world.host.add_fault(Rule::always(always)).unwrap();
    let consumer = world.start(&[]);
    world.produce(600);
    stopped(&consumer, "nothing shows that it takes others").await;
    let (begun, before) = (Instant::now(), world.brain.calls().len());
    world.produce_for(Duration::from_secs(10), 5).await;
    assert!(world.reader.committed_and_ends().iter().all(|(next, _)| *next == 0), "an offset moved");
    // Each partition looks now and then: on average every half of retry.cap.
    let (calls, seconds) = (world.brain.calls().len() - before, begun.elapsed().as_secs_f64());
    assert!(calls as f64 <= f64::from(PARTITIONS) * (2.0 + seconds / 2.5) * 1.5, "{calls} calls in {seconds} s");
    stopped(&consumer, "nothing shows that it takes others").await;

    world.host.clear_faults();
    world.assert_recovered().await;
    consumer.wait_for("ready", |status| status["not_ready"].is_null()).await;
    let log = consumer.stop().await;
    log.find("the partition is stopped with its offsets intact");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_at_whose_records_the_function_fails_stops_and_opening_it_finishes_everything_once() {
    let mut world = World::embedded("flood").await;
    world.brain.mark(MARK, Fault::Function("exits"));
    let settings = [
        world.both_topics(),
        ("FLOOD__IN_A_ROW", IN_A_ROW.to_string()),
        ("BATCH__RECORDS", "8".into()),
        ("RETRY__BASE", "20ms".into()),
        ("RETRY__CAP", "40ms".into()),
        ("RETRY__SUSPECT_AFTER", "1".into()),
        ("RETRY__ATTEMPTS", "6".into()),
    ];
    let consumer = world.start(&settings);
    let traffic = world.traffic_beside();
    world.produce(600);
    stopped(&consumer, "5 dead letters in a row").await;

    // Each partition stands before its first record that is not set aside, and stays there without a call.
    let set_aside = |world: &World| world.reader.dead_letters();
    assert_eq!(set_aside(&world), IN_A_ROW * i64::from(PARTITIONS));
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    while world.reader.committed_and_ends().iter().any(|(next, _)| *next != IN_A_ROW) {
        looks.tick().await;
        assert!(world.reader.committed_and_ends().iter().all(|(next, _)| *next <= IN_A_ROW));
    }
    let calls = world.brain.marked_calls();
    world.produce_for(Duration::from_secs(2), 5).await;
    assert_eq!((world.brain.marked_calls(), set_aside(&world)), (calls, IN_A_ROW * i64::from(PARTITIONS)));
    stopped(&consumer, "5 dead letters in a row").await;

    world.brain.mark("nothing", Fault::ResetBefore);
    let (code, opened) = consumer.ask("POST /control/flood");
    assert_eq!(code, 200);
    assert_eq!(serde_json::from_str::<Value>(&opened).unwrap().as_array().unwrap().len(), 3, "{opened}");
    let others = traffic.end();
    world.wait_committed(DEADLINE).await;
    consumer.wait_for("ready", |status| status["not_ready"].is_null()).await;
    let letters = world.reader.letters();
    let places: BTreeSet<_> =
        letters.iter().map(|one| (one.text(header::PARTITION), one.text(header::OFFSET))).collect();
    assert_eq!(places.len(), letters.len(), "a record was set aside twice");
    // What stood before the guard in each partition was decided before.
    assert!(letters.len() as i64 <= (IN_A_ROW + 1) * i64::from(PARTITIONS), "{}", letters.len());
    consumer.wait_for("no lag", |status| crate::admin::sum(status, "lag_records") == 0.0).await;
    let seen = world.collector.snapshot();
    let made = world.events.made() + others;
    assert_eq!(seen.first_deliveries + letters.len() as u64, made, "each record met one fate");
    assert_eq!((seen.duplicates, seen.order_violations), (0, 0));
    let log = consumer.stop().await;
    assert_eq!(log.find("dead letters flood")["offset"], IN_A_ROW);
    log.find("the record fails by itself");
    log.find("opened: dead letters are written again");
}
