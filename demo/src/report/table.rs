//! A report for people.

use super::Report;
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ack, end) = (&self.ack_latency_ms, &self.end_to_end_ms);
        let rows = [
            ("story", format!("{}, {:.0} s of load", self.story, self.duration_seconds)),
            ("broker", format!("{}, {} consumers, fault {}", self.broker, self.consumers, self.fault)),
            (
                "rate",
                format!(
                    "{:.1} events/s of {:.0}, worst second {:.2} % off",
                    self.rate_mean,
                    self.rate_target,
                    100.0 * self.rate_worst_second_error
                ),
            ),
            ("offered", self.offered.to_string()),
            ("acknowledged", self.acknowledged.to_string()),
            ("delivered", self.delivered.to_string()),
            ("rejected", self.dead_letters()),
            ("lost", self.lost.to_string()),
            ("order violations", self.order_violations.to_string()),
            (
                "duplicates",
                format!(
                    "{} delivered ({}), {} removed",
                    self.duplicates_delivered,
                    self.explained(),
                    self.duplicates_removed
                ),
            ),
            (
                "ack latency",
                format!("p50 {:.1}  p99 {:.1}  p99.9 {:.1}  max {:.1} ms", ack.p50, ack.p99, ack.p999, ack.max),
            ),
            ("end to end", format!("p50 {:.0}  p99 {:.0} ms", end.p50, end.p99)),
            ("invocations", format!("{}, {:.1} records each", self.invocations, self.batch_mean)),
            ("drained after", format!("{:.1} s", self.drain_seconds)),
            ("memory", format!("{:.0} MB at most, all processes together", self.memory_peak_mb)),
        ];
        writeln!(f)?;
        for (name, value) in rows {
            writeln!(f, "  {name:<18}{value}")?;
        }
        writeln!(f, "\n{}", self.chronicle)?;
        if self.holds {
            return writeln!(
                f,
                "  offered {} = delivered {} + rejected {}: the ledger adds up",
                self.offered, self.delivered, self.rejected
            );
        }
        for reason in &self.broken {
            writeln!(f, "  BROKEN: {reason}")?;
        }
        Ok(())
    }
}
