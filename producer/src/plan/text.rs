//! The plan as people read it.

use super::Plan;
use std::fmt;

/// So many codes are listed one by one.
const LISTED: usize = 10;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.purpose)?;
        if self.part < 1.0 {
            let (limits, part) = (&self.limits, self.part * 100.0);
            write!(f, "  instance {} has {part:.2} % of the load", self.instance)?;
            writeln!(f, ", and of the limits {limits}")?;
        }
        writeln!(
            f,
            "  {:.0} events in {:.0} s, mean {:.1}/s, peak {:.1}/s",
            self.events, self.duration_seconds, self.mean_rate, self.peak_rate
        )?;
        if let Some(climb) = &self.climb {
            let whose = if self.part < 1.0 { "all instances together: " } else { "" };
            writeln!(f, "  {whose}{climb}")?;
        }
        self.mix(f)?;
        let megabytes = self.total_bytes / 1e6;
        writeln!(f, "  {:.0} bytes an event, {megabytes:.1} MB in all, {} keys", self.event_bytes, self.keys)?;
        let share = self.hottest_codes_share * 100.0;
        writeln!(f, "  {} codes, the hottest {} have {share:.2} %", self.codes.len(), self.hottest_codes)?;
        let trucks = &self.trucks;
        let (hottest, fifth) = (trucks.hottest_share * 100.0, trucks.hottest_fifth_share * 100.0);
        write!(f, "  {} of {} trucks, the hottest fifth has {fifth:.2} %", trucks.count, trucks.of)?;
        writeln!(f, ", {} alone {hottest:.2} %", trucks.hottest)?;
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

impl Plan {
    fn mix(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mix = &self.mix;
        let told = [
            (mix.invalid, "invalid (rejected behind Kafka)"),
            (mix.oversize, "oversize (dead letters of the producer)"),
            (mix.duplicates, "sent a second time"),
            (mix.late, "sent late, when their truck is back"),
            (mix.hot_key, "of the hot key"),
        ];
        for (events, what) in told.iter().filter(|(events, _)| *events > 0.0) {
            writeln!(f, "  on purpose: {events:.0} {what}")?;
        }
        Ok(())
    }
}
