//! A function that fails always: the guard stops the partitions, and when it is mended and somebody opens them, all has met one fate.

use crate::DEADLINE;
use crate::consumer::Consumer;
use crate::world::{PARTITIONS, World};
use domain::headers::dead_letter as header;
use localenv::lambda_host::{Fault, Rule, When};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const IN_A_ROW: i64 = 5;

async fn stopped(consumer: &Consumer) {
    let all =
        |status: &serde_json::Value| status["flood"].as_array().is_some_and(|all| all.len() == PARTITIONS as usize);
    let status = consumer.wait_for("all partitions stopped", all).await;
    let why = status["not_ready"].as_str().unwrap();
    let named = (0..PARTITIONS).all(|partition| why.contains(&format!("flood/{partition} is stopped")));
    assert!(named && why.contains("5 dead letters in a row"), "{why}");
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    let until = Instant::now() + DEADLINE;
    while consumer.ask("GET /readyz").0 != 503 {
        looks.tick().await;
        assert!(Instant::now() < until, "still ready");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_always_fails_stops_the_partitions_and_opening_them_finishes_everything_once() {
    let mut world = World::embedded("flood").await;
    let always =
        Fault::FunctionError { when: When::Before, error_type: "Runtime.ExitError".into(), message: "no".into() };
    world.host.add_fault(Rule::always(always)).unwrap();
    let settings = [
        ("FLOOD__IN_A_ROW", IN_A_ROW.to_string()),
        ("BATCH__RECORDS", "8".into()),
        ("RETRY__BASE", "1ms".into()),
        ("RETRY__CAP", "2ms".into()),
        ("RETRY__SUSPECT_AFTER", "1".into()),
        ("RETRY__ATTEMPTS", "4".into()),
    ];
    let consumer = world.start(&settings);
    world.produce(600);
    stopped(&consumer).await;

    // Each partition stands before its first record that is not set aside, and stays there without a call.
    let set_aside = |world: &World| world.reader.dead_letters();
    assert_eq!(set_aside(&world), IN_A_ROW * i64::from(PARTITIONS));
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    while world.reader.committed_and_ends().iter().any(|(next, _)| *next != IN_A_ROW) {
        looks.tick().await;
        assert!(world.reader.committed_and_ends().iter().all(|(next, _)| *next <= IN_A_ROW));
    }
    let calls = world.brain.calls().len();
    world.produce_for(Duration::from_secs(2), 5).await;
    assert_eq!((world.brain.calls().len(), set_aside(&world)), (calls, IN_A_ROW * i64::from(PARTITIONS)));
    stopped(&consumer).await;

    world.host.clear_faults();
    let (code, opened) = consumer.ask("POST /control/flood");
    assert_eq!(code, 200);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&opened).unwrap().as_array().unwrap().len(), 3, "{opened}");
    world.wait_committed(DEADLINE).await;
    consumer.wait_for("ready", |status| status["not_ready"].is_null()).await;
    let letters = world.reader.letters();
    let places: BTreeSet<_> =
        letters.iter().map(|one| (one.text(header::PARTITION), one.text(header::OFFSET))).collect();
    assert_eq!(places.len(), letters.len(), "a record was set aside twice");
    // What stood before the guard in each partition was decided before.
    assert!(letters.len() as i64 <= (IN_A_ROW + 1) * i64::from(PARTITIONS), "{}", letters.len());
    let seen = world.collector.snapshot();
    assert_eq!(seen.first_deliveries + letters.len() as u64, world.events.made(), "each record met one fate");
    assert_eq!((seen.duplicates, seen.order_violations), (0, 0));
    let log = consumer.stop().await;
    assert_eq!(log.find("dead letters flood")["offset"], IN_A_ROW);
    log.find("the record fails by itself");
    log.find("opened: dead letters are written again");
}
