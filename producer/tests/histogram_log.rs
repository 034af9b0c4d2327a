//! A histogram log is read back by the log reader of another implementation's format: second by second, and all together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use producer::answers::Answers;
use producer::histogram_log::HistogramLog;
use producer::in_flight::{Flying, InFlight, Slots};
use producer::tally::Tally;
use producer::ticket::Ticket;
use runtime::clock::ManualClock;
use runtime::shutdown::Shutdown;
use std::sync::Arc;
use std::time::Duration;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Start, length, maximum and histogram of every interval.
fn read(text: &[u8]) -> Vec<(Duration, Duration, f64, Histogram<u64>)> {
    let mut intervals = Vec::new();
    for entry in IntervalLogIterator::new(text) {
        match entry.unwrap() {
            LogEntry::StartTime(start) | LogEntry::BaseTime(start) => assert_eq!(start, ms(1_763_701_200_123)),
            LogEntry::Interval(interval) => {
                let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
                let histogram = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
                intervals.push((interval.start_timestamp(), interval.duration(), interval.max(), histogram));
            }
        }
    }
    intervals
}

#[test]
fn what_is_acknowledged_is_in_the_log_by_its_second() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ack.hlog");
    let (clock, in_flight) = (ManualClock::starting_at(0), InFlight::new(1));
    let answers =
        Answers::new(in_flight.clone(), Tally::default(), Arc::new(clock.clone()), Shutdown::new(), false).unwrap();
    let writing = HistogramLog::create(&path).unwrap().start(1_763_701_200_123, &answers).unwrap();
    answers.started();
    let mut slots = Slots::new(in_flight);
    // 100 events a second for 3.5 seconds, 10 ms each, the ones of the third second 250 ms; then silence.
    for number in 0..350_u64 {
        let latency = if (200..300).contains(&number) { 250 } else { 10 };
        clock.advance(ms(10));
        let due = ms((number + 1) * 10).saturating_sub(ms(latency));
        let slot = slots
            .take(
                Flying {
                    due,
                    waited: Duration::ZERO,
                    series: 0,
                    seq: number,
                    topic: 0,
                    ticket: Ticket::NONE,
                    spooled: 0,
                },
                due,
            )
            .unwrap();
        answers.acknowledged(slot, 0);
    }
    let latency = answers.take().latency;
    writing.finish().unwrap();

    let text = std::fs::read(&path).unwrap();
    assert!(text.starts_with(b"#[Histogram log format version 1.3]\n"));
    let intervals = read(&text);
    let seconds: Vec<(u64, Duration, u64)> =
        intervals.iter().map(|(start, length, _, histogram)| (start.as_secs(), *length, histogram.len())).collect();
    assert_eq!(seconds, [(0, ms(1_000), 99), (1, ms(1_000), 100), (2, ms(1_000), 100), (3, ms(500), 51)]);
    let (_, _, most, third) = &intervals[2];
    assert!((*most - 250.0).abs() < 0.5, "milliseconds for people: {most}");
    assert!((249_000..=251_000).contains(&third.value_at_quantile(0.9)), "microseconds inside");
    let mut all = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3).unwrap();
    intervals.iter().for_each(|(.., histogram)| all.add(histogram).unwrap());
    assert_eq!((all.len(), all.value_at_quantile(0.99) as f64 / 1_000.0), (350, latency.whole.p99));
}

#[test]
fn a_log_that_cannot_be_written_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = HistogramLog::create(&folder.path().join("no/ack.hlog")).err().unwrap().to_string();
    assert!(error.starts_with("the histogram log ") && error.contains("no/ack.hlog cannot be written: "), "{error}");
}
