//! A disk that is full for a while.

use crate::bench::{AFTER, Bench};
use producer::doors::Doors;
use producer::send::Outlet;
use producer::spool::{Spool, Store};
use producer::ticket::{Settled, Ticket};
use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PAGE: u64 = 4_096;

/// A disk in memory that can be full, or nearly so: pages that were written once can be written again.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    pub full: Arc<AtomicBool>,
    written: Arc<Mutex<HashSet<u64>>>,
    /// The most pages that can be written; 0 is no limit.
    most: Arc<AtomicUsize>,
}

impl Disk {
    fn check(&self) -> Result<(), io::Error> {
        if self.full.load(Ordering::Relaxed) { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
    }

    /// From now on it takes so many pages more.
    pub fn leave(&self, pages: usize) {
        self.most.store(self.written.lock().unwrap().len() + pages, Ordering::Relaxed);
    }

    pub fn free(&self) {
        self.full.store(false, Ordering::Relaxed);
        self.most.store(0, Ordering::Relaxed);
    }

    pub fn may_refuse(&self) -> bool {
        self.full.load(Ordering::Relaxed) || self.most.load(Ordering::Relaxed) > 0
    }

    fn take(&self, pages: std::ops::Range<u64>) -> Result<(), io::Error> {
        let (mut written, most) = (self.written.lock().unwrap(), self.most.load(Ordering::Relaxed));
        let new: Vec<u64> = pages.filter(|page| !written.contains(page)).collect();
        if most > 0 && !new.is_empty() && written.len() + new.len() > most {
            return Err(io::ErrorKind::StorageFull.into());
        }
        written.extend(new);
        Ok(())
    }

    pub fn spool(&self) -> Spool {
        let disk = self.clone();
        let opening = move || redb::Database::builder().create_with_backend(disk.clone());
        Spool::on(Store::of("the disk".into(), Box::new(opening)).unwrap(), 1 << 20).unwrap()
    }
}

impl redb::StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let bytes = self.bytes.lock().unwrap();
        let start = offset as usize;
        out.copy_from_slice(bytes.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.check()?;
        self.bytes.lock().unwrap().resize(len as usize, 0);
        self.written.lock().unwrap().retain(|page| page * PAGE < len);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.check()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.check()?;
        self.take(offset / PAGE..(offset + data.len() as u64).div_ceil(PAGE))?;
        let start = offset as usize;
        self.bytes.lock().unwrap()[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_accepted_is_dropped() {
    let disk = Disk::default();
    let mut bench = Bench::with(Some(disk.spool()), 0);
    assert!((0..3).all(|key| bench.offer(key, Ticket::NONE)) && bench.health.ready().ok);
    disk.full.store(true, Ordering::Relaxed);
    bench.tend(2, AFTER);
    // The disk took nothing, so the next client has it, and new events follow it there.
    let unready = bench.health.ready();
    assert!(unready.wrong.iter().any(|complaint| complaint.why.contains("the disk")), "{unready:?}");
    assert!(bench.door.as_ref().unwrap().open().is_err(), "nothing new comes in");
    assert!(bench.offer(1, Ticket::NONE));
    assert_eq!(bench.tally.in_spool.get(), 0.0);
    bench.tend(5, Duration::from_secs(1));
    bench.acknowledge(usize::MAX);
    disk.full.store(false, Ordering::Relaxed);
    bench.tend(5, Duration::from_secs(2));
    assert!(bench.health.ready().ok, "{:?}", bench.health.ready());
    assert!(bench.offer(1, Ticket::NONE));
    bench.tend(3, Duration::from_secs(1));
    bench.acknowledge(usize::MAX);
    bench.tend(3, Duration::from_secs(1));
    assert!(bench.detour.settled(false));
    bench.assert_all_in_order();
    assert_eq!(bench.tally.failed.get(), 0);
}

#[test]
fn a_disk_that_takes_small_writes_alone_does_not_count_as_well() {
    let disk = Disk::default();
    let mut bench = Bench::with(Some(disk.spool()), 0);
    let door = bench.door.clone().unwrap();
    assert!((0..900).all(|number| bench.offer((number % 4) as u8, Ticket::NONE)));
    disk.leave(8);
    bench.tend(1, AFTER);
    for _ in 0..40 {
        assert!(!bench.health.ready().ok && door.open().is_err(), "it refuses without a gap");
        assert!(door.open().unwrap_err().reason.contains("the disk"));
        bench.tend(1, Duration::from_millis(500));
    }
    disk.free();
    bench.tend(1, Duration::from_secs(1));
    assert!(bench.health.ready().ok && door.open().is_ok(), "{:?}", bench.health.ready());
    bench.tend(2, AFTER);
    assert_eq!(bench.tally.in_spool.get(), 900.0);
    for _ in 0..5 {
        bench.tend(1, Duration::from_secs(5));
        bench.acknowledge(usize::MAX);
    }
    bench.tend(1, Duration::from_secs(1));
    assert!(bench.detour.settled(false));
    bench.assert_all_in_order();
}

#[test]
fn answers_from_kafka_do_not_hide_a_disk_that_refuses() {
    let disk = Disk::default();
    let mut bench = Bench::with(Some(disk.spool()), 0);
    assert!((0..3).all(|key| bench.offer(key, Ticket::NONE)));
    bench.tend(2, AFTER);
    bench.tend(1, Duration::from_secs(1));
    disk.full.store(true, Ordering::Relaxed);
    assert!(bench.offer(3, Ticket::NONE), "it waits for the disk");
    bench.acknowledge(usize::MAX);
    bench.tend(1, Duration::from_millis(1));
    assert!(!bench.health.ready().ok && bench.door.as_ref().unwrap().open().is_err());
}

#[test]
fn who_waits_is_told_soon_when_the_disk_refuses_and_kafka_is_silent() {
    let disk = Disk::default();
    let mut bench = Bench::with(Some(disk.spool()), 0);
    let tickets = bench.answers.tickets.clone();
    let told = Ok(Settled { failed: 1, ..Settled::default() });
    assert!(bench.offer(1, Ticket::NONE));
    bench.tend(1, AFTER);
    let (waits, mut of_waits) = tickets.open(1);
    disk.full.store(true, Ordering::Relaxed);
    assert!(bench.offer(1, waits), "the disk did not refuse yet");
    let (flies, mut of_flies) = tickets.open(1);
    assert!(bench.offer(2, flies), "straight to the client");
    let (late, mut of_late) = tickets.open(1);
    assert!(!bench.offer(1, late), "behind the one that waits for the disk");
    bench.tend(1, Duration::from_secs(1));
    assert!([&mut of_waits, &mut of_flies, &mut of_late].into_iter().all(|of| of.try_recv().is_err()));
    bench.tend(2, Duration::from_secs(1));
    assert!([&mut of_waits, &mut of_flies].into_iter().all(|of| of.try_recv() == told));
    assert!(!bench.offer(1, late) && of_late.try_recv() == told, "it is in nobody's way");
    assert_eq!((bench.tally.failed.get(), tickets.open_now()), (1, 0));
    disk.free();
    for _ in 0..5 {
        bench.tend(1, Duration::from_secs(5));
        bench.acknowledge(usize::MAX);
    }
    assert!(bench.detour.settled(false) && bench.offer(1, Ticket::NONE));
    bench.acknowledge(usize::MAX);
    bench.assert_all_in_order();
    assert_eq!(bench.tally.unanswered(), 0);
}
