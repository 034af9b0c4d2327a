//! One record in 10,000 ends the function's process, while the group rebalances all the time.

use crate::DEADLINE;
use crate::brain::Fault;
use crate::consumer::{Consumer, Setting};
use crate::world::{PARTITIONS, World};
use domain::headers::dead_letter as header;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const RECORDS: usize = 20_000;
const ATTEMPTS: u32 = 16;
/// The truck at whose events the function ends.
const POISON: &str = "BRPOISON";

/// So slow that several owners meet each poison record, and so short a session that a member that goes is noticed.
fn settings() -> Vec<Setting> {
    vec![
        ("RETRY__BASE", "400ms".into()),
        ("RETRY__CAP", "1500ms".into()),
        ("RETRY__ATTEMPTS", ATTEMPTS.to_string()),
        ("BATCH__RECORDS", "200".into()),
        ("DRAIN__REVOKE", "3s".into()),
        ("DRAIN__SHUTDOWN", "3s".into()),
    ]
}

/// Another member joins, has some partitions for a while, and leaves.
async fn visit(world: &World, resident: &Consumer) {
    let guest = world.start(&settings());
    let has_some = |status: &serde_json::Value| status["assignment"].as_array().is_some_and(|all| !all.is_empty());
    guest.wait_for("a partition", has_some).await;
    let mut stays = tokio::time::interval(Duration::from_millis(700));
    stays.tick().await;
    stays.tick().await;
    guest.stop().await;
    resident.wait_assigned(PARTITIONS as usize).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_ends_the_function_is_set_aside_once_after_so_many_attempts_whoever_owns_it() {
    let mut world = World::on_kafka("poison").await;
    world.brain.mark(POISON, Fault::Function("exits"));
    let resident = world.start(&settings());
    resident.wait_assigned(PARTITIONS as usize).await;
    for at in 0..RECORDS {
        let poison = at % 10_000 == 3_000;
        let (key, value) = if poison { world.events.of(POISON.into()) } else { world.events.next() };
        // Each has a key of its own, so that they are on different partitions.
        let key = if poison { format!("poison-{at}") } else { key };
        world.send(&key, &value);
    }
    world.flush();
    // It goes on: a record is at fault when others are answered.
    let traffic = world.traffic();
    let poison = RECORDS / 10_000;
    let until = Instant::now() + DEADLINE;
    let mut visits = 0_u64;
    while visits < 3 || world.reader.dead_letters() < i64::try_from(poison).unwrap() {
        assert!(Instant::now() < until, "{} dead letters after {visits} visits", world.reader.dead_letters());
        visit(&world, &resident).await;
        visits += 1;
    }
    let others = traffic.end();
    world.wait_committed(DEADLINE).await;
    let rebalances = resident.status().unwrap()["rebalances"].clone();
    resident.stop().await;
    println!("{visits} visits, {rebalances}");
    assert!(rebalances["revoked"].as_u64().unwrap() >= visits, "each visit takes partitions away: {rebalances}");

    let letters = world.reader.letters();
    let found: BTreeSet<(String, String)> =
        letters.iter().map(|letter| (letter.text(header::PARTITION), letter.text(header::OFFSET))).collect();
    assert_eq!((letters.len(), found.len()), (poison, poison), "each once, and no good record: {letters:?}");
    for letter in &letters {
        let value = String::from_utf8(letter.value.clone().unwrap()).unwrap();
        assert!(value.contains(POISON), "{value}");
        let attempts: u32 = letter.text(header::ATTEMPTS).parse().unwrap();
        assert!(attempts <= ATTEMPTS, "{attempts}");
    }
    let tried = tried(&world);
    println!("calls by poison record: {tried:?}");
    assert_eq!(tried.len(), poison);
    assert!(tried.values().all(|calls| *calls <= ATTEMPTS), "{tried:?}");
    world.assert_delivered((RECORDS - poison) as u64 + others);
}

/// Calls of which each dead letter's record was a part.
fn tried(world: &World) -> BTreeMap<(i32, i64), u32> {
    let mut tried = BTreeMap::new();
    for letter in world.reader.letters() {
        let at = (letter.text(header::PARTITION).parse().unwrap(), letter.text(header::OFFSET).parse().unwrap());
        let calls = world.brain.calls();
        let with = calls.iter().filter(|call| call.partition == at.0 && call.offsets.contains(&at.1));
        tried.insert(at, with.count() as u32);
    }
    tried
}
