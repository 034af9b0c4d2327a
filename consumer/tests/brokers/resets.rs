//! Places where nothing may be skipped in silence: rights that were missing for a while, and an offset that the log does not have.

use crate::admin::{Admin, sum};
use crate::lag::delete_half;
use crate::recorder::{Recorder, Seen};
use crate::world::{World, topics};
use crate::{DEADLINE, PARTITIONS, TOPIC, first_offsets};
use localenv::broker::embedded::EmbeddedBroker;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeSet;
use std::time::Duration;

fn distinct(seen: &[Seen]) -> usize {
    seen.iter().map(|record| (record.partition, record.offset)).collect::<BTreeSet<_>>().len()
}

/// In a rebalance librdkafka pauses whatever stays, and goes on where it takes the reader to stand.
#[tokio::test(flavor = "multi_thread")]
async fn rights_that_were_missing_for_a_while_and_a_rebalance_skip_no_record() {
    let mut world = World::new();
    world.produce(200, 0);
    let (recorder, admin) = (Recorder::default(), Admin::new());
    let first = world.start_with("", &recorder, &[admin.setting()]);
    recorder.wait_for(200).await;
    let refusals = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 10_000];
    let mock = |world: &World, refuse: bool| {
        let broker = world.broker.downcast_ref::<EmbeddedBroker>().unwrap().mock().unwrap();
        if refuse {
            broker.request_errors(RDKafkaApiKey::Fetch, &refusals);
        } else {
            broker.clear_request_errors(RDKafkaApiKey::Fetch);
        }
    };
    mock(&world, true);
    let all = |status: &serde_json::Value| {
        let why = status["not_ready"].as_str().unwrap_or_default();
        (0..PARTITIONS).all(|partition| why.contains(&format!("Kafka refuses us {TOPIC}/{partition}")))
    };
    admin.wait_for(all).await;
    world.produce(200, 0);
    let second = world.start("", &recorder);
    admin.wait_for(|status| status["assignment"].as_array().is_some_and(|all| all.len() < PARTITIONS as usize)).await;
    mock(&world, false);
    recorder.wait_until(|seen| distinct(seen) == 400).await;
    admin.wait_for(|status| status["not_ready"].is_null()).await;
    // A commit into the rebalance that a stop begins would be refused.
    world.wait_committed().await;
    second.stop().await;
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_beyond_the_end_is_an_alarm_and_goes_back() {
    let mut world = World::on_kafka();
    world.produce(200, 0);
    let mut beyond = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        beyond.add_partition_offset(TOPIC, partition, Offset::Offset(1_000)).unwrap();
    }
    world.client("g").commit(&beyond, CommitMode::Sync).unwrap();
    let (recorder, admin) = (Recorder::default(), Admin::new());
    let running = world.start_with("", &recorder, &[admin.setting()]);
    recorder.wait_for(200).await;
    world.wait_committed().await;
    let status = admin.wait_for(|status| sum(status, "lag_records") == 0.0).await;
    assert!(status["not_ready"].as_str().unwrap().contains("ends before offset 1000"), "{status}");
    let counted = format!("comboio_consumer_poll_log_resets_total {PARTITIONS}\n");
    assert!(admin.get("/metrics").unwrap().contains(&counted));
    running.stop().await;
    assert_eq!(recorder.seen().len(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_anew_under_a_consumer_is_read_from_its_beginning_and_committed_there() {
    let mut world = World::on_kafka();
    world.produce(2_000, 0);
    let recorder = Recorder::default();
    let running = world.start("", &recorder);
    recorder.wait_for(2_000).await;
    world.wait_committed().await;
    world.kafka().delete_topics(&[TOPIC.to_owned()]).unwrap();
    world.kafka().create_topics(&topics()[..1]).unwrap();
    world.produce(400, 0);
    recorder.wait_for(2_400).await;
    world.wait_committed().await;
    running.stop().await;
    assert_eq!(distinct(&recorder.seen()[2_000..]), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_start_at_the_end_skips_after_a_loss_is_counted() {
    let mut world = World::on_kafka();
    world.produce(200, 0);
    let (recorder, admin) = (Recorder::default(), Admin::new());
    let running = world.start("", &recorder);
    recorder.wait_for(200).await;
    world.wait_committed().await;
    running.stop().await;
    world.produce(400, 0);
    let before = world.committed_and_ends();
    delete_half(&world).await;
    let latest = ("CONSUMER__START", "latest".to_owned());
    let running = world.start_with("", &recorder, &[admin.setting(), latest]);
    let mut paces = tokio::time::interval(Duration::from_millis(200));
    let met = |seen: &[Seen]| first_offsets(&seen[200..]).len() == PARTITIONS as usize;
    let in_time = tokio::time::timeout(DEADLINE, async {
        while !met(&recorder.seen()) {
            paces.tick().await;
            world.produce(100, 0);
        }
    });
    in_time.await.expect("records come again");
    let first = first_offsets(&recorder.seen()[200..]);
    let skipped: i64 = first.iter().map(|(partition, offset)| offset - before[*partition as usize].0).sum();
    assert!(skipped >= 400, "{skipped}");
    admin.wait_for(|status| sum(status, "lost_by_retention") == skipped as f64).await;
    let counted = format!("comboio_consumer_poll_lost_by_retention_records_total {skipped}\n");
    assert!(admin.get("/metrics").unwrap().contains(&counted));
    running.stop().await;
}
