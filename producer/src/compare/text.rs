//! The comparison as people read it.

use super::{Better, Comparison, Figure};
use std::fmt;

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "A is run {}, B is run {}", self.a, self.b)?;
        if !self.same_load {
            writeln!(f, "they had different loads, so the figures tell of the loads too")?;
        }
        let longest = self.figures.iter().map(|figure| figure.name.chars().count()).max().unwrap_or_default();
        writeln!(f, "  {:<longest$} {:<8} {:>14} {:>14} {:>14} {:>10}", "", "", "A", "B", "difference", "per cent")?;
        for figure in &self.figures {
            let Figure { name, unit, .. } = figure;
            let [a, b, difference] = [figure.a, figure.b, figure.difference].map(shown);
            let difference =
                if figure.difference.is_some_and(|by| by > 0.0) { format!("+{difference}") } else { difference };
            let line = format!(
                "  {name:<longest$} {unit:<8} {a:>14} {b:>14} {difference:>14} {:>10}  {}",
                figure.share(),
                figure.verdict()
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl Figure {
    /// The difference in per cent of A.
    fn share(&self) -> String {
        match (self.per_cent, self.difference) {
            (Some(per_cent), _) => format!("{per_cent:+.1} %"),
            (None, Some(_)) => "from 0".into(),
            (None, None) => "-".into(),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.better {
            Some(Better::A) => "A is better",
            Some(Better::B) => "B is better",
            Some(Better::Same) | None => "",
        }
    }

    /// For a sentence: `ack p99 (12.5 to 20 ms, +60.0 %)`.
    pub(super) fn named(&self) -> String {
        let [a, b] = [self.a, self.b].map(shown);
        format!("{} ({a} to {b} {}, {})", self.name, self.unit, self.share())
    }
}

fn shown(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(whole) if whole.fract() == 0.0 => format!("{whole:.0}"),
        Some(large) if large.abs() >= 1_000.0 => format!("{large:.1}"),
        Some(small) => format!("{small:.3}"),
    }
}
