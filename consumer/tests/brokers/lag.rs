//! The lag on Kafka itself: a function that stands still, a rebalance under way, and records that retention deletes.

use crate::admin::{Admin, each, sum};
use crate::recorder::Recorder;
use crate::world::{Running, World};
use crate::{DEADLINE, PARTITIONS, TOPIC};
use kafka_client::context::ObservedContext;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::{Offset, TopicPartitionList};
use runtime::clock::{Clock, SystemClock};
use runtime::exit::Exit;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const STANDSTILL: Duration = Duration::from_secs(5);

/// Reads everything and commits it; every partition has no lag then, and says so.
async fn catch_up(world: &World, records: usize) {
    let (recorder, admin) = (Recorder::default(), Admin::new());
    let running = world.start_with("", &recorder, &[admin.setting()]);
    recorder.wait_for(records).await;
    world.wait_committed().await;
    let status = admin.wait_for(|status| sum(status, "lag_seconds") == 0.0 && sum(status, "lag_records") == 0.0).await;
    assert_eq!(each(&status, "lag_seconds").len(), PARTITIONS as usize);
    let metrics = admin.get("/metrics").unwrap();
    let measured = metrics.lines().find(|line| line.starts_with("comboio_consumer_commit_from_broker_seconds_count"));
    assert!(measured.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
    running.stop().await;
}

/// Deletes the first half of what is not committed; gives how many that are.
pub async fn delete_half(world: &World) -> i64 {
    let client: AdminClient<ObservedContext> =
        world.config("").kafka.admin().create_with_context(ObservedContext::default()).unwrap();
    let (mut list, mut deleted) = (TopicPartitionList::new(), 0);
    for (partition, (committed, end)) in (0..PARTITIONS).zip(world.committed_and_ends()) {
        let half = (end - committed) / 2;
        list.add_partition_offset(TOPIC, partition, Offset::Offset(committed + half)).unwrap();
        deleted += half;
    }
    client.delete_records(&list, &AdminOptions::new()).await.unwrap();
    assert!(deleted > 0);
    deleted
}

async fn end_of(running: Running) -> runtime::exit::Failure {
    tokio::time::timeout(DEADLINE, running.end).await.expect("ends in time").unwrap().unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standstill_shows_as_seconds_also_while_partitions_move() {
    let mut world = World::on_kafka();
    world.produce(200, 0);
    catch_up(&world, 200).await;
    let (recorder, admin) = (Recorder { latency: STANDSTILL, ..Recorder::default() }, Admin::new());
    let first = world.start_with("", &recorder, &[admin.setting()]);
    admin.wait_for(|status| status["assignment"].as_array().is_some_and(|all| all.len() == PARTITIONS as usize)).await;
    let before_ms = SystemClock.wall_ms();
    world.produce(40, 0);
    let after_ms = SystemClock.wall_ms();
    // A second member takes half of the partitions while the function holds their records: a rebalance that drains.
    let second = world.start("", &recorder);
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    let (mut most, mut compared) = (0.0_f64, 0);
    while recorder.seen().is_empty() {
        looks.tick().await;
        let (asked_ms, status) = (SystemClock.wall_ms(), admin.status().unwrap());
        let oldest = each(&status, "lag_seconds").into_iter().fold(0.0, f64::max);
        let now_ms = SystemClock.wall_ms();
        if recorder.seen().is_empty() && now_ms - after_ms > 500 {
            let (least, allowed) =
                ((asked_ms - after_ms) as f64 / 1_000.0 - 1.0, (now_ms - before_ms) as f64 / 1_000.0 + 1.0);
            assert!(oldest >= least && oldest <= allowed, "{oldest} s, in truth {least} to {allowed} with a second");
            (most, compared) = (most.max(oldest), compared + 1);
        }
    }
    assert!(most > 4.0 && compared > 10, "{most} s in {compared} looks");
    recorder.wait_for(40).await;
    world.wait_committed().await;
    admin.wait_for(|status| sum(status, "lag_seconds") == 0.0 && sum(status, "lag_records") == 0.0).await;
    first.stop().await;
    second.stop().await;
}

/// Seconds of lag by partition, as `/status` has them.
fn said(status: &Value) -> BTreeMap<i32, f64> {
    let number = |of: &Value| i32::try_from(of["partition"].as_i64().unwrap()).unwrap();
    let all = status["assignment"].as_array().unwrap().iter();
    all.map(|of| (number(of), of["lag_seconds"].as_f64().expect("never absent"))).collect()
}

/// As `/metrics` has them.
fn measured(metrics: &str) -> BTreeMap<i32, f64> {
    let of_ours = |line: &str| {
        let (labels, value) = line.strip_prefix("comboio_consumer_poll_lag_seconds{")?.split_once("} ")?;
        let partition = labels.split(',').find_map(|label| label.strip_prefix("partition=\""))?;
        Some((partition.trim_end_matches('"').parse().unwrap(), value.parse().unwrap()))
    };
    metrics.lines().filter_map(of_ours).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_age_from_a_fifth_of_a_second_to_an_hour_shows_as_seconds() {
    const BUSY: Duration = Duration::from_secs(3);
    let millis = Duration::from_millis;
    let rounds: [&[(i32, Duration)]; 2] = [
        &[(0, millis(200)), (1, millis(1_000)), (2, millis(10_000)), (3, millis(60_000))],
        &[(0, millis(600_000)), (1, millis(3_600_000)), (2, millis(5_000))],
    ];
    let mut world = World::on_kafka();
    world.produce(200, 0);
    catch_up(&world, 200).await;
    let (recorder, admin) = (Recorder { latency: BUSY, ..Recorder::default() }, Admin::new());
    let running = world.start_with("", &recorder, &[admin.setting()]);
    admin.wait_for(|status| status["assignment"].as_array().is_some_and(|all| all.len() == PARTITIONS as usize)).await;
    for ages in rounds {
        let given = recorder.seen().len();
        let before_ms = SystemClock.wall_ms();
        world.produce_aged(ages);
        let after_ms = SystemClock.wall_ms();
        let (mut looks, mut compared) = (tokio::time::interval(Duration::from_millis(200)), 0);
        while recorder.seen().len() == given {
            looks.tick().await;
            let asked_ms = SystemClock.wall_ms();
            let (status, metrics) = (admin.status().unwrap(), admin.get("/metrics").unwrap());
            let now_ms = SystemClock.wall_ms();
            let (said, measured) = (said(&status), measured(&metrics));
            assert_eq!((said.len(), measured.len()), (PARTITIONS as usize, PARTITIONS as usize), "never absent");
            if asked_ms - after_ms < 1_000 || recorder.seen().len() > given {
                continue;
            }
            for (partition, age) in ages {
                let truth = |ms: i64| age.as_secs_f64() + ms as f64 / 1_000.0;
                let (least, most) = (truth(asked_ms - after_ms), truth(now_ms - before_ms));
                let error = f64::max(1.0, 0.02 * least);
                for all in [&said, &measured] {
                    let found = all[partition];
                    let right = found >= least - error && found <= most + error;
                    assert!(right, "{found} s of lag in {partition}, in truth {least} to {most}");
                }
            }
            compared += 1;
        }
        assert!(compared >= 3, "{compared} looks");
        recorder.wait_for(given + ages.len()).await;
        admin.wait_for(|status| sum(status, "lag_seconds") == 0.0).await;
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_deleted_before_they_were_read_are_counted_and_alarmed_or_a_reason_to_stop() {
    let mut world = World::on_kafka();
    world.produce(200, 0);
    catch_up(&world, 200).await;

    world.produce(400, 0);
    let lost = delete_half(&world).await;
    let (recorder, admin) = (Recorder::default(), Admin::new());
    let running = world.start_with("", &recorder, &[admin.setting()]);
    recorder.wait_for(400 - lost as usize).await;
    let status = admin.wait_for(|status| sum(status, "lost_by_retention") == lost as f64).await;
    assert!(status["not_ready"].as_str().unwrap().contains("retention deleted"), "{status}");
    let counted = format!("comboio_consumer_poll_lost_by_retention_records_total {lost}\n");
    assert!(admin.get("/metrics").unwrap().contains(&counted));
    world.wait_committed().await;
    running.stop().await;

    world.produce(400, 0);
    delete_half(&world).await;
    let before = world.committed_and_ends();
    let stopped = end_of(world.start_with("", &recorder, &[("CONSUMER__START", "error".into())])).await;
    assert_eq!(stopped.exit(), Exit::Failed);
    let said = stopped.to_string();
    assert!(
        said.contains("no longer exists") && said.contains("mt-c400/") && said.contains("consumer.start"),
        "{said}"
    );
    assert_eq!(world.committed_and_ends(), before);
}
