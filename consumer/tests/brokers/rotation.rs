//! New certificates while records come: another client takes over, and no partition moves.

use crate::recorder::{Recorder, Seen};
use crate::world::World;
use crate::{DEADLINE, PARTITIONS, assert_order_per_key};
use localenv::authority::Identity;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

fn put(folder: &Path, identity: &Identity) {
    for (from, name) in [(&identity.certificate, "client.crt"), (&identity.key, "client.key")] {
        std::fs::copy(from, folder.join("beside")).unwrap();
        std::fs::rename(folder.join("beside"), folder.join(name)).unwrap();
    }
}

/// What the consumer says of itself.
fn client_changes(folder: &Path) -> Option<u64> {
    let mut stream = TcpStream::connect(std::fs::read_to_string(folder.join("admin")).ok()?.trim()).ok()?;
    stream.set_read_timeout(Some(DEADLINE)).ok()?;
    stream.write_all(b"GET /status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    status["client_changes"].as_u64()
}

/// Keeps records coming until so many clients have taken over.
async fn produce_until_changed(world: &mut World, folder: &Path, times: u64) {
    let mut paces = tokio::time::interval(Duration::from_millis(100));
    let until = Instant::now() + DEADLINE;
    while client_changes(folder) != Some(times) {
        assert!(Instant::now() < until, "{:?} of {times} changes", client_changes(folder));
        paces.tick().await;
        world.produce(200, 0);
    }
}

fn owners(seen: &[Seen]) -> BTreeMap<i32, BTreeSet<u32>> {
    let mut owners: BTreeMap<i32, BTreeSet<u32>> = BTreeMap::new();
    for record in seen {
        owners.entry(record.partition).or_default().insert(record.instance);
    }
    owners
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rotations_under_load_move_no_partition_and_repeat_nothing() {
    let (mut world, folder) = (World::on_kafka(), tempfile::tempdir().unwrap());
    put(folder.path(), world.kafka().admin());
    // The other one keeps the certificates of the beginning, so that partitions have somewhere to go.
    let recorder = Recorder { latency: Duration::from_millis(20), ..Recorder::default() };
    let other = world.start("other", &recorder.of_instance(2));
    world.produce_until_met(&recorder, 2).await;
    world.certificates_in(folder.path());
    let rotated = world.start("rotated", &recorder.of_instance(1));
    world.produce_until_met(&recorder, 1).await;
    let settled = world.produced();
    recorder.wait_for(settled).await;
    let before = recorder.seen().len();

    for times in 1..=2 {
        put(folder.path(), &world.kafka().authority().issue("admin").unwrap());
        produce_until_changed(&mut world, folder.path(), times).await;
        world.produce(2_000, 0);
        let produced = world.produced();
        recorder.wait_for(produced).await;
    }
    world.wait_committed().await;
    rotated.stop().await;
    other.stop().await;
    let seen = recorder.seen();
    assert_eq!(seen.len(), world.produced(), "a duplicate although every client was drained");
    assert_order_per_key(&seen);
    let owners = owners(&seen[before..]);
    assert_eq!(owners.len(), PARTITIONS as usize);
    assert!(owners.values().all(|instances| instances.len() == 1), "a partition moved: {owners:?}");
    let all: BTreeSet<u32> = owners.values().flatten().copied().collect();
    assert_eq!(all.len(), 2, "both had some: {owners:?}");
}
