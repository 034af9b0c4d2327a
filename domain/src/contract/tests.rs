//! The contract end to end, without a wire.

use super::{BatchHead, MAX_REQUEST_BYTES, Malformed, OpenBatch, Push, Request, Response, judge};
use crate::offset::Offset;
use crate::verdict::Verdict;

fn batch(values: &[&str]) -> OpenBatch {
    let head = BatchHead {
        group: "cg".into(),
        topic: "mt-c400".into(),
        partition: 3,
        lane: 0,
        lanes: 1,
        epoch: 0,
        log: None,
        since: None,
    };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for (place, value) in values.iter().enumerate() {
        let offset = 1200 + 3 * place as i64;
        assert_eq!(batch.push(Offset(offset), 1_763_701_200_123 - place as i64, value.as_bytes()), Push::Taken);
    }
    batch
}

#[test]
fn a_request_is_read_as_it_was_written() {
    let batch = batch(&["{\"a\":1}", "[2]", "3"]);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let payload = batch.request(12, Some(trace));
    assert_eq!(payload.len(), batch.request_len(12, Some(trace)));
    let request = Request::decode(&payload).unwrap();
    assert_eq!((request.attempt, request.traceparent.as_deref()), (12, Some(trace)));
    let records: Vec<_> = request.records().map(|r| (r.offset.0, r.timestamp, r.value)).collect();
    let want =
        [(1200, 1_763_701_200_123, "{\"a\":1}"), (1203, 1_763_701_200_122, "[2]"), (1206, 1_763_701_200_121, "3")];
    assert_eq!(records, want);
    assert_eq!(request.batch_id, "mt-c400/3/1200-1206");
}

#[test]
fn a_full_batch_hands_the_value_back_and_a_large_one_goes_alone() {
    let mut small = OpenBatch::new(batch(&[]).head().clone(), 420);
    assert_eq!(small.push(Offset(1), 0, &vec![b'1'; MAX_REQUEST_BYTES]), Push::NeverFits);
    let mut alone = small.clone();
    assert_eq!(alone.push(Offset(1), 0, &[b'1'; 500]), Push::Taken);
    assert_eq!(alone.push(Offset(2), 0, b"1"), Push::NoRoom);
    assert_eq!(alone.part([0]), alone);
    assert_eq!(small.push(Offset(1), 0, b"1"), Push::Taken);
    assert_eq!(small.push(Offset(2), 0, &[b'1'; 200]), Push::NoRoom);
    assert!(small.request(u32::MAX, None).len() <= 420);
}

#[test]
fn halves_hold_the_same_records_in_the_same_order() {
    let whole = batch(&["1", "2", "3", "4", "5"]);
    let (left, right) = whole.split().unwrap();
    let offsets: Vec<_> = left.offsets().chain(right.offsets()).collect();
    assert_eq!(offsets, whole.offsets().collect::<Vec<_>>());
    assert_eq!((left.value(1), right.value(2)), (Some(&b"2"[..]), Some(&b"5"[..])));
    assert!(batch(&["1"]).split().is_none());
}

fn answer(batch: &OpenBatch) -> Response {
    let verdicts = [
        Verdict::Delivered,
        Verdict::Duplicate,
        Verdict::Rejected { reason: "schema".into(), detail: "x".into() },
        Verdict::Retry { reason: "destination-down".into(), detail: String::new() },
    ];
    Response::from_verdicts(&batch.batch_id(), batch.offsets().zip(verdicts))
}

#[test]
fn an_answer_that_adds_up_is_judged() {
    let batch = batch(&["1", "2", "3", "4"]);
    let judgement = judge(&batch, &serde_json::to_vec(&answer(&batch)).unwrap()).unwrap();
    assert_eq!((judgement.delivered, judgement.duplicates), (1, 1));
    assert_eq!((judgement.rejected[0].offset, judgement.retry[0].offset), (Offset(1206), Offset(1209)));
}

#[test]
fn every_answer_that_does_not_add_up_fails_closed() {
    let batch = batch(&["1", "2", "3", "4"]);
    let tampered = |change: fn(&mut Response)| {
        let mut response = answer(&batch);
        change(&mut response);
        judge(&batch, &serde_json::to_vec(&response).unwrap()).unwrap_err()
    };
    assert!(matches!(tampered(|r| r.version = 2), Malformed::Version(2)));
    assert!(matches!(tampered(|r| r.batch_id.push('0')), Malformed::OtherBatch { .. }));
    assert!(matches!(tampered(|r| r.delivered = 2), Malformed::Count { counted: 5, sent: 4 }));
    assert!(matches!(tampered(|r| r.delivered = u64::MAX), Malformed::Count { .. }));
    assert!(matches!(tampered(|r| r.retry[0].offset = Offset(1)), Malformed::Offset(_)));
    assert!(matches!(tampered(|r| r.retry[0].offset = Offset(1206)), Malformed::Offset(_)));
    assert!(matches!(judge(&batch, b"null"), Err(Malformed::Shape(_))));
    assert!(matches!(judge(&batch, b""), Err(Malformed::Shape(_))));
}

#[test]
fn a_request_that_is_not_whole_is_refused() {
    let text = String::from_utf8(batch(&["1", "2"]).request(1, None)).unwrap();
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("[1,2]", "[1]"),
        ("offset_steps\":[3]", "offset_steps\":[0]"),
        ("\"lane\":0,", ""),
    ] {
        let broken = text.replace(from, to);
        assert_ne!(broken, text);
        assert!(Request::decode(broken.as_bytes()).is_err(), "{broken}");
    }
}
