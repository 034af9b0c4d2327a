//! Dead letters of events of the spool: what they do not show, and what becomes of those that find no place.

use crate::bench::{AFTER, Bench, folder};
use producer::client::Offered;
use producer::send::Outlet;
use producer::ticket::Ticket;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_dead_letter_does_not_show_that_kafka_is_back() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    assert!(bench.offer(9, Ticket::NONE) && bench.offer(1, Ticket::NONE));
    bench.tend(1, AFTER);
    bench.kafka.lock().unwrap().oversize = Some(9);
    bench.tend(2, SECOND);
    assert_eq!((bench.tally.dead_lettered.get(), bench.tally.in_spool.get()), (1, 1.0));
    assert_eq!(bench.offered(2, Ticket::NONE), Offered::Spooled, "the outage goes on");
}

#[test]
fn an_event_whose_dead_letter_finds_no_place_stays_and_is_set_aside_once_there_is_one() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    assert!((0..3).all(|_| bench.offer(9, Ticket::NONE)) && bench.offer(1, Ticket::NONE));
    bench.tend(1, AFTER);
    bench.kafka.lock().unwrap().oversize = Some(9);
    bench.kafka.lock().unwrap().no_place = true;
    for _ in 0..60 {
        bench.tend(1, SECOND);
        bench.acknowledge(usize::MAX);
    }
    let tally = &bench.tally;
    assert_eq!((tally.dead_lettered.get(), tally.failed.get(), tally.in_spool.get()), (0, 0, 3.0));
    bench.assert_adds_up();
    let tried = bench.kafka.lock().unwrap().unplaced;
    assert!((12..60).contains(&tried), "it was tried again, and not all the time: {tried}");
    // No pass fails: it does not wait for that.
    bench.kafka.lock().unwrap().no_place = false;
    bench.tend(10, SECOND);
    assert_eq!(bench.tally.dead_lettered.get(), 3);
    assert!(bench.detour.settled(false), "a source that ends by itself ends");
    bench.assert_adds_up();
}

#[test]
fn an_event_whose_dead_letter_found_no_place_never_goes_to_kafka_behind_later_ones() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    assert!(bench.offer(9, Ticket::NONE));
    bench.tend(1, AFTER);
    bench.kafka.lock().unwrap().oversize = Some(9);
    bench.kafka.lock().unwrap().no_place = true;
    bench.tend(2, SECOND);
    // Kafka would take it now, and takes what came behind it; then a pass fails.
    bench.kafka.lock().unwrap().oversize = None;
    assert!(bench.offer(9, Ticket::NONE));
    bench.tend(1, SECOND);
    bench.acknowledge(usize::MAX);
    assert!(bench.offer(9, Ticket::NONE));
    bench.tend(20, SECOND);
    bench.kafka.lock().unwrap().no_place = false;
    for _ in 0..20 {
        bench.tend(1, SECOND);
        bench.acknowledge(usize::MAX);
    }
    let log: Vec<_> = bench.kafka.lock().unwrap().log.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!((log, bench.tally.dead_lettered.get()), (vec![b"2".to_vec(), b"3".to_vec()], 1));
    assert!(bench.detour.settled(false));
    bench.assert_adds_up();
}

#[test]
fn a_dead_letter_without_a_place_does_not_keep_its_partition_silent() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    bench.kafka.lock().unwrap().partitions = 4;
    bench.kafka.lock().unwrap().leaderless.insert(1);
    assert!([9, 1, 5, 1, 5].into_iter().all(|key| bench.offer(key, Ticket::NONE)));
    bench.tend(1, AFTER);
    // The oldest is tried for its partition, and refused by the client.
    bench.kafka.lock().unwrap().oversize = Some(9);
    bench.kafka.lock().unwrap().no_place = true;
    bench.tend(2, SECOND);
    assert!(bench.kafka.lock().unwrap().unplaced > 0);
    bench.kafka.lock().unwrap().leaderless.clear();
    for _ in 0..5 {
        bench.tend(1, SECOND);
        bench.acknowledge(usize::MAX);
    }
    assert_eq!((bench.tally.acknowledged.get(), bench.tally.in_spool.get()), (4, 1.0));
    bench.assert_adds_up();
}
