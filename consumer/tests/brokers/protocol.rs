//! A group that the brokers form (KIP-848), on Kafka itself: partitions move without loss or duplicate, and static members keep theirs.

use crate::recorder::{Recorder, Seen};
use crate::world::World;
use crate::{DEADLINE, PARTITIONS, TOPIC, assert_order_per_key};
use localenv::process::Guarded;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn by_brokers() -> [(&'static str, String); 2] {
    [("CONSUMER__PROTOCOL", "consumer".into()), ("CONSUMER__ASSIGNOR", "uniform".into())]
}

fn owners(seen: &[Seen]) -> BTreeMap<i32, BTreeSet<u32>> {
    let mut owners = BTreeMap::<i32, BTreeSet<u32>>::new();
    for record in seen {
        owners.entry(record.partition).or_default().insert(record.instance);
    }
    owners
}

/// Produces and has everything delivered.
async fn carry(world: &mut World, recorder: &Recorder, records: i64) {
    world.produce(records, 0);
    recorder.wait_for(world.produced()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_of_a_group_of_the_brokers_move_without_loss_or_duplicate() {
    let mut world = World::on_kafka();
    let recorder = Recorder { latency: Duration::from_millis(100), ..Recorder::default() };
    let first = world.start_with("", &recorder.of_instance(1), &by_brokers());
    world.produce_until_met(&recorder, 1).await;
    let second = world.start_with("", &recorder.of_instance(2), &by_brokers());
    world.produce_until_met(&recorder, 2).await;
    let third = world.start_with("", &recorder.of_instance(3), &by_brokers());
    // The group is moving when the first one goes.
    first.stop().await;
    world.produce_until_met(&recorder, 3).await;
    carry(&mut world, &recorder, 2_000).await;
    world.wait_committed().await;
    second.stop().await;
    third.stop().await;
    let seen = recorder.seen();
    assert_eq!(seen.len(), world.produced(), "a duplicate although every hand-over was drained");
    assert_order_per_key(&seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_member_finds_its_partitions_again_after_a_restart() {
    let mut world = World::on_kafka();
    let recorder = Recorder { latency: Duration::from_millis(20), ..Recorder::default() };
    let other = world.start_with("other", &recorder.of_instance(2), &by_brokers());
    world.produce_until_met(&recorder, 2).await;
    let before = world.start_with("restarted", &recorder.of_instance(1), &by_brokers());
    world.produce_until_met(&recorder, 1).await;
    let settled = recorder.seen().len();
    carry(&mut world, &recorder, 2_000).await;
    let owned = owners(&recorder.seen()[settled..]);
    before.stop().await;

    let left = recorder.seen().len();
    let after = world.start_with("restarted", &recorder.of_instance(3), &by_brokers());
    carry(&mut world, &recorder, 2_000).await;
    world.wait_committed().await;
    after.stop().await;
    other.stop().await;
    let seen = recorder.seen();
    assert_eq!(seen.len(), world.produced());
    assert_order_per_key(&seen);
    let renamed = |instance: &u32| if *instance == 1 { 3 } else { *instance };
    let expected: BTreeMap<i32, BTreeSet<u32>> =
        owned.into_iter().map(|(partition, by)| (partition, by.iter().map(renamed).collect())).collect();
    assert_eq!(owners(&seen[left..]), expected);
    assert_eq!(expected.len(), PARTITIONS as usize);
}

/// A consumer as a process of its own, which can be killed.
struct Process {
    process: Guarded,
    folder: TempDir,
}

impl Process {
    fn start(world: &World) -> Self {
        let folder = TempDir::new().unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_comboio-consumer"));
        program.arg("run").env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
        let settings = [
            ("CONSUMER__GROUP", "g".into()),
            ("CONSUMER__TOPICS", TOPIC.into()),
            ("CONSUMER__INSTANCE_ID", "killed".into()),
            ("FUNCTION__NAME", "dispatcher".into()),
            // Nothing listens there.
            ("FUNCTION__ENDPOINT_URL", "http://127.0.0.1:9".into()),
        ];
        let settings = world.connection.iter().cloned().chain(settings).chain(by_brokers());
        program.envs(settings.map(|(key, value)| (format!("COMBOIO_{key}"), value)));
        let process = Guarded::spawn("consumer", program, &folder.path().join("log")).unwrap();
        Self { process, folder }
    }

    fn wait_for(&mut self, words: &str) {
        let said = |folder: &TempDir| std::fs::read_to_string(folder.path().join("log")).unwrap();
        let until = Instant::now() + DEADLINE;
        while !said(&self.folder).contains(words) {
            let alive = self.process.exited().unwrap().is_none();
            assert!(alive && Instant::now() < until, "no `{words}`: {}", said(&self.folder));
            self.process.wait_exit(Duration::from_millis(20)).unwrap();
        }
    }
}

#[test]
fn a_static_member_that_was_killed_waits_until_kafka_lets_its_name_go() {
    let world = World::on_kafka();
    let mut first = Process::start(&world);
    first.wait_for("partitions assigned");
    first.process.kill().unwrap();
    let mut second = Process::start(&world);
    second.wait_for("Kafka keeps the place of consumer.instance_id");
    second.wait_for("partitions assigned");
    assert_eq!(second.process.stop(DEADLINE).unwrap().code(), Some(0));
}
