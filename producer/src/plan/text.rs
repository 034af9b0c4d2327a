//! The plan as people read it.

use super::Plan;
use std::fmt;

/// So many codes are listed one by one.
const LISTED: usize = 10;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.purpose)?;
        writeln!(
            f,
            "  {} events in {:.0} s, mean {:.1}/s, peak {:.1}/s, {:.0} of them invalid on purpose",
            self.events, self.duration_seconds, self.mean_rate, self.peak_rate, self.invalid_events
        )?;
        if let Some(climb) = &self.climb {
            writeln!(f, "  {climb}")?;
        }
        let megabytes = self.total_bytes / 1e6;
        writeln!(f, "  {:.0} bytes an event, {megabytes:.1} MB in all, {} keys", self.event_bytes, self.keys)?;
        let share = self.hottest_codes_share * 100.0;
        writeln!(f, "  {} codes, the hottest {} have {share:.2} %", self.codes.len(), self.hottest_codes)?;
        writeln!(f, "\n  {:>8} {:>9} {:>12}  topic", "codigo", "share", "events/s")?;
        for code in self.codes.iter().take(LISTED) {
            let topic = code.topic.as_deref().unwrap_or("(no route)");
            writeln!(f, "  {:>8} {:>7.2} % {:>12.1}  {topic}", code.codigo, code.share * 100.0, code.rate)?;
        }
        if self.codes.len() > LISTED {
            writeln!(f, "  {:>8} {} more, all of them with --json", "...", self.codes.len() - LISTED)?;
        }
        writeln!(f, "\n  {:<24} {:>9} {:>12} {:>11}  hottest over mean", "topic", "share", "events/s", "partitions")?;
        for topic in &self.topics {
            writeln!(
                f,
                "  {:<24} {:>7.2} % {:>12.1} {:>11}  {:.2}",
                topic.topic,
                topic.share * 100.0,
                topic.rate,
                topic.partitions,
                topic.hottest_partition_over_mean
            )?;
        }
        if !self.expected.is_empty() {
            writeln!(f, "\n  expected: {}", self.expected)?;
        }
        Ok(())
    }
}
