//! Seconds, laps, the whole and the log agree with what was recorded.

use super::{Interval, Lap, Recorder};
use std::time::Duration;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Three seconds of acknowledgements with a silent one between them.
fn recorded(mut recorder: Recorder) -> Recorder {
    (0..1_000).for_each(|at| recorder.record(ms(at), ms(5), true));
    (1_000..2_000).for_each(|at| recorder.record(ms(at), ms(if at < 1_020 { 800 } else { 5 }), true));
    (3_000..3_250).for_each(|at| recorder.record(ms(at), ms(7), true));
    recorder
}

#[test]
fn every_second_has_its_point_and_the_whole_has_all() {
    let mut recorder = recorded(Recorder::new().unwrap());
    let so_far = recorder.so_far();
    let end = recorder.finish(ms(3_250));
    assert_eq!(so_far, end.whole, "the second that runs counts too");
    let points: Vec<(u64, u64)> = end.series.points.iter().map(|point| (point.second, point.count)).collect();
    assert_eq!(points, [(0, 1_000), (1, 1_000), (3, 250)]);
    let second = end.series.points[1];
    assert!((second.p50 - 5.0).abs() < 0.01 && (second.p99 - 800.0).abs() < 1.0, "{second:?}");
    assert!((end.whole.p50 - 5.0).abs() < 0.01 && (end.whole.max - 800.0).abs() < 1.0, "{:?}", end.whole);
}

#[test]
fn the_distribution_ends_where_there_are_too_few_values() {
    let mut recorder = recorded(Recorder::new().unwrap());
    let distribution = recorder.finish(ms(3_250)).distribution;
    let quantiles: Vec<f64> = distribution.iter().map(|point| point.quantile).collect();
    assert_eq!(quantiles.last_chunk::<3>(), Some(&[0.999, 0.9995, 1.0]), "2,250 values");
    assert!(distribution.is_sorted_by(|a, b| a.quantile < b.quantile && a.ms <= b.ms), "{distribution:?}");
    assert!(Recorder::new().unwrap().finish(ms(9)).distribution.is_empty());
}

#[test]
fn a_lap_holds_what_came_since_the_one_before() {
    let mut recorder = Recorder::new().unwrap();
    recorder.record(ms(1), ms(900), true);
    assert_eq!(recorder.lap(), Lap::default(), "the first call only starts");
    assert_eq!(recorder.lap(), Lap { acknowledged: 0, p99: None });
    (0..100).for_each(|at| recorder.record(ms(at), ms(at), true));
    let lap = recorder.lap();
    assert_eq!(lap.acknowledged, 100);
    assert!((98..=99).contains(&lap.p99.unwrap().as_millis()), "{lap:?}");
    recorder.record(ms(200), ms(3_600_000), false);
    assert_eq!(recorder.lap(), Lap::default(), "without what an earlier run left");
    assert!(recorder.so_far().max >= 600_000.0, "which the whole run has");
}

#[test]
fn the_log_gets_every_second_and_its_end() {
    let (log, intervals) = crossbeam_channel::bounded(8);
    let mut recorder = Recorder::new().unwrap();
    recorder.log(log);
    recorded_and_finished(recorder);
    let of = |interval: Interval| (interval.start.as_secs(), interval.length, interval.histogram.len());
    let intervals: Vec<_> = intervals.iter().map(of).collect();
    assert_eq!(intervals, [(0, ms(1_000), 1_000), (1, ms(1_000), 1_000), (3, ms(250), 250)]);
}

fn recorded_and_finished(recorder: Recorder) {
    recorded(recorder).finish(ms(3_250));
}

#[test]
fn a_log_that_does_not_keep_up_never_holds_an_answer_up() {
    let (log, intervals) = crossbeam_channel::bounded(1);
    let mut recorder = Recorder::new().unwrap();
    recorder.log(log);
    recorded_and_finished(recorder);
    assert_eq!(intervals.iter().count(), 1);
}
