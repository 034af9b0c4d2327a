//! Which figures two reports are compared by.

use super::{Figure, Good};
use crate::report::{Report, TopicSpread};

/// A figure of a report; `None` where a run has none.
type Value = fn(&Report) -> Option<f64>;

const LOAD: [(&str, &str, Good, Value); 7] = [
    ("duration", "s", Good::Neutral, |report| Some(report.duration_seconds)),
    ("planned rate", "events/s", Good::Neutral, |report| report.rate.target),
    ("mean rate", "events/s", Good::Neutral, |report| Some(report.rate.mean)),
    ("offered", "events", Good::Neutral, |report| Some(report.offered as f64)),
    ("acknowledged", "events", Good::Neutral, |report| Some(report.acknowledged as f64)),
    ("bytes", "MB", Good::Neutral, |report| Some(report.sent_bytes as f64 / 1e6)),
    ("hottest codes", "%", Good::Neutral, |report| Some(report.hottest_codes_share * 100.0)),
];

const QUALITY: [(&str, &str, Good, Value); 16] = [
    (FAILED, "events", Good::Low, |report| Some(report.failed as f64)),
    (DEAD_LETTERED, "events", Good::Low, |report| Some(report.dead_lettered as f64)),
    (RATE_ERROR, "%", Good::Low, |report| Some(report.rate.worst_second_error? * 100.0)),
    ("lateness p99", "ms", Good::Low, |report| Some(report.lateness_ms.p99)),
    ("lateness max", "ms", Good::Low, |report| Some(report.lateness_max_ms)),
    ("late sends", "events", Good::Low, |report| Some(report.lateness_ms.late_sends as f64)),
    ("waits for room", "", Good::Low, |report| Some(report.queue_full as f64)),
    ("ack p50", "ms", Good::Low, |report| acknowledged(report, report.ack_latency_ms.p50)),
    ("ack p90", "ms", Good::Low, |report| acknowledged(report, report.ack_latency_ms.p90)),
    (ACK_P99, "ms", Good::Low, |report| acknowledged(report, report.ack_latency_ms.p99)),
    ("ack p99.9", "ms", Good::Low, |report| acknowledged(report, report.ack_latency_ms.p999)),
    ("ack max", "ms", Good::Low, |report| acknowledged(report, report.ack_latency_ms.max)),
    ("CPU", "s", Good::Low, |report| Some(report.cpu_seconds)),
    (CPU_PER_EVENT, "us", Good::Low, |report| Some(report.cpu_us_per_event)),
    ("peak memory", "MiB", Good::Low, |report| Some(report.peak_rss_bytes as f64 / f64::from(1 << 20))),
    ("highest sustained", "events/s", Good::High, |report| report.knee.as_ref()?.highest_sustained),
];

const FAILED: &str = "failed";
const DEAD_LETTERED: &str = "dead-lettered";
const RATE_ERROR: &str = "worst second's rate error";
const ACK_P99: &str = "ack p99";
const CPU_PER_EVENT: &str = "CPU per event";

/// What `--fail-if-worse` looks at.
const GUARDED: [&str; 5] = [FAILED, DEAD_LETTERED, RATE_ERROR, ACK_P99, CPU_PER_EVENT];

/// A run without an acknowledgement has no latency.
fn acknowledged(report: &Report, value: f64) -> Option<f64> {
    (report.acknowledged > 0).then_some(value)
}

/// All figures that at least one of the reports has.
pub(super) fn figures(a: &Report, b: &Report) -> Vec<Figure> {
    let known = LOAD.iter().chain(&QUALITY).map(|(name, unit, good, value)| Figure {
        guarded: GUARDED.contains(name),
        ..Figure::new((*name).to_owned(), unit, *good, (value(a), value(b)))
    });
    known.chain(spreads(a, b)).filter(|figure| figure.a.is_some() || figure.b.is_some()).collect()
}

/// The hottest partition of every topic.
fn spreads(a: &Report, b: &Report) -> impl Iterator<Item = Figure> {
    let of = |report: &Report, name: &str| {
        let topic = report.topics.iter().find(|topic| topic.topic == name)?;
        Some(topic.hottest_partition_over_mean)
    };
    let is_new = |topic: &&TopicSpread| a.topics.iter().all(|known| known.topic != topic.topic);
    let names = a.topics.iter().chain(b.topics.iter().filter(is_new)).map(|topic| topic.topic.as_str());
    let figures: Vec<Figure> = names
        .map(|name| {
            let title = format!("{name}: hottest partition");
            Figure::new(title, "x mean", Good::Low, (of(a, name), of(b, name)))
        })
        .collect();
    figures.into_iter()
}
