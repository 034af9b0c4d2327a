//! The contract between consumer and dispatcher: exact sizes, unaltered values, and answers that fail closed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;

use domain::contract::{BatchHead, Extent, MAX_REQUEST_BYTES, OpenBatch, Push, Request};
use domain::offset::Offset;
use proptest::prelude::*;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

type Record = (i64, i64, String);

fn heads() -> impl Strategy<Value = BatchHead> {
    let names = || "[a-zA-Z0-9._\"\\\\\n\té-]{1,24}";
    let log = || prop::option::of((names(), 0_i64..1 << 60));
    (names(), names(), 0..=i32::MAX, any::<u32>(), any::<u32>(), any::<u32>(), log()).prop_map(
        |(group, topic, partition, lane, lanes, epoch, log)| {
            let (log, since) = log.map(|(log, since)| (log, Offset(since))).unzip();
            BatchHead { group, topic, partition, lane, lanes, epoch, log, since }
        },
    )
}

/// Records with growing offsets (gaps included), any timestamps, and values that are each one JSON text.
fn records(most: usize) -> impl Strategy<Value = Vec<Record>> {
    let value = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|n| format!(" {n} ")),
        ".{0,40}".prop_map(|text| serde_json::Value::from(text).to_string()),
        "[a-z]{1,9}".prop_map(|name| format!("{{\"{name}\": [1, 2.50, \"\\u00e9\"],  \"{name}\":{{}} }}")),
    ];
    let step = prop_oneof![4 => Just(1_i64), 1 => 1_i64..1_000_000];
    let timestamp = prop_oneof![4 => 1_763_701_200_000_i64..1_763_701_210_000, 1 => any::<i64>()];
    (0_i64..1 << 60, prop::collection::vec((step, timestamp, value), 1..most)).prop_map(|(first, rows)| {
        let mut offset = first;
        let place = |(step, timestamp, value)| {
            offset += step;
            (offset, timestamp, value)
        };
        rows.into_iter().map(place).collect()
    })
}

fn filled(head: BatchHead, records: &[Record]) -> OpenBatch {
    let mut batch = OpenBatch::new(head, usize::MAX);
    for (offset, timestamp, value) in records {
        assert_eq!(batch.push(Offset(*offset), *timestamp, value.as_bytes()), Push::Taken);
    }
    batch
}

/// The longest request that a batch of these records can become.
fn longest(batch: &OpenBatch) -> usize {
    batch.request(u32::MAX, Some(TRACE)).len()
}

