//! Outages with a spool: to the disk and back in order, over a restart, when it is full, and when an event fails alone.

use crate::bench::{AFTER, Bench, folder};
use producer::client::{Change, Offered};
use producer::send::Outlet;
use producer::spool::Spool;
use producer::ticket::{Settled, Ticket};
use std::time::Duration;

#[test]
fn an_outage_goes_to_the_disk_and_comes_back_in_order() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    for round in 0..4 {
        assert!((0..5).all(|key| bench.offer(key, Ticket::NONE)), "{round}");
    }
    bench.acknowledge(7);
    bench.tend(1, AFTER - Duration::from_secs(1));
    assert_eq!(bench.tally.in_spool.get(), 0.0);
    bench.tend(2, Duration::from_secs(2));
    assert_eq!(bench.tally.in_spool.get(), 13.0);
    let (ticket, mut settled) = bench.answers.tickets.open(5);
    assert!((0..5).all(|key| bench.offer(key, ticket)));
    assert_eq!(settled.try_recv(), Ok(Settled { spooled: 5, ..Settled::default() }));
    // Attempt after attempt, nobody answers: nothing is lost, nothing is given up.
    bench.tend(40, Duration::from_secs(3));
    assert_eq!((bench.tally.in_spool.get(), bench.tally.dead_lettered.get()), (18.0, 0));
    bench.tend(4, Duration::from_secs(3));
    while bench.tally.in_spool.get() > 0.0 {
        bench.acknowledge(3);
        assert!(bench.offer(1, Ticket::NONE));
        bench.tend(1, Duration::from_millis(300));
        if bench.next[&1] > 40 {
            bench.acknowledge(usize::MAX);
            bench.tend(2, Duration::from_millis(300));
        }
    }
    // Straight again.
    assert!(bench.offer(2, Ticket::NONE));
    assert_eq!(bench.kafka.lock().unwrap().held.back().unwrap().flying.spooled, 0);
    bench.acknowledge(usize::MAX);
    assert!(bench.detour.settled(false));
    bench.assert_all_in_order();
    assert_eq!(bench.tally.unanswered(), 0);
}

#[test]
fn an_event_counts_as_sent_when_the_client_takes_it_first() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    let sent = |bench: &Bench| (bench.tally.sent.get(), bench.tally.sent_bytes.get());
    // The flow counts what goes straight; these three go to the spool from the client, the others in front of it.
    assert!((0..3).all(|key| bench.offer(key, Ticket::NONE)));
    bench.tend(1, AFTER);
    assert!((3..7).all(|key| bench.offer(key, Ticket::NONE)));
    assert_eq!(sent(&bench), (0, 0));
    for _ in 0..5 {
        bench.tend(1, AFTER);
        assert_eq!(sent(&bench), (4, 4), "however many attempts");
    }
    drop(bench);
    let mut next = Bench::new(Some((&dir, 1 << 20)), 0);
    next.tend(20, AFTER / 2);
    next.acknowledge(usize::MAX);
    assert_eq!(sent(&next), (7, 7), "each process for itself");
}

#[test]
fn a_key_goes_straight_again_behind_its_last_event_from_the_spool_whatever_happens_then() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    assert!((0..600).all(|_| bench.offer(1, Ticket::NONE)) && bench.offer(2, Ticket::NONE));
    bench.tend(2, AFTER);
    bench.tend(1, Duration::from_millis(200));
    // Kafka is back and acknowledges the first: the rest goes out, a portion at a time.
    bench.acknowledge(1);
    bench.tend(2, Duration::from_millis(1));
    assert_eq!((bench.tally.in_spool.get(), bench.kafka.lock().unwrap().held.len()), (600.0, 600));
    for key in [1, 2] {
        assert!(bench.offer(key, Ticket::NONE));
        assert_eq!(bench.kafka.lock().unwrap().held.back().unwrap().flying.spooled, 0, "straight behind the others");
    }
    // A finished client gives both kinds back, and a silent one as well.
    bench.kafka.lock().unwrap().change = Some(Change::Finished("out of order".into()));
    bench.tend(1, Duration::from_millis(1));
    bench.acknowledge(3);
    assert!(bench.offer(1, Ticket::NONE));
    bench.tend(1, AFTER);
    assert_eq!(bench.kafka.lock().unwrap().held.len(), 0);
    assert_eq!(bench.tally.in_spool.get(), 600.0);
    for _ in 0..3 {
        bench.tend(2, Duration::from_secs(1));
        bench.acknowledge(usize::MAX);
    }
    assert!(bench.detour.settled(false));
    bench.assert_all_in_order();
}

