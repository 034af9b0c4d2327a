//! Answers: honest ones are taken as they are, all others fail closed.

use crate::{filled, heads, records};
use domain::contract::{Listed, OpenBatch, Response, judge};
use domain::offset::Offset;
use domain::verdict::Verdict;
use proptest::prelude::*;
use std::collections::HashSet;

fn verdicts(count: usize) -> impl Strategy<Value = Vec<Verdict>> {
    let verdict = prop_oneof![
        4 => Just(Verdict::Delivered),
        1 => Just(Verdict::Duplicate),
        1 => ("[a-z-]{1,9}", ".{0,12}").prop_map(|(reason, detail)| Verdict::Rejected { reason, detail }),
        1 => ("[a-z-]{1,9}", ".{0,12}").prop_map(|(reason, detail)| Verdict::Retry { reason, detail }),
    ];
    prop::collection::vec(verdict, count)
}

/// A batch and the verdicts that the dispatcher gave.
fn answered() -> impl Strategy<Value = (OpenBatch, Vec<Verdict>)> {
    (heads(), records(20)).prop_flat_map(|(head, records)| {
        let batch = filled(head, &records);
        let count = batch.len();
        (Just(batch), verdicts(count))
    })
}

fn response(batch: &OpenBatch, verdicts: &[Verdict]) -> Response {
    Response::from_verdicts(&batch.batch_id(), batch.offsets().zip(verdicts.iter().cloned()))
}

/// What can go wrong with an answer on its way or in the function.
#[derive(Debug, Clone)]
enum Tamper {
    Delivered(u64),
    Duplicates(u64),
    Version(u32),
    BatchId(String),
    Foreign(i64),
    Twice(prop::sample::Index, bool),
    Wrapped(u64),
    Forgotten(prop::sample::Index),
}

fn tampers() -> impl Strategy<Value = Tamper> {
    prop_oneof![
        any::<u64>().prop_map(Tamper::Delivered),
        any::<u64>().prop_map(Tamper::Duplicates),
        any::<u32>().prop_map(Tamper::Version),
        ".{0,20}".prop_map(Tamper::BatchId),
        any::<i64>().prop_map(Tamper::Foreign),
        any::<(prop::sample::Index, bool)>().prop_map(|(place, counted)| Tamper::Twice(place, counted)),
        any::<u64>().prop_map(Tamper::Wrapped),
        any::<prop::sample::Index>().prop_map(Tamper::Forgotten),
    ]
}

/// Applies a tampering; false when it changes nothing that must be noticed.
fn tamper(batch: &OpenBatch, response: &mut Response, tamper: Tamper) -> bool {
    let listed = |offset| Listed { offset, reason: "schema".into(), detail: String::new() };
    let before = response.clone();
    match tamper {
        Tamper::Delivered(count) => response.delivered = count,
        Tamper::Duplicates(count) => response.duplicates = count,
        Tamper::Version(version) => response.version = version,
        Tamper::BatchId(id) => response.batch_id = id,
        Tamper::Foreign(offset) if batch.position(Offset(offset)).is_none() && response.delivered > 0 => {
            // The counts still add up: only the offset gives it away.
            response.delivered -= 1;
            response.rejected.push(listed(Offset(offset)));
        }
        Tamper::Twice(place, counted) if response.delivered > 0 && !response.retry.is_empty() => {
            response.delivered -= u64::from(counted);
            response.rejected.push(listed(response.retry[place.index(response.retry.len())].offset));
        }
        Tamper::Wrapped(by) if by > response.delivered => {
            // In 64 bits without a carry these add up.
            response.delivered = response.delivered.wrapping_sub(by);
            response.duplicates = response.duplicates.wrapping_add(by);
        }
        Tamper::Forgotten(place) if !response.rejected.is_empty() => {
            response.rejected.remove(place.index(response.rejected.len()));
        }
        _ => return false,
    }
    *response != before
}

proptest! {
    #[test]
    fn an_honest_answer_is_taken_as_it_is((batch, verdicts) in answered()) {
        let response = response(&batch, &verdicts);
        let judgement = judge(&batch, &serde_json::to_vec(&response).unwrap()).expect("it adds up");
        prop_assert_eq!((judgement.delivered, judgement.duplicates), (response.delivered, response.duplicates));
        prop_assert_eq!((judgement.rejected, judgement.retry), (response.rejected, response.retry));
    }

    #[test]
    fn a_tampered_answer_fails_closed((batch, verdicts) in answered(), change in tampers()) {
        let mut response = response(&batch, &verdicts);
        if tamper(&batch, &mut response, change) {
            prop_assert!(judge(&batch, &serde_json::to_vec(&response).unwrap()).is_err());
        }
    }

    /// Whatever single byte breaks, an answer that is still taken accounts for every record once.
    #[test]
    fn a_broken_byte_never_loses_a_record(
        (batch, verdicts) in answered(), place in any::<prop::sample::Index>(), byte: u8,
    ) {
        let mut bytes = serde_json::to_vec(&response(&batch, &verdicts)).unwrap();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(judgement) = judge(&batch, &bytes) {
            let listed: HashSet<_> = judgement.rejected.iter().chain(&judgement.retry).map(|l| l.offset).collect();
            prop_assert!(listed.iter().all(|offset| batch.position(*offset).is_some()));
            prop_assert_eq!(judgement.delivered + judgement.duplicates + listed.len() as u64, batch.len() as u64);
        }
    }

    #[test]
    fn the_answer_to_one_batch_is_no_answer_to_another((one, verdicts) in answered(), (other, _) in answered()) {
        prop_assume!(one.batch_id() != other.batch_id());
        prop_assert!(judge(&other, &serde_json::to_vec(&response(&one, &verdicts)).unwrap()).is_err());
    }
}
