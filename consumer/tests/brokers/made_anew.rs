//! A topic that is deleted and made anew while it is read, and whose new log is as long as the old one before anybody looks.

use crate::admin::{Admin, sum};
use crate::recorder::{Recorder, Seen};
use crate::world::{World, topics};
use crate::{PARTITIONS, TOPIC};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeSet;

const FIRST: i64 = 400;

fn distinct(seen: &[Seen]) -> usize {
    seen.iter().map(|record| (record.key, record.seq)).collect::<BTreeSet<_>>().len()
}

/// `FIRST` records are read, and the topic has `count` others at once. The function knows by its fences what was finished: of the old topic.
async fn made_anew_with(count: i64, more: &[(&'static str, String)]) {
    let mut world = World::on_kafka();
    let (recorder, admin) = (Recorder::fenced(), Admin::new());
    let settings = [more, &[admin.setting()]].concat();
    world.produce(FIRST, 0);
    let mut beginning = TopicPartitionList::new();
    (0..PARTITIONS).for_each(|at| _ = beginning.add_partition_offset(TOPIC, at, Offset::Offset(0)));
    world.client("g").commit(&beginning, CommitMode::Sync).unwrap();
    let running = world.start_with("", &recorder, &settings);
    recorder.wait_for(FIRST as usize).await;
    world.wait_committed().await;
    world.kafka().delete_topics(&[TOPIC.to_owned()]).unwrap();
    world.kafka().create_topics(&topics()[..1]).unwrap();
    world.produce(count, 0);
    recorder.wait_until(|seen| distinct(seen) == (FIRST + count) as usize).await;
    world.wait_committed().await;
    let status = admin.wait_for(|status| sum(status, "lag_records") == 0.0).await;
    let why = status["not_ready"].as_str().unwrap_or_default();
    assert!(why.contains("was deleted and made anew"), "{status}");
    let metrics = admin.get("/metrics").unwrap();
    assert!(!metrics.contains("comboio_consumer_poll_log_resets_total 0\n"));
    assert!(
        metrics.contains("comboio_consumer_poll_lost_by_retention_records_total 0\n"),
        "nothing is skipped on purpose"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_anew_with_as_many_records_loses_none() {
    made_anew_with(FIRST, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_anew_with_a_few_records_more_loses_none() {
    made_anew_with(FIRST + 40, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_anew_with_three_times_as_many_records_loses_none_at_any_start() {
    for start in ["earliest", "latest"] {
        made_anew_with(3 * FIRST, &[("CONSUMER__START", start.to_owned())]).await;
    }
}
