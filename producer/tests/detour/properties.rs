//! Offers, answers, time, outages and changes of client in any order: what must hold whatever happens.

use crate::bench::Bench;
use crate::disk::Disk;
use producer::client::Change;
use producer::send::Outlet;
use producer::ticket::Ticket;
use proptest::prelude::*;
use std::sync::atomic::Ordering;
use std::time::Duration;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Offers, answers, time, outages, changes of client, clients that cannot be made and full disks in any order.
    #[test]
    fn order_per_key_and_every_event_survive_anything(partitions in 0u8..4, poisoned: bool, steps in proptest::collection::vec((0u8..12, 0u8..4, 0u64..12), 1..120)) {
        let disk = Disk::default();
        let mut bench = Bench::with(Some(disk.spool()), 1);
        bench.kafka.lock().unwrap().partitions = partitions;
        if poisoned {
            bench.kafka.lock().unwrap().poison = Some(9);
            bench.offer(9, Ticket::NONE);
        }
        let mut told = Vec::new();
        for (step, key, amount) in steps {
            match step {
                0..=1 => { bench.offer(key, Ticket::NONE); }
                2 => {
                    let (ticket, settled) = bench.answers.tickets.open(1);
                    if bench.offer(key, ticket) {
                        told.push(settled);
                    }
                }
                3 => bench.acknowledge(amount as usize),
                4 => bench.tend(1, Duration::from_millis(300 * amount)),
                5 => bench.tend(1, Duration::from_secs(2 * amount)),
                6 if key == 0 => {
                    bench.acknowledge(1);
                    bench.kafka.lock().unwrap().change = Some(Change::Finished("x".into()));
                }
                6 => bench.kafka.lock().unwrap().change = Some(Change::Renewed),
                7 => bench.kafka.lock().unwrap().room = 1 + amount as usize,
                8 => bench.kafka.lock().unwrap().no_client = key == 0,
                9 => { bench.kafka.lock().unwrap().leaderless.insert(i32::from(key)); }
                10 => { bench.kafka.lock().unwrap().leaderless.remove(&i32::from(key)); }
                _ if key == 3 => bench.kafka.lock().unwrap().letters_wait = amount > 3,
                _ if key == 0 => disk.full.store(true, Ordering::Relaxed),
                _ if key == 1 => disk.leave(amount as usize),
                _ => disk.free(),
            }
        }
        disk.free();
        bench.kafka.lock().unwrap().no_client = false;
        bench.kafka.lock().unwrap().room = 1_000;
        bench.kafka.lock().unwrap().leaderless.clear();
        bench.kafka.lock().unwrap().letters_wait = false;
        bench.kafka.lock().unwrap().poison = None;
        for _ in 0..200 {
            bench.tend(1, Duration::from_millis(700));
            bench.acknowledge(usize::MAX);
            if bench.answers.why_broken().is_some() {
                return Ok(());
            }
        }
        prop_assert!(bench.detour.settled(false));
        if !bench.kafka.lock().unwrap().dead.is_empty() {
            bench.next.remove(&9);
        }
        bench.assert_all_in_order();
        prop_assert!(told.iter_mut().all(|settled| settled.try_recv().is_ok()));
        prop_assert_eq!(bench.tally.unanswered(), 0);
        // Nothing but the event that failed alone.
        let dead = bench.kafka.lock().unwrap().dead.len();
        prop_assert!(dead <= usize::from(poisoned));
        bench.assert_adds_up();
    }
}