#[test]
fn what_an_earlier_process_left_goes_out_before_anything_new_of_its_key() {
    let dir = folder();
    let mut first = Bench::new(Some((&dir, 1 << 20)), 0);
    assert!(first.offer(1, Ticket::NONE) && first.offer(1, Ticket::NONE));
    first.detour.put_away(&|| ());
    assert!(first.detour.settled(true));
    let next = first.next.clone();
    drop(first);
    let mut second = Bench::new(Some((&dir, 1 << 20)), 0);
    second.next = next;
    assert_eq!(second.tally.recovered.get(), 2);
    assert!(second.offer(1, Ticket::NONE) && second.offer(2, Ticket::NONE));
    second.tend(2, Duration::from_secs(1));
    second.acknowledge(usize::MAX);
    second.tend(3, Duration::from_secs(1));
    second.acknowledge(usize::MAX);
    second.tend(1, Duration::from_secs(1));
    assert!(second.detour.settled(false));
    second.assert_all_in_order();
}

#[test]
fn the_latency_of_what_an_earlier_process_left_counts_from_its_due_time_there() {
    let dir = folder();
    let mut first = Bench::new(Some((&dir, 1 << 20)), 0);
    first.tend(1, Duration::from_secs(7));
    assert!(first.offer(1, Ticket::NONE));
    first.detour.put_away(&|| ());
    drop(first);
    // 190 s after the first one, whose event was due in its 8th second.
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    let mut second = Bench::started_at(1_190_000, Some(spool), 0);
    second.tend(2, Duration::from_secs(1));
    second.acknowledge(1);
    let latency = second.answers.latency();
    assert!((latency.max / 1_000.0 - 185.0).abs() < 0.5, "{latency:?}");
    // A clock that was set back in between makes nothing shorter than no time.
    assert!(second.offer(2, Ticket::NONE));
    second.detour.put_away(&|| ());
    drop(second);
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    let mut third = Bench::started_at(5_000, Some(spool), 0);
    third.tend(2, Duration::from_secs(1));
    third.acknowledge(1);
    assert_eq!((third.answers.latency().max / 1_000.0).round(), 2.0);
}

#[test]
fn a_full_spool_takes_nothing_and_forgets_nothing() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 400)), 0);
    assert!(bench.offer(1, Ticket::NONE));
    bench.tend(2, AFTER);
    let mut taken = 0;
    while bench.offer(1, Ticket::NONE) {
        taken += 1;
        assert!(taken < 100);
    }
    assert!(taken > 1);
    assert_eq!(bench.offered(2, Ticket::NONE), Offered::Later, "no queue is full");
    bench.tend(3, Duration::from_secs(3));
    bench.acknowledge(usize::MAX);
    bench.tend(3, Duration::from_secs(1));
    bench.acknowledge(usize::MAX);
    bench.tend(2, Duration::from_secs(1));
    assert!(bench.offer(2, Ticket::NONE));
    bench.acknowledge(usize::MAX);
    bench.assert_all_in_order();
}

#[test]
fn an_event_of_a_clock_that_is_far_ahead_travels_with_our_time() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    let now = 1_000_000;
    for (ts, record) in [(5, 5), (now + 60_000, now + 60_000), (now + 60_001, now), (i64::MAX, now)] {
        bench.ts = ts;
        assert!(bench.offer(1, Ticket::NONE));
        assert_eq!(bench.kafka.lock().unwrap().held.back().unwrap().timestamp_ms, record);
    }
    // By the spool as well.
    bench.tend(2, AFTER);
    assert!(bench.offer(2, Ticket::NONE));
    bench.tend(2, Duration::from_secs(3));
    let later = bench.kafka.lock().unwrap().held.back().unwrap().clone();
    assert!(later.key == [2] && (now..now + 60_000).contains(&later.timestamp_ms), "{later:?}");
    bench.acknowledge(usize::MAX);
    bench.tend(1, Duration::from_secs(1));
    bench.acknowledge(usize::MAX);
    bench.assert_all_in_order();
}
