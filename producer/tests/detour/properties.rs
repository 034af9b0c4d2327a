//! Offers, answers, time, outages and changes of client in any order: what must hold whatever happens.

use crate::bench::Bench;
use crate::disk::Disk;
use producer::client::Change;
use producer::send::Outlet;
use producer::ticket::{Receiver, Ticket};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Fails alone, when it is poisoned.
const POISON: u8 = 9;
/// Refused by the client itself.
const OVERSIZE: u8 = 8;

/// What happens, to which key, and how much of it.
type Step = (u8, u8, u64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec((0u8..14, 0u8..4, 0u64..12), 1..120)
}

/// A way out over a disk, in which anything may happen.
struct History {
    bench: Bench,
    disk: Disk,
    told: Vec<Receiver>,
}

impl History {
    fn new(partitions: u8, poisoned: bool) -> Self {
        let disk = Disk::default();
        let mut bench = Bench::with(Some(disk.spool()), 1);
        bench.kafka.lock().unwrap().partitions = partitions;
        bench.kafka.lock().unwrap().oversize = Some(OVERSIZE);
        if poisoned {
            bench.kafka.lock().unwrap().poison = Some(POISON);
            bench.offer(POISON, Ticket::NONE);
        }
        Self { bench, disk, told: Vec::new() }
    }

    fn step(&mut self, (step, key, amount): Step) {
        let Self { bench, disk, told } = self;
        match step {
            0..=1 => drop(bench.offer(key, Ticket::NONE)),
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
            9 => drop(bench.kafka.lock().unwrap().leaderless.insert(i32::from(key))),
            10 => drop(bench.kafka.lock().unwrap().leaderless.remove(&i32::from(key))),
            11 if key == 3 => bench.kafka.lock().unwrap().letters_wait = amount > 3,
            11 if key == 0 => disk.full.store(true, Ordering::Relaxed),
            11 if key == 1 => disk.leave(amount as usize),
            11 => disk.free(),
            12 if key == 0 => bench.kafka.lock().unwrap().no_place = amount > 6,
            12 => drop(bench.offer(OVERSIZE, Ticket::NONE)),
            _ => bench.kafka.lock().unwrap().slow = key > 0,
        }
    }

    /// Everything around it works.
    fn make_well(&mut self) {
        self.disk.free();
        self.bench.kafka.lock().unwrap().make_well();
    }
}

/// Gives it time to bring away all that it has; false when it is broken.
fn bring_away(bench: &mut Bench) -> bool {
    for _ in 0..200 {
        bench.tend(1, Duration::from_millis(700));
        bench.acknowledge(usize::MAX);
    }
    bench.answers.why_broken().is_none()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Offers, answers, time, outages, changes of client, clients that cannot be made or give nothing back for a while, dead letters without a place and full
    /// disks in any order.
    #[test]
    fn order_per_key_and_every_event_survive_anything(partitions in 0u8..4, poisoned: bool, steps in steps()) {
        let mut history = History::new(partitions, poisoned);
        steps.into_iter().for_each(|step| history.step(step));
        history.make_well();
        let History { mut bench, mut told, .. } = history;
        if !bring_away(&mut bench) {
            return Ok(());
        }
        prop_assert!(bench.detour.settled(false));
        // Nothing but the event that failed alone.
        let gone = bench.kafka.lock().unwrap().set_aside(POISON);
        prop_assert!(gone <= usize::from(poisoned));
        if gone > 0 {
            bench.next.remove(&POISON);
        }
        bench.next.remove(&OVERSIZE);
        bench.assert_all_in_order();
        prop_assert!(told.iter_mut().all(|settled| settled.try_recv().is_ok()));
        prop_assert_eq!(bench.tally.unanswered(), 0);
        bench.assert_adds_up();
    }

    /// A signal at any moment, answers in any of its pauses, and another process behind it.
    #[test]
    fn the_sum_holds_whenever_it_is_stopped(
        (partitions, poisoned) in (0u8..4, any::<bool>()),
        steps in steps(),
        answers in vec(0usize..20, 0..40),
        late: bool,
    ) {
        let mut history = History::new(partitions, poisoned);
        steps.into_iter().for_each(|step| history.step(step));
        let History { bench, disk, .. } = history;
        let well = bench.health.ready().ok && !disk.may_refuse();
        let left = bench.stop(Duration::from_millis(60), &answers);
        if late {
            left.kafka.lock().unwrap().letters_wait = false;
            left.kafka.lock().unwrap().place_letters(&left.answers);
        }
        // What is nowhere now has failed: the report counts it so.
        let failed = left.fail_the_rest();
        left.assert_adds_up();
        let (in_spool, gone) = (left.in_spool(), left.kafka.lock().unwrap().set_aside(POISON));
        disk.free();
        let spool = disk.spool();
        prop_assert!(spool.len() >= in_spool);
        prop_assert!(!well || late || spool.len() == in_spool, "{} in the file, {in_spool} in the report", spool.len());
        let mut next = Bench::after(left, spool);
        next.kafka.lock().unwrap().make_well();
        if !bring_away(&mut next) {
            return Ok(());
        }
        prop_assert!(next.detour.settled(false));
        prop_assert_eq!(next.tally.unanswered(), 0);
        next.assert_adds_up();
        next.next.remove(&OVERSIZE);
        if gone + next.kafka.lock().unwrap().set_aside(POISON) > 0 {
            // Set aside behind the end, and sent again all the same.
            next.kafka.lock().unwrap().log.retain(|(key, _)| *key != [POISON]);
            next.next.remove(&POISON);
        }
        if failed == 0 {
            next.assert_all_in_order();
        }
    }
}
