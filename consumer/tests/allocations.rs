//! What a batch costs in memory: its records are appended once, to the one piece of memory that becomes the request.
#![allow(clippy::unwrap_used, clippy::panic)]

use consumer::batch::Batch;
use consumer::collect::Limits;
use consumer::desk::{Desk, DeskSettings, Room};
use consumer::event::{Command, Event};
use consumer::record::Lent;
use consumer::topic::TopicPlan;
use domain::offset::Offset;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const RECORDS: i64 = 500;
const VALUE: usize = 200;
/// Less than the values of a batch, and more than anything else that it needs.
const LARGE: usize = 64 << 10;

/// The system's allocator, which counts pieces as large as a request.
struct Counting;

static LARGE_ONES: AtomicUsize = AtomicUsize::new(0);

fn count(size: usize) {
    if size >= LARGE {
        LARGE_ONES.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: everything is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn desk() -> Desk {
    Desk::new(DeskSettings {
        group: "g".into(),
        topics: vec![TopicPlan::new("t", 1, "dispatcher")],
        lanes: 1,
        epoch: 0,
        limits: Limits { records: RECORDS as usize, age: Duration::from_secs(1), bytes: 5 << 20 },
        room: Room { waiting: 1, bytes: 100 << 20 },
        from_end: false,
    })
}

/// Fills one batch and takes it away.
fn fill(desk: &mut Desk, first: i64, value: &[u8]) -> Box<Batch> {
    for offset in first..first + RECORDS {
        let (key, value) = (Some(b"0123456789abcdef".as_slice()), Some(value));
        let record = Lent { offset: Offset(offset), timestamp: 1_000 + offset, key, value, headers: Vec::new() };
        desk.receive("t", 0, record, Duration::from_secs(1));
    }
    let closed = desk.take_events().into_iter().find_map(|event| match event {
        Event::Closed(batch) => Some(batch),
        _ => None,
    });
    closed.unwrap()
}

#[test]
fn in_the_steady_state_a_batch_takes_one_piece_of_memory_for_its_request() {
    const WARM: i64 = 10;
    const BATCHES: i64 = 100;
    let value = format!("{{\"v\":\"{}\"}}", "x".repeat(VALUE - 8)).into_bytes();
    let mut desk = desk();
    desk.assign(&[("t".to_owned(), 0)]);
    desk.take_events();
    let mut before = 0;
    for batch in 0..WARM + BATCHES {
        if batch == WARM {
            before = LARGE_ONES.load(Ordering::Relaxed);
        }
        let mut batch = fill(&mut desk, batch * RECORDS, &value);
        let request = batch.records.send(1, None);
        assert!(request.len() > RECORDS as usize * VALUE && batch.records.len() == RECORDS as usize);
        let (lane, bytes) = (batch.lane.clone(), batch.bytes);
        drop((request, batch));
        desk.apply(Command::Settled { lane, bytes });
    }
    assert_eq!(
        LARGE_ONES.load(Ordering::Relaxed) - before,
        BATCHES as usize,
        "one for each, and none grew or was copied"
    );
}
