//! The key numbers of a page, as a table.

use super::text::{Escaped, count, number};
use crate::report::Report;
use std::fmt;

pub(super) fn figures(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    writeln!(f, "<div class=\"scroll\"><table class=\"figures\">")?;
    for (name, value) in [events(report), rates(report), cost(report)].concat() {
        writeln!(f, "<tr><td>{}</td><td>{}</td></tr>", Escaped(name), Escaped(&value))?;
    }
    for (reason, failed) in &report.failures {
        writeln!(f, "<tr><td>failed</td><td class=\"bad\">{} x {}</td></tr>", count(*failed), Escaped(reason))?;
    }
    for expectation in &report.expected {
        let (class, met) = if expectation.met { ("good", "as expected") } else { ("bad", "NOT as expected") };
        let (what, found, limit) = (Escaped(&expectation.what), expectation.found * 100.0, expectation.limit * 100.0);
        writeln!(f, "<tr><td>{met}</td><td class=\"{class}\">{what}: {found:.2} %, at most {limit:.2} %</td></tr>")?;
    }
    writeln!(f, "</table></div>")
}

type Rows = Vec<(&'static str, String)>;

fn events(report: &Report) -> Rows {
    let mut rows = vec![
        ("offered", count(report.offered)),
        ("sent", format!("{} ({} MB)", count(report.sent), number(report.sent_bytes as f64 / 1e6))),
        ("acknowledged", count(report.acknowledged)),
        ("dead-lettered", count(report.dead_lettered)),
        ("failed", count(report.failed)),
    ];
    for (name, value) in [
        ("bad lines", report.bad_lines),
        ("without a route", report.unroutable),
        ("not in the ledger", report.not_in_ledger),
        ("not set aside", report.not_set_aside),
    ] {
        if value > 0 {
            rows.push((name, count(value)));
        }
    }
    rows
}

fn rates(report: &Report) -> Rows {
    let (rate, late, latency) = (&report.rate, &report.lateness_ms, &report.ack_latency_ms);
    let planned = rate.target.map_or(String::new(), |target| format!(" of {} planned", number(target)));
    let worst = match (rate.worst_second_error, rate.worst_second) {
        (Some(error), Some(second)) => format!("{:.2} % off (second {second})", error * 100.0),
        _ => "-".into(),
    };
    let (p50, p90, p99) = (number(latency.p50), number(latency.p90), number(latency.p99));
    let (p999, max) = (number(latency.p999), number(latency.max));
    vec![
        ("mean rate", format!("{} events/s{planned}", number(rate.mean))),
        ("worst second", worst),
        ("ack latency", format!("p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max} ms from the due time")),
        ("lateness", format!("p50 {}, p99 {}, max {} ms", number(late.p50), number(late.p99), number(late.max))),
        ("late sends", format!("{} more than 10 ms late after the first second", count(late.late_sends))),
        ("waits for room", count(report.queue_full)),
    ]
}

fn cost(report: &Report) -> Rows {
    let (seconds, each) = (number(report.cpu_seconds), number(report.cpu_us_per_event));
    let share = format!("the hottest {} have {:.2} %", report.hottest_codes, report.hottest_codes_share * 100.0);
    vec![
        ("codes", share),
        ("CPU", format!("{seconds} s, {each} us an acknowledged event")),
        ("peak memory", format!("{} MiB", number(report.peak_rss_bytes as f64 / f64::from(1 << 20)))),
    ]
}
