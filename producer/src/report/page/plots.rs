//! The plots of a page: rate, latency over time, latency distribution, partitions.

use super::axis::{Axis, nines};
use super::bars::Bars;
use super::chart::{Chart, Line};
use super::text::{Escaped, count, number};
use crate::latency::Point;
use crate::report::Report;
use std::fmt;

pub(super) fn rate(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let seconds = &report.rate.seconds;
    // The last, partial second would look like a drop.
    let whole = &seconds[..seconds.len().min(report.duration_seconds.floor() as usize)];
    writeln!(f, "<h2>Rate</h2>")?;
    if whole.is_empty() {
        return writeln!(f, "<p>The run was shorter than a second.</p>");
    }
    writeln!(f, "<p>Events that the client took in each whole second, against those that were due in it.</p>")?;
    let planned = |(at, second): (usize, &crate::report::Second)| Some((at as f64 + 0.5, second.planned? as f64));
    let planned: Vec<(f64, f64)> = whole.iter().enumerate().filter_map(planned).collect();
    let sent = whole.iter().enumerate().map(|(at, second)| (at as f64 + 0.5, second.sent as f64)).collect();
    let most = whole.iter().map(|second| second.sent.max(second.planned.unwrap_or_default())).max();
    let mut lines = vec![line("sent", "one", sent)];
    if !planned.is_empty() {
        lines.push(line("planned", "plan", planned));
    }
    let (x, y) = (seconds_axis(report), Axis::linear("events/s", most.unwrap_or_default() as f64));
    write!(f, "{}", Chart { about: "events sent per second against the plan", x, y, lines })
}

pub(super) fn latency(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let series = &report.ack_latency_series;
    writeln!(f, "<h2>Acknowledgement latency over time</h2>")?;
    if series.points.is_empty() {
        return writeln!(f, "<p>Nothing was acknowledged.</p>");
    }
    let every = match series.every_seconds {
        1 => "second".to_owned(),
        more => format!("{more} seconds"),
    };
    writeln!(f, "<p>From the due time, by the time of the acknowledgement; a point for every {every}.</p>")?;
    let width = series.every_seconds as f64;
    let of = |name: &str, class, value: fn(&Point) -> f64| {
        let points = series.points.iter().map(|point| (point.second as f64 + width / 2.0, value(point))).collect();
        Line { name: name.to_owned(), class, points, gap: width * 1.5 }
    };
    let lines = vec![
        of("max", "three", |point| point.max),
        of("p99", "one", |point| point.p99),
        of("p50", "two", |point| point.p50),
    ];
    let y = Axis::powers("ms, powers of ten", values(&lines));
    write!(f, "{}", Chart { about: "acknowledgement latency over time", x: seconds_axis(report), y, lines })
}

pub(super) fn distribution(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let Some((most, below)) = report.ack_latency_distribution.split_last() else { return Ok(()) };
    writeln!(f, "<h2>Acknowledgement latency by percentile</h2>")?;
    writeln!(f, "<p>Of all acknowledgements so many per cent took at most so long. The line ends at the maximum.</p>")?;
    let last = 1.0 - 1.0 / (report.acknowledged.max(2) as f64);
    let mut points: Vec<(f64, f64)> = below.iter().map(|point| (nines(point.quantile), point.ms)).collect();
    points.push((nines(last), most.ms));
    let lines = vec![Line { name: "latency".into(), class: "one", points, gap: f64::INFINITY }];
    let y = Axis::powers("ms, powers of ten", values(&lines));
    let x = Axis::nines("percentile", last);
    write!(f, "{}", Chart { about: "acknowledgement latency by percentile", x, y, lines })
}

pub(super) fn partitions(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    for topic in report.topics.iter().filter(|topic| !topic.events.is_empty()) {
        writeln!(f, "<h2>Partitions of {}</h2>", Escaped(&topic.topic))?;
        let (all, over) = (count(topic.acknowledged), number(topic.hottest_partition_over_mean));
        writeln!(f, "<p>{all} acknowledged events; the fullest partition has {over} times the mean (dashed).</p>")?;
        write!(f, "{}", Bars(topic))?;
    }
    Ok(())
}

fn line(name: &str, class: &'static str, points: Vec<(f64, f64)>) -> Line {
    Line { name: name.to_owned(), class, points, gap: f64::INFINITY }
}

/// Acknowledgements come after the last event was sent.
fn seconds_axis(report: &Report) -> Axis {
    let series = &report.ack_latency_series;
    let last = series.points.last().map_or(0.0, |point| (point.second + series.every_seconds) as f64);
    Axis::time("seconds since the start", last.max(report.duration_seconds))
}

fn values(lines: &[Line]) -> impl Iterator<Item = f64> {
    lines.iter().flat_map(|line| line.points.iter().map(|(_, value)| *value))
}
