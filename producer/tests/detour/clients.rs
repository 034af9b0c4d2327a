//! One client after another: a finished one, a missed topic, new certificates, and when none can be made.

use crate::bench::{AFTER, Bench, folder};
use producer::client::{Change, Offered};
use producer::send::Outlet;
use producer::ticket::Ticket;
use std::time::Duration;

#[test]
fn a_finished_client_is_replaced_and_what_it_held_goes_first() {
    for spool in [false, true] {
        let dir = folder();
        let mut bench = Bench::new(spool.then_some((&dir, 1 << 20)), 0);
        assert!((0..30).all(|n| bench.offer(n % 3, Ticket::NONE)));
        bench.acknowledge(4);
        bench.kafka.lock().unwrap().change = Some(Change::Finished("out of order".into()));
        bench.kafka.lock().unwrap().room = 10;
        bench.tend(1, Duration::from_millis(1));
        assert_eq!(bench.offered(0, Ticket::NONE), Offered::Later, "what came back goes first");
        bench.kafka.lock().unwrap().room = 1_000;
        bench.tend(1, Duration::from_millis(1));
        assert!(bench.offer(0, Ticket::NONE));
        bench.acknowledge(usize::MAX);
        assert!(bench.detour.settled(false));
        bench.assert_all_in_order();
    }
}

#[test]
fn clients_that_finish_one_after_the_other_stop_the_producer() {
    let mut bench = Bench::new(None, 0);
    assert!(bench.offer(1, Ticket::NONE));
    for _ in 0..2 {
        assert_eq!(bench.answers.why_broken(), None);
        bench.kafka.lock().unwrap().change = Some(Change::Finished("not allowed".into()));
        bench.tend(1, Duration::from_secs(1));
    }
    assert!(bench.answers.why_broken().unwrap().contains("not allowed"));
    assert!(bench.shutdown.draining());
    bench.detour.put_away(&|| ());
    assert_eq!((bench.tally.failed.get(), bench.detour.settled(true)), (1, true));
}

#[test]
fn clients_that_miss_a_topic_follow_one_another_and_hold_nothing_up() {
    for spool in [false, true] {
        let dir = folder();
        let mut bench = Bench::new(spool.then_some((&dir, 1 << 20)), 0);
        for round in 0..4 {
            assert!((0..30).all(|n| bench.offer(n % 3, Ticket::NONE)));
            bench.kafka.lock().unwrap().change = Some(Change::TopicMissing("t".into()));
            bench.tend(1, Duration::from_millis(1));
            assert_eq!(bench.answers.why_broken(), None, "round {round}");
            assert_eq!(bench.kafka.lock().unwrap().held.len(), 30 * (round + 1));
        }
        bench.acknowledge(usize::MAX);
        assert!(bench.detour.settled(false));
        bench.assert_all_in_order();
    }
}

#[test]
fn new_certificates_wait_until_the_client_is_empty_but_not_for_ever() {
    let mut bench = Bench::new(None, 0);
    assert!(bench.offer(1, Ticket::NONE));
    bench.kafka.lock().unwrap().change = Some(Change::Renewed);
    bench.tend(1, Duration::from_millis(1));
    assert_eq!(bench.offered(1, Ticket::NONE), Offered::Later, "no queue is full");
    bench.acknowledge(1);
    bench.tend(1, Duration::from_millis(1));
    assert!(bench.offer(1, Ticket::NONE));
    // The next time the old client never gets its answers.
    bench.kafka.lock().unwrap().change = Some(Change::Renewed);
    bench.tend(6, Duration::from_secs(1));
    assert!(bench.offer(1, Ticket::NONE));
    bench.acknowledge(usize::MAX);
    bench.assert_all_in_order();
}

#[test]
fn when_no_other_client_can_be_made_the_old_one_goes_on() {
    let mut bench = Bench::new(None, 0);
    bench.kafka.lock().unwrap().no_client = true;
    bench.kafka.lock().unwrap().change = Some(Change::Renewed);
    bench.tend(1, Duration::from_millis(1));
    bench.kafka.lock().unwrap().change = None;
    bench.tend(1, Duration::from_millis(1));
    assert!(bench.offer(1, Ticket::NONE));
    bench.acknowledge(1);
    bench.assert_all_in_order();
}

#[test]
fn while_no_other_client_can_be_made_nothing_overtakes_what_the_silent_one_holds() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    assert!(bench.offer(1, Ticket::NONE));
    bench.kafka.lock().unwrap().no_client = true;
    bench.tend(3, AFTER);
    assert!(bench.offer(1, Ticket::NONE));
    bench.kafka.lock().unwrap().no_client = false;
    for _ in 0..4 {
        bench.tend(2, AFTER);
        bench.acknowledge(usize::MAX);
    }
    bench.tend(1, AFTER);
    assert!(bench.detour.settled(false));
    bench.assert_all_in_order();
}
