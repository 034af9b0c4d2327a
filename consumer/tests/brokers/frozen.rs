//! Kafka as a whole frozen in its tracks: connections stay open, and nothing is answered.

use crate::PARTITIONS;
use crate::admin::{Admin, each, sum};
use crate::recorder::Recorder;
use crate::world::World;
use localenv::broker::kafka::KafkaCluster;

#[tokio::test(flavor = "multi_thread")]
async fn kafka_that_answers_nothing_is_named_and_the_lag_is_not_nothing() {
    let mut world = World::on_kafka();
    world.produce(200, 0);
    let (recorder, admin) = (Recorder::default(), Admin::new());
    let running = world.start_with("", &recorder, &[admin.setting()]);
    recorder.wait_for(200).await;
    world.wait_committed().await;
    admin.wait_for(|status| status["not_ready"].is_null() && sum(status, "lag_seconds") == 0.0).await;
    world.broker.downcast_mut::<KafkaCluster>().unwrap().freeze(1).unwrap();
    let silent = |status: &serde_json::Value| {
        status["not_ready"].as_str().is_some_and(|why| why.contains("Kafka has answered nothing for 1"))
    };
    let status = admin.wait_for(silent).await;
    assert!(each(&status, "lag_seconds").iter().all(|seconds| *seconds >= 9.0), "{status}");
    let not_ready = |_: &serde_json::Value| {
        let answer = admin.ask("GET", "/readyz", "");
        answer.is_some_and(|(code, body)| code == 503 && body.contains("Kafka has answered nothing for"))
    };
    admin.wait_for(not_ready).await;
    world.broker.downcast_mut::<KafkaCluster>().unwrap().thaw(1).unwrap();
    // Its session was over meanwhile: without partitions there is no lag either.
    let well = |status: &serde_json::Value| status["not_ready"].is_null() && sum(status, "lag_seconds") == 0.0;
    let owned = |status: &serde_json::Value| each(status, "lag_seconds").len();
    admin.wait_for(|status| well(status) && owned(status) == usize::try_from(PARTITIONS).unwrap()).await;
    world.produce(100, 0);
    admin.wait_for(|status| status["delivered"].as_u64() >= Some(300)).await;
    recorder.wait_for(300).await;
    world.wait_committed().await;
    running.stop().await;
}
