//! The climb as people read it.

use super::{Failing, Knee, Step};
use std::fmt;

impl fmt::Display for Knee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  knee        {}", self.sentence())?;
        writeln!(f, "  {:>11} {:>12} {:>12} {:>10}", "wanted/s", "reached/s", "ack p99 ms", "queue")?;
        for step in &self.steps {
            let Step { measured, .. } = step;
            let p99 = measured.ack_p99_ms.map_or("none".into(), |p99| format!("{p99:.1}"));
            writeln!(
                f,
                "  {:>11.1} {:>12.1} {p99:>12} {:>10}  {}",
                measured.wanted,
                measured.reached,
                measured.queue,
                step.verdict()
            )?;
        }
        Ok(())
    }
}

impl Step {
    /// `held`, or what it failed by.
    pub fn verdict(&self) -> String {
        if self.held() {
            return "held".into();
        }
        let named: Vec<&str> = self.failed_by.iter().map(|failing| failing.name()).collect();
        format!("failed: {}", named.join(", "))
    }
}

impl Failing {
    fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::AckP99 => "ack p99",
            Self::Queue => "queue",
        }
    }
}

impl Knee {
    /// The highest sustained rate and what broke it, in one line.
    pub fn sentence(&self) -> String {
        let sustained = self.highest_sustained.map_or_else(
            || "no step held".to_owned(),
            |rate| format!("the highest sustained rate is {rate:.1} events/s"),
        );
        format!("{sustained}; {}", self.end())
    }

    fn end(&self) -> String {
        let Some(at) = self.broken_at else {
            let why = if self.is_done() {
                "the last step passed no limit: raise shape.highest to find one"
            } else {
                "it ended before a step passed a limit"
            };
            return why.into();
        };
        let last = self.steps.last().map(|step| step.measured).unwrap_or_default();
        let broken: Vec<String> = self
            .broken_by
            .iter()
            .map(|failing| match failing {
                Failing::AckP99 => {
                    let limit = self.limits.ack_p99_ms;
                    last.ack_p99_ms.map_or("nothing was acknowledged".into(), |p99| {
                        format!("ack p99 was {p99:.1} ms, the limit is {limit:.1}")
                    })
                }
                Failing::Queue => format!("the queue was {}, the limit is {}", last.queue, self.limits.queue),
                Failing::Rate => format!("only {:.1} events/s were reached", last.reached),
            })
            .collect();
        format!("at {at:.1} {}", broken.join(" and "))
    }
}
