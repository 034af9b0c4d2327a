//! `consumer.start = "latest"` on Kafka itself: what comes while nobody reads, or into partitions that are added, is not skipped.

use crate::admin::{Admin, sum};
use crate::recorder::Recorder;
use crate::world::World;
use crate::{DEADLINE, PARTITIONS, TOPIC};
use kafka_client::topics;

fn latest() -> (&'static str, String) {
    ("CONSUMER__START", "latest".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_a_consumer_restarts_that_has_read_nothing_is_read() {
    let mut world = World::on_kafka();
    world.produce(200, 0);
    let (recorder, admin) = (Recorder::default(), Admin::new());
    let running = world.start_with("", &recorder, &[latest(), admin.setting()]);
    admin.wait_for(|status| status["not_ready"].is_null() && sum(status, "lag_seconds") == 0.0).await;
    world.wait_committed().await;
    running.stop().await;
    world.produce(100, 0);
    let running = world.start_with("", &recorder, &[latest()]);
    recorder.wait_for(100).await;
    world.wait_committed().await;
    running.stop().await;
    assert_eq!(recorder.seen().len(), 100, "what was there at first is skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_added_are_read_from_their_beginning() {
    let mut world = World::on_kafka();
    let (recorder, admin) = (Recorder::default(), Admin::new());
    let refresh = ("KAFKA__METADATA_REFRESH", "5s".to_owned());
    let running = world.start_with("", &recorder, &[latest(), refresh, admin.setting()]);
    admin.wait_for(|status| status["not_ready"].is_null() && sum(status, "lag_seconds") == 0.0).await;
    let grown = 2 * PARTITIONS;
    topics::grow(&world.config("").kafka.admin(), TOPIC, grown, DEADLINE).unwrap();
    world.produce(2_000, 0);
    admin.wait_for(|_| recorder.seen().len() >= 2_000).await;
    let all =
        |status: &serde_json::Value| status["assignment"].as_array().is_some_and(|all| all.len() == grown as usize);
    admin.wait_for(all).await;
    running.stop().await;
    assert!(recorder.seen().iter().any(|seen| seen.partition >= PARTITIONS), "nothing was written to them");
}
