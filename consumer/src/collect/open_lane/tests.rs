//! When a batch closes, and what may be in it.

use super::{Limits, OpenLane};
use crate::assignment::{Generation, Held, LaneId, TopicPartition};
use crate::batch::{Batch, CloseReason};
use crate::record::Lent;
use domain::contract::{BatchHead, MAX_REQUEST_BYTES};
use domain::offset::Offset;
use std::time::Duration;

fn lane(records: usize, bytes: usize) -> OpenLane {
    let held = Held { at: TopicPartition::new("t", 3), generation: Generation(1) };
    let head = BatchHead {
        group: "g".into(),
        topic: "t".into(),
        partition: 3,
        lane: 0,
        lanes: 1,
        epoch: 0,
        log: None,
        since: None,
    };
    OpenLane::new(LaneId { held, lane: 0 }, head, Limits { records, age: Duration::from_secs(1), bytes })
}

fn record(offset: i64, value: Option<&[u8]>) -> Lent<'_> {
    Lent { offset: Offset(offset), timestamp: 5, key: Some(b"k"), value, headers: Vec::new() }
}

fn take(lane: &mut OpenLane, offset: i64, value: &[u8]) -> Vec<Batch> {
    lane.take(record(offset, Some(value)), Duration::ZERO)
}

fn offsets(batch: &Batch) -> Vec<i64> {
    batch.offsets().map(|offset| offset.0).collect()
}

#[test]
fn closes_on_count_with_the_last_record_inside() {
    let mut lane = lane(3, 10_000);
    assert!(take(&mut lane, 10, b"1").is_empty());
    assert!(take(&mut lane, 11, b"2").is_empty());
    let closed = take(&mut lane, 15, b"3");
    assert_eq!((closed[0].reason, offsets(&closed[0])), (CloseReason::Count, vec![10, 11, 15]));
    assert!(lane.is_empty());
}

#[test]
fn closes_on_bytes_before_the_record_that_has_no_room() {
    let mut lane = lane(500, 1_000);
    let value = format!("\"{}\"", "x".repeat(300));
    let mut closed = Vec::new();
    let mut offset = 0;
    while closed.is_empty() {
        closed = take(&mut lane, offset, value.as_bytes());
        offset += 1;
    }
    assert_eq!(closed[0].reason, CloseReason::Bytes);
    assert!(closed[0].records.request(1, None).len() <= 1_000);
    assert_eq!(offsets(&closed[0]), (0..offset - 1).collect::<Vec<_>>());
    assert_eq!(lane.len(), 1);
}

#[test]
fn a_record_larger_than_a_batch_goes_alone_and_the_next_batch_takes_no_memory_for_it() {
    let mut lane = lane(500, 1_000);
    let large = format!("\"{}\"", "x".repeat(3_000));
    let mut closed = take(&mut lane, 1, b"1");
    closed.extend(take(&mut lane, 2, large.as_bytes()));
    closed.extend(take(&mut lane, 3, b"3"));
    assert!(lane.last.0.bytes < 1_000, "{:?}", lane.last);
    closed.extend(lane.close(CloseReason::Age, Duration::ZERO));
    assert_eq!(closed.iter().map(offsets).collect::<Vec<_>>(), [[1], [2], [3]]);
    assert_eq!(closed[1].reason, CloseReason::Bytes);
    assert!(closed.iter().all(|batch| batch.unfit.is_empty()));
    assert_eq!(closed[1].records.value(0), Some(large.as_bytes()));
}

#[test]
fn is_due_by_the_age_of_its_first_record() {
    let mut lane = lane(500, 10_000);
    assert_eq!(lane.due(), None);
    lane.take(record(1, Some(b"1")), Duration::from_millis(300));
    lane.take(record(2, Some(b"1")), Duration::from_millis(900));
    assert_eq!(lane.due(), Some(Duration::from_millis(1_300)));
}

#[test]
fn what_is_not_json_or_too_large_stays_out_of_the_request_with_its_bytes() {
    let mut lane = lane(500, 1_000);
    let large = format!("\"{}\"", "x".repeat(MAX_REQUEST_BYTES));
    take(&mut lane, 1, b"{\"ok\":1}");
    take(&mut lane, 2, b"{\"broken\":");
    take(&mut lane, 3, b"\xff\xfe");
    lane.take(record(4, None), Duration::ZERO);
    let mut batches = take(&mut lane, 5, large.as_bytes());
    batches.extend(take(&mut lane, 6, b"{} {}"));
    batches.extend(take(&mut lane, 7, b"7"));
    batches.extend(lane.close(CloseReason::Age, Duration::ZERO));
    let sent: Vec<i64> = batches.iter().flat_map(|batch| batch.records.offsets().map(|o| o.0)).collect();
    assert_eq!(sent, [1, 7]);
    let unfit: Vec<_> = batches.iter().flat_map(|batch| &batch.unfit).collect();
    let seen: Vec<_> = unfit.iter().map(|unfit| (unfit.record.offset.0, unfit.reason)).collect();
    assert_eq!(seen, [(2, "not-json"), (3, "not-json"), (4, "not-json"), (5, "too-large"), (6, "not-json")]);
    assert_eq!(unfit[1].record.value.as_deref(), Some(b"\xff\xfe".as_slice()));
    assert_eq!((&unfit[2].record.value, unfit[2].record.key.as_deref()), (&None, Some(b"k".as_slice())));
}

#[test]
fn a_step_back_in_offsets_closes_the_batch_first() {
    let mut lane = lane(500, 10_000);
    take(&mut lane, 10, b"1");
    let closed = take(&mut lane, 4, b"1");
    assert_eq!((closed[0].reason, offsets(&closed[0])), (CloseReason::Order, vec![10]));
    assert_eq!(lane.len(), 1);
}
