//! A pause by the admin port on Kafka itself: over a rebalance, with an honest lag, and until somebody resumes.

use crate::admin::Admin;
use crate::recorder::Recorder;
use crate::world::World;
use crate::{DEADLINE, PARTITIONS, TOPIC, assert_order_per_key};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The partition that is paused.
const PAUSED: i32 = 0;

/// How it stands in /status, where it is owned.
fn paused(status: &Value) -> Option<&Value> {
    status["assignment"].as_array()?.iter().find(|partition| partition["partition"] == PAUSED)
}

fn owned(status: &Value) -> usize {
    status["assignment"].as_array().map_or(0, Vec::len)
}

fn lag(status: &Value) -> f64 {
    paused(status).and_then(|one| one["lag_seconds"].as_f64()).unwrap_or_default()
}

/// As soon as the admin port is open: long before the first assignment.
async fn pause(admin: &Admin) -> String {
    let until = Instant::now() + DEADLINE;
    let mut tries = tokio::time::interval(Duration::from_millis(5));
    loop {
        tries.tick().await;
        let order = format!(r#"{{"topic":"{TOPIC}","partition":{PAUSED}}}"#);
        if let Some((200, said)) = admin.ask("POST", "/control/pause", &order) {
            return said;
        }
        assert!(Instant::now() < until, "the admin port does not open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_partition_stays_so_over_a_rebalance_and_lags_honestly_until_it_is_resumed() {
    let mut world = World::on_kafka();
    world.produce(400, 0);
    let (recorder, first_admin, second_admin) = (Recorder::default(), Admin::new(), Admin::new());
    let first = world.start_with("", &recorder.of_instance(1), &[first_admin.setting()]);
    recorder.wait_for(400).await;
    world.wait_committed().await;
    let said = pause(&first_admin).await;
    assert!(said.contains(r#""partition":0,"since_ms":"#) && said.contains(r#""but_not":[]"#), "{said}");
    first_admin
        .wait_for(|status| paused(status).is_some_and(|one| one["paused"] == true && one["paused_by_hand"] == true))
        .await;

    let delivered = recorder.seen().iter().filter(|record| record.partition == PAUSED).count();
    world.produce(400, 0);
    let of_others: i64 = world.committed_and_ends()[1..].iter().map(|(_, end)| *end).sum();
    recorder.wait_until(|seen| seen.iter().filter(|one| one.partition != PAUSED).count() as i64 == of_others).await;
    // A second member takes partitions and gives them back: what comes back is as it was.
    let second = world.start_with("", &recorder.of_instance(2), &[second_admin.setting()]);
    pause(&second_admin).await;
    first_admin.wait_for(|status| owned(status) < PARTITIONS as usize).await;
    second_admin.wait_for(|status| owned(status) > 0).await;
    second.stop().await;
    let back = |status: &Value| {
        owned(status) == PARTITIONS as usize && paused(status).is_some_and(|one| one["paused"] == true)
    };
    let status = first_admin.wait_for(|status| back(status) && lag(status) > 2.0).await;
    assert_eq!((&status["not_ready"], &status["paused_by_hand"]["paused"][0]["topic"]), (&Value::Null, &TOPIC.into()));
    assert_eq!(first_admin.ask("GET", "/readyz", "").unwrap().0, 200);
    first_admin.wait_for(|later| lag(later) >= lag(&status) + 1.0).await;
    assert!(first_admin.get("/metrics").unwrap().contains("comboio_consumer_poll_paused_by_hand_partitions 1\n"));
    let still = recorder.seen().iter().filter(|record| record.partition == PAUSED).count();
    assert_eq!(still, delivered, "something of the paused partition was delivered");

    assert_eq!(first_admin.post("/control/resume", ""), "{\"but_not\":[],\"paused\":[]}\n");
    recorder.wait_for(800).await;
    world.wait_committed().await;
    first.stop().await;
    assert_order_per_key(&recorder.seen());
    assert_eq!(recorder.seen().len(), 800);
}
