//! Signals: what is answered by then is counted and sent no more, whatever else goes wrong.

use crate::bench::{AFTER, Bench, folder};
use crate::disk::Disk;
use producer::spool::Spool;
use producer::ticket::Ticket;
use std::sync::atomic::Ordering;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// An outage has left `count` events in the spool; Kafka is back and has acknowledged the first, all others are with the client.
fn sending(bench: &mut Bench, count: u64) {
    for number in 0..count {
        assert!(bench.offer((number % 4) as u8, Ticket::NONE));
    }
    bench.tend(2, AFTER);
    bench.tend(1, SECOND);
    bench.acknowledge(1);
    bench.tend(2, SECOND);
    assert_eq!(bench.tally.in_spool.get(), (count - 1) as f64);
}

#[test]
fn a_signal_while_the_spool_is_sent_leaves_in_it_only_what_kafka_does_not_have() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    sending(&mut bench, 30);
    // The last answers come right behind a removal, which comes not too often.
    bench.acknowledge(9);
    bench.tend(1, SECOND);
    let left = bench.stop(10 * SECOND, &[20]);
    assert_eq!((left.in_spool(), left.answers.tally.acknowledged.get()), (0, 30));
    left.assert_adds_up();
    assert_eq!(Spool::open(dir.path(), 1 << 20).unwrap().len(), 0, "nothing is sent again");
}

#[test]
fn acknowledged_events_that_a_full_disk_does_not_let_go_count_once() {
    let disk = Disk::default();
    let mut bench = Bench::with(Some(disk.spool()), 0);
    sending(&mut bench, 30);
    disk.full.store(true, Ordering::Relaxed);
    let left = bench.stop(SECOND, &[20]);
    assert_eq!((left.in_spool(), left.answers.tally.acknowledged.get()), (9, 21));
    left.assert_adds_up();
    disk.free();
    assert_eq!(disk.spool().len(), 29, "the file may hold them all the same");
}

#[test]
fn a_dead_letter_that_finds_its_place_behind_the_end_counts_once() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    bench.kafka.lock().unwrap().partitions = 0;
    assert!((0..3).all(|_| bench.offer(9, Ticket::NONE)));
    bench.tend(1, AFTER);
    bench.kafka.lock().unwrap().oversize = Some(9);
    bench.kafka.lock().unwrap().letters_wait = true;
    bench.tend(1, SECOND);
    let left = bench.stop(SECOND, &[]);
    assert_eq!(left.in_spool(), 3);
    left.kafka.lock().unwrap().letters_wait = false;
    left.kafka.lock().unwrap().place_letters(&left.answers);
    assert_eq!((left.in_spool(), left.answers.tally.dead_lettered.get()), (0, 3));
    left.assert_adds_up();
}

#[test]
fn what_comes_between_any_two_looks_is_counted() {
    for pauses in 0..30 {
        let dir = folder();
        let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
        sending(&mut bench, 20);
        bench.tend(pauses, MILLISECOND);
        bench.acknowledge(5);
        let mut answers = vec![0; pauses as usize];
        answers.push(14);
        let left = bench.stop(10 * SECOND, &answers);
        left.assert_adds_up();
        assert_eq!(left.in_spool(), Spool::open(dir.path(), 1 << 20).unwrap().len());
    }
}
