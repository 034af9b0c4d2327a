//! A disk that is full for a while.

use crate::bench::{AFTER, Bench};
use producer::send::Outlet;
use producer::spool::{Spool, Store};
use producer::ticket::Ticket;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A disk in memory that can be full.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    pub full: Arc<AtomicBool>,
}

impl Disk {
    fn check(&self) -> Result<(), io::Error> {
        if self.full.load(Ordering::Relaxed) { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
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
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.check()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.check()?;
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
    // The disk took nothing, so the next client has it; new events wait outside.
    let unready = bench.health.ready();
    assert!(unready.wrong.iter().any(|complaint| complaint.why.contains("the disk")), "{unready:?}");
    assert!(!bench.offer(1, Ticket::NONE), "nothing new is taken");
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
