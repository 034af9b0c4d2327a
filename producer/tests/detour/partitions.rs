//! What fails alone and what does not: outages, partitions without a leader, and the one event that nobody takes.

use crate::bench::{AFTER, Bench, folder};
use producer::send::Outlet;
use producer::ticket::Ticket;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Rounds of a second: Kafka acknowledges all it can.
fn rounds(bench: &mut Bench, count: u32) {
    for _ in 0..count {
        bench.tend(1, SECOND);
        bench.acknowledge(usize::MAX);
    }
}

#[test]
fn an_outage_of_everything_makes_no_dead_letter_however_long_and_whatever_is_sent_first_afterwards() {
    for partitions in [0, 1, 3] {
        let dir = folder();
        let mut bench = Bench::new(Some((&dir, 4 << 20)), 3);
        bench.kafka.lock().unwrap().partitions = partitions;
        for key in 0..30 {
            assert!((0..40).all(|_| bench.offer(key, Ticket::NONE)));
            bench.tend(1, Duration::from_millis(700));
        }
        bench.tend(200, Duration::from_secs(6));
        for key in 0..30 {
            assert!(bench.offer(key, Ticket::NONE));
        }
        // It comes back for a moment and is away again, more than once.
        for _ in 0..8 {
            bench.tend(3, SECOND);
            bench.acknowledge(40);
            bench.tend(4, AFTER);
        }
        rounds(&mut bench, 30);
        assert_eq!((bench.tally.dead_lettered.get(), bench.tally.in_spool.get()), (0, 0.0), "{partitions}");
        assert!(bench.detour.settled(false));
        bench.assert_all_in_order();
        bench.assert_adds_up();
    }
}

#[test]
fn a_partition_without_a_leader_holds_up_no_other_and_makes_no_dead_letter() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 4 << 20)), 3);
    bench.kafka.lock().unwrap().partitions = 4;
    bench.kafka.lock().unwrap().leaderless.insert(1);
    // Far more than one pass tries are older than anything for another partition.
    assert!((0..900).all(|number| bench.offer(1 + 4 * (number % 3) as u8, Ticket::NONE)));
    bench.tend(2, AFTER);
    assert!((0..300).all(|number| bench.offer((number % 4) as u8, Ticket::NONE)));
    rounds(&mut bench, 25);
    assert_eq!(bench.tally.acknowledged.get(), 225);
    // New ones of healthy partitions go on, at once and without a pause, for as long as it lasts; the client is changed rarely.
    let changes = bench.kafka.lock().unwrap().changes;
    for round in 0..40 {
        assert!((0..4).all(|key| bench.offer(key, Ticket::NONE)));
        rounds(&mut bench, 2);
        assert_eq!(bench.tally.acknowledged.get(), 225 + 3 * (round + 1));
    }
    assert!(bench.tally.dead_lettered.get() == 0 && bench.kafka.lock().unwrap().changes <= changes + 2);
    bench.kafka.lock().unwrap().leaderless.clear();
    rounds(&mut bench, 20);
    assert!(bench.detour.settled(false));
    bench.assert_all_in_order();
    bench.assert_adds_up();
}

#[test]
fn more_silent_partitions_than_one_pass_tries_do_not_keep_the_spool_from_the_others() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 4 << 20)), 0);
    bench.kafka.lock().unwrap().partitions = 250;
    bench.kafka.lock().unwrap().leaderless = (0..200).collect();
    for topic in 0..3 {
        bench.topic = topic;
        assert!((0..200).all(|key| bench.offer(key, Ticket::NONE)));
    }
    for topic in 0..3 {
        bench.topic = topic;
        assert!((200..250).all(|key| bench.offer(key, Ticket::NONE)));
    }
    bench.tend(1, AFTER);
    rounds(&mut bench, 10);
    assert_eq!((bench.tally.acknowledged.get(), bench.tally.in_spool.get()), (150, 600.0));
    bench.kafka.lock().unwrap().leaderless.clear();
    rounds(&mut bench, 10);
    assert!(bench.detour.settled(false));
    bench.assert_adds_up();
}

/// One event of key 9 that Kafka never takes, in passes in which later ones of its partition get through.
fn with_poison(attempts: u64) -> (tempfile::TempDir, Bench) {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), attempts);
    bench.kafka.lock().unwrap().poison = Some(9);
    bench.kafka.lock().unwrap().letters_wait = true;
    assert!(bench.offer(9, Ticket::NONE));
    (dir, bench)
}

fn one_pass(bench: &mut Bench) {
    assert!(bench.offer(1, Ticket::NONE));
    bench.tend(1, SECOND);
    bench.acknowledge(usize::MAX);
    bench.tend(6, AFTER / 4);
}

#[test]
fn an_event_that_fails_alone_becomes_one_letter_however_long_that_is_on_its_way() {
    let (_dir, mut bench) = with_poison(3);
    // Its way to the spool is no attempt.
    for pass in 0..4 {
        assert_eq!(bench.kafka.lock().unwrap().dead.len(), 0, "{pass}");
        one_pass(&mut bench);
    }
    one_pass(&mut bench);
    // Passes fail while the letter is on its way.
    bench.kafka.lock().unwrap().leaderless.insert(0);
    for _ in 0..4 {
        assert!(bench.offer(1, Ticket::NONE));
        bench.tend(6, AFTER / 4);
        bench.tend(3, SECOND);
    }
    assert_eq!(bench.kafka.lock().unwrap().dead, [(b"1".to_vec(), 3)]);
    assert_eq!(bench.tally.dead_lettered.get(), 0, "it has not found its place");
    bench.kafka.lock().unwrap().leaderless.clear();
    bench.kafka.lock().unwrap().letters_wait = false;
    rounds(&mut bench, 30);
    assert_eq!((bench.tally.in_spool.get(), bench.tally.dead_lettered.get()), (0.0, 1));
    assert!(bench.detour.settled(false));
    bench.assert_adds_up();
}

#[test]
fn without_a_limit_nothing_is_ever_given_up() {
    let (_dir, mut bench) = with_poison(0);
    (0..20).for_each(|_| one_pass(&mut bench));
    assert_eq!((bench.kafka.lock().unwrap().dead.len(), bench.tally.in_spool.get()), (0, 1.0));
    bench.kafka.lock().unwrap().poison = None;
    rounds(&mut bench, 20);
    bench.assert_all_in_order();
    bench.assert_adds_up();
}
