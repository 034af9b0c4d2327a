//! The report as people read it.

use super::Report;
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "run {} of {}: {} after {:.1} s", self.run, self.source, self.ended, self.duration_seconds)?;
        writeln!(
            f,
            "  events      offered {}  sent {}  acknowledged {}  dead-lettered {}  failed {}",
            self.offered, self.sent, self.acknowledged, self.dead_lettered, self.failed
        )?;
        if self.spooled + self.in_spool + self.recovered > 0 {
            let (taken, left, found) = (self.spooled, self.in_spool, self.recovered);
            writeln!(
                f,
                "  spool       taken {taken}  left for the next run {left}  found from an earlier one {found}"
            )?;
        }
        for (reason, count) in &self.failures {
            writeln!(f, "  failed      {count} x {reason}")?;
        }
        if self.bad_lines + self.unroutable + self.not_in_ledger > 0 {
            let (bad, unroutable, unnamed) = (self.bad_lines, self.unroutable, self.not_in_ledger);
            writeln!(f, "  beside      bad lines {bad}  without a route {unroutable}  not in the ledger {unnamed}")?;
        }
        if self.not_set_aside > 0 {
            writeln!(f, "  nowhere     {} bad lines or events without a route: no file took them", self.not_set_aside)?;
        }
        self.rate(f)?;
        let latency = &self.ack_latency_ms;
        writeln!(
            f,
            "  ack latency p50 {:.1} ms  p90 {:.1}  p99 {:.1}  p99.9 {:.1}  max {:.1}  (from the due time)",
            latency.p50, latency.p90, latency.p99, latency.p999, latency.max
        )?;
        let late = &self.lateness_ms;
        writeln!(
            f,
            "  lateness    p50 {:.1} ms  p99 {:.1}  max {:.1}  more than 10 ms late after the first second: {}",
            late.p50, late.p99, late.max, late.late_sends
        )?;
        self.spread(f)?;
        writeln!(
            f,
            "  process     {:.2} s CPU  {:.2} us/event  peak {:.0} MiB",
            self.cpu_seconds,
            self.cpu_us_per_event,
            self.peak_rss_bytes as f64 / (1 << 20) as f64
        )?;
        for expectation in &self.expected {
            let met = if expectation.met { "as expected" } else { "NOT as expected" };
            let (what, found, limit) = (&expectation.what, expectation.found * 100.0, expectation.limit * 100.0);
            writeln!(f, "  {met}: {what} {found:.2} %, at most {limit:.2} %")?;
        }
        self.knee.as_ref().map_or(Ok(()), |knee| knee.fmt(f))
    }
}

impl Report {
    fn rate(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = &self.rate;
        write!(f, "  rate        mean {:.1}/s", rate.mean)?;
        if let Some(target) = rate.target {
            write!(f, "  planned {target:.1}/s")?;
        }
        if let (Some(error), Some(second)) = (rate.worst_second_error, rate.worst_second) {
            write!(f, "  worst second {:.2} % off (second {second})", error * 100.0)?;
        }
        let megabytes = self.sent_bytes as f64 / 1e6;
        writeln!(f, "  waits for room {}  {megabytes:.1} MB", self.queue_full)
    }

    fn spread(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (codes, share) = (self.hottest_codes, self.hottest_codes_share * 100.0);
        writeln!(f, "  codes       the hottest {codes} have {share:.2} %")?;
        for topic in &self.topics {
            writeln!(
                f,
                "  topic       {}: {} in {} partitions, hottest over mean {:.2}",
                topic.topic, topic.acknowledged, topic.partitions, topic.hottest_partition_over_mean
            )?;
        }
        Ok(())
    }
}
