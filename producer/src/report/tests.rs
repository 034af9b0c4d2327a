//! The report's arithmetic.

use super::{Report, hottest_share, rate, spread};
use crate::profile::Expected;
use std::collections::HashMap;
use std::time::Duration;

/// Events due until a moment, at a constant rate.
fn due(rate: u32, until: Duration) -> u64 {
    (until * rate).as_secs_f64().round() as u64
}

#[test]
fn the_worst_second_is_a_whole_one() {
    let rate = rate(&[100, 97, 104, 99, 7], 4.6, |until| Some(due(100, until)));
    assert_eq!((rate.worst_second, rate.worst_second_error), (Some(2), Some(0.04)));
    assert_eq!(rate.seconds.len(), 5);
    assert!((rate.mean - 407.0 / 4.6).abs() < 1e-9);
}

#[test]
fn a_run_that_fell_behind_is_held_against_the_rate_of_its_plan() {
    let rate = rate(&[50, 50, 50, 50], 4.0, |until| Some(due(100, until.min(Duration::from_secs(2)))));
    assert_eq!((rate.target, rate.mean), (Some(100.0), 50.0));
}

#[test]
fn a_run_that_is_stopped_in_mid_second_is_held_against_what_was_due_until_then() {
    for (sent, elapsed) in [(&[8_000, 4_400][..], 1.55), (&[4_400][..], 0.55), (&[8_000, 8_000][..], 2.0)] {
        let rate = rate(sent, elapsed, |until| Some(due(8_000, until)));
        assert!((rate.target.unwrap() - 8_000.0).abs() < 1.0, "{rate:?}");
        assert!(rate.seconds.iter().all(|second| second.planned == Some(second.sent)), "{rate:?}");
    }
}

#[test]
fn without_a_plan_there_is_no_error() {
    let rate = rate(&[5, 5], 2.0, |_| None);
    assert_eq!((rate.target, rate.worst_second_error, rate.mean), (None, None, 5.0));
    assert_eq!(super::rate(&[], 0.0, |_| Some(0)).worst_second_error, None);
}

#[test]
fn a_silent_second_is_a_whole_error() {
    let rate = rate(&[10], 3.0, |until| Some(due(10, until)));
    assert_eq!((rate.worst_second_error, rate.worst_second), (Some(1.0), Some(2)));
}

#[test]
fn shares_and_spreads() {
    let codes = HashMap::from([(1, 50), (2, 30), (3, 15), (4, 5)]);
    assert_eq!(hottest_share(&codes, 2), 0.8);
    assert_eq!(hottest_share(&HashMap::new(), 2), 0.0);
    let even = spread("t", 4, &[10, 30]);
    assert_eq!((even.partitions, even.acknowledged, even.hottest_partition_over_mean), (4, 40, 3.0));
    assert_eq!(spread("t", 2, &[]).hottest_partition_over_mean, 0.0);
}

#[test]
fn what_was_expected_is_judged() {
    let mut report = Report { hottest_codes_share: 0.82, ..Report::default() };
    report.rate.worst_second_error = Some(0.03);
    let expected = Expected { worst_second_error: Some(0.05), hottest_share_error: Some(0.01), ..Expected::default() };
    report.expect(&expected, 0.8);
    assert_eq!(report.expected.iter().map(|e| e.met).collect::<Vec<_>>(), [true, false]);
    assert!(report.to_string().contains("NOT as expected: share of the hottest codes"));
}

#[test]
fn the_report_survives_json() {
    let report = Report { run: "r".into(), offered: 3, acknowledged: 2, failed: 1, ..Report::default() };
    assert!(report.adds_up());
    let again: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(again, report);
}

#[test]
fn a_report_from_before_these_fields_is_still_read() {
    let mut report =
        serde_json::to_value(Report { topics: vec![spread("t", 2, &[1, 2])], ..Report::default() }).unwrap();
    let fields = report.as_object_mut().unwrap();
    for field in ["lateness_ms", "ack_latency_series", "ack_latency_distribution"] {
        fields.remove(field).unwrap();
    }
    fields["topics"][0].as_object_mut().unwrap().remove("events").unwrap();
    let read: Report = serde_json::from_value(report).unwrap();
    assert_eq!((read.ack_latency_series.every_seconds, read.topics[0].events.len()), (1, 0));
}