proptest! {
    #[test]
    fn the_announced_length_is_the_length(head in heads(), records in records(30), attempt in 1_u32.., traced: bool) {
        let batch = filled(head, &records);
        let trace = traced.then_some(TRACE);
        prop_assert_eq!(batch.request(attempt, trace).len(), batch.request_len(attempt, trace));
    }

    #[test]
    fn what_is_sent_is_the_request_however_often_and_with_whatever_memory(
        head in heads(), records in records(30), more in records(3), attempts in prop::collection::vec(1_u32.., 1..4),
        opening in 0_usize..2_000, bytes in 0_usize..500,
    ) {
        let extent = Extent { records: 3, bytes, opening };
        let (mut batch, plain) = (OpenBatch::with_extent(head.clone(), usize::MAX, extent), filled(head, &records));
        records.iter().for_each(|(offset, timestamp, value)| {
            batch.push(Offset(*offset), *timestamp, value.as_bytes());
        });
        let sent: Vec<_> = attempts.iter().map(|attempt| batch.send(*attempt, None)).collect();
        let wanted: Vec<_> = attempts.iter().map(|attempt| plain.request(*attempt, None)).collect();
        prop_assert_eq!(&sent, &wanted);
        prop_assert_eq!(&batch, &plain);
        let end = records.last().map_or(0, |(offset, ..)| *offset) + 1;
        for (step, (_, timestamp, value)) in more.iter().enumerate() {
            prop_assert_eq!(batch.push(Offset(end + step as i64), *timestamp, value.as_bytes()), Push::Taken);
        }
        prop_assert_eq!(batch.send(7, Some(TRACE)), batch.request(7, Some(TRACE)));
        prop_assert_eq!(&sent, &wanted, "a request that is on its way does not change");
    }

    #[test]
    fn a_batch_like_the_last_one_is_sent_where_it_was_collected(head in heads(), records in records(30)) {
        let last = filled(head.clone(), &records).extent();
        let mut batch = OpenBatch::with_extent(head, usize::MAX, last);
        records.iter().for_each(|(offset, timestamp, value)| {
            batch.push(Offset(*offset), *timestamp, value.as_bytes());
        });
        let value = batch.value(0).map(<[u8]>::as_ptr_range);
        let sent = batch.send(1, None).as_ptr_range();
        prop_assert!(value.is_some_and(|value| sent.start <= value.start && value.end <= sent.end));
    }

    #[test]
    fn no_request_of_several_passes_its_limit_and_no_room_is_wasted(head in heads(), records in records(30), limit in 200_usize..2_000) {
        let mut batch = OpenBatch::new(head.clone(), limit);
        let mut taken: Vec<Record> = Vec::new();
        for (offset, timestamp, value) in records {
            let pushed = batch.push(Offset(offset), timestamp, value.as_bytes());
            let with_it: Vec<_> = taken.iter().cloned().chain([(offset, timestamp, value)]).collect();
            let would_be = longest(&filled(head.clone(), &with_it));
            match pushed {
                Push::Taken => {
                    prop_assert!(would_be <= limit || taken.is_empty());
                    taken = with_it;
                }
                Push::NoRoom => prop_assert!(would_be > limit && !taken.is_empty()),
                Push::NeverFits => prop_assert!(false, "each fits into a request of its own"),
            }
            prop_assert_eq!(batch.len(), taken.len(), "a value that is handed back leaves no trace");
        }
    }

    #[test]
    fn the_dispatcher_reads_what_the_consumer_wrote(head in heads(), records in records(30), attempt in 1_u32.., traced: bool) {
        let batch = filled(head.clone(), &records);
        let payload = batch.request(attempt, traced.then_some(TRACE));
        let request = Request::decode(&payload).expect("our own request");
        let found = BatchHead {
            group: request.group.to_string(),
            topic: request.topic.to_string(),
            partition: request.partition,
            lane: request.lane,
            lanes: request.lanes,
            epoch: request.epoch,
            log: request.log.as_ref().map(ToString::to_string),
            since: request.since.map(Offset),
        };
        prop_assert_eq!(found, head);
        prop_assert_eq!(request.attempt, attempt);
        prop_assert_eq!(request.traceparent.as_deref(), traced.then_some(TRACE));
        prop_assert_eq!(&request.batch_id, &batch.batch_id());
        prop_assert_eq!(request.count(), records.len());
        for (read, (place, (offset, timestamp, value))) in request.records().zip(records.iter().enumerate()) {
            // JSON allows blanks around a text; they belong to the array, not to the value.
            prop_assert_eq!((read.offset.0, read.timestamp, read.value), (*offset, *timestamp, value.trim_matches(' ')));
            prop_assert_eq!(batch.value(place), Some(value.as_bytes()));
        }
    }

    #[test]
    fn halves_of_halves_are_the_whole(head in heads(), records in records(30)) {
        let mut waiting = vec![filled(head.clone(), &records)];
        let mut singles = Vec::new();
        while let Some(batch) = waiting.pop() {
            match batch.split() {
                Some((left, right)) => waiting.extend([right, left]),
                None => singles.push(batch),
            }
        }
        prop_assert_eq!(singles.len(), records.len());
        for (single, record) in singles.iter().zip(&records) {
            prop_assert_eq!(single, &filled(head.clone(), std::slice::from_ref(record)));
        }
    }

    #[test]
    fn any_bytes_are_a_request_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Request::decode(&bytes).is_err());
    }

    #[test]
    fn a_request_cut_short_is_refused(head in heads(), records in records(8), cut in any::<prop::sample::Index>()) {
        let payload = filled(head, &records).request(1, None);
        prop_assert!(Request::decode(&payload[..cut.index(payload.len())]).is_err());
    }
}

proptest! {
    // Each case writes some megabytes.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_record_goes_alone_up_to_what_a_request_may_have_and_no_further(head in heads(), limit in 200_usize..2_000, offset in 0_i64..1 << 60) {
        let fixed = longest(&filled(head.clone(), &[(offset, 0, String::new())]));
        for (length, fate) in [(MAX_REQUEST_BYTES - fixed, Push::Taken), (MAX_REQUEST_BYTES - fixed + 1, Push::NeverFits)] {
            let mut batch = OpenBatch::new(head.clone(), limit);
            prop_assert_eq!(batch.push(Offset(offset), 0, &vec![b'1'; length]), fate);
            prop_assert!(longest(&batch) <= MAX_REQUEST_BYTES);
        }
    }
}
