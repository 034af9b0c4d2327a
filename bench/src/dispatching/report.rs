//! All figures of a run: a table for people, JSON for programs.

use crate::bound::{self, Bound};
use crate::dispatching::bounds::{self, mb};
use crate::dispatching::deployed::Deployed;
use crate::dispatching::package::Package;
use crate::dispatching::speed::{RECORDS, Speed};
use serde::Serialize;
use std::fmt;

/// What a run of the bench came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Processors that this process may use, and the load (1 min) when it started: noise shows here.
    pub processors: usize,
    pub load_before: f64,
    pub packages: Vec<Package>,
    /// Of the package that this machine can run, if there is one.
    pub deployed: Option<Deployed>,
    pub speed: Option<Speed>,
    pub bounds: Vec<Bound>,
}

impl Report {
    /// Judges all that is there.
    pub fn judge(&mut self) {
        let packages = self.packages.iter().flat_map(bounds::of_package);
        self.bounds = packages.chain(self.speed.iter().flat_map(bounds::of_speed)).collect();
    }

    /// The bounds that were missed, each as a sentence.
    pub fn missed(&self) -> Vec<String> {
        bound::missed(&self.bounds)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:<8} {:>8} {:>13} {:>6}", "package", "zip MB", "bootstrap MB", "glibc")?;
        for Package { zip_bytes, bootstrap_bytes, needs, .. } in &self.packages {
            let (zip, program, (major, minor)) = (mb(*zip_bytes), mb(*bootstrap_bytes), needs.glibc);
            writeln!(f, "  {:<8} {zip:>8.2} {program:>13.2} {:>6}", needs.architecture, format!("{major}.{minor}"))?;
        }
        writeln!(f)?;
        match (&self.deployed, &self.speed) {
            (Some(deployed), Some(speed)) => self.process(f, deployed, speed)?,
            _ => writeln!(f, "  not run: no package for this machine ({})", Package::of_this_machine())?,
        }
        writeln!(f)?;
        bound::lines(f, &self.bounds)
    }
}

impl Report {
    fn process(&self, f: &mut fmt::Formatter<'_>, deployed: &Deployed, speed: &Speed) -> fmt::Result {
        let count = |name: &str| deployed.answer[name].as_array().map_or(0, Vec::len);
        writeln!(
            f,
            "  deployed to the emulator in {:.1} s and invoked in {:.1} s: delivered {}, duplicates {}, rejected {}, retry {}, as the contract has it\n",
            deployed.deploy_seconds,
            deployed.invoke_seconds,
            deployed.answer["delivered"],
            deployed.answer["duplicates"],
            count("rejected"),
            count("retry"),
        )?;
        writeln!(f, "  {:<26} {}", format!("cold start ms, of {}", speed.starts), speed.cold_start_ms.range(1))?;
        let batches = format!("batch of {RECORDS} ms, of {}", speed.batches);
        writeln!(f, "  {batches:<26} {}, the first {:.2}", speed.batch_ms.range(2), speed.first_batch_ms)?;
        writeln!(f, "  {:<26} {:.1}", "peak memory MB", mb(speed.peak_bytes))?;
        let (processors, load) = (self.processors, self.load_before);
        writeln!(f, "  medians (least - most); {processors} processors, load {load:.1} before")
    }
}

#[cfg(test)]
mod tests {
    use super::Report;
    use crate::dispatching::deployed::Deployed;
    use crate::dispatching::package::{Needs, Package};
    use crate::dispatching::speed::Speed;
    use crate::statistics::Spread;
    use serde_json::json;

    #[test]
    fn the_table_shows_every_figure_and_what_was_missed() {
        let needs = Needs { architecture: "x86_64", glibc: (2, 30) };
        let (zip_bytes, bootstrap_bytes) = (5_120_000, 14_000_000);
        let package = Package { zip: "x".into(), zip_bytes, bootstrap_bytes, needs, bootstrap: "x".into() };
        let answer = json!({"delivered": 3, "duplicates": 1, "rejected": [1, 2], "retry": []});
        let speed = Speed {
            starts: 20,
            cold_start_ms: Spread { median: 12.34, least: 11.0, most: 31.0 },
            batches: 200,
            first_batch_ms: 3.4,
            batch_ms: Spread { median: 3.1, least: 1.0, most: 9.0 },
            peak_bytes: 40_000_000,
        };
        let mut report = Report { packages: vec![package], ..Report::default() };
        assert!(report.to_string().contains("not run: no package for this machine"), "{report}");
        report.deployed = Some(Deployed { deploy_seconds: 0.5, invoke_seconds: 0.1, answer });
        report.speed = Some(speed);
        report.judge();
        let text = report.to_string();
        for part in [
            "  x86_64       5.12         14.00   2.30\n",
            "delivered 3, duplicates 1, rejected 2, retry 0, as the contract has it",
            "  cold start ms, of 20       12.3 (11.0 - 31.0)\n",
            "  batch of 500 ms, of 200    3.10 (1.00 - 9.00), the first 3.40\n",
            "  peak memory MB             40.0\n",
            "  holds   cold start 12.34 ms, at most 30 ms\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert_eq!(report.missed(), ["batch of 500 records 3.10 ms, at most 3 ms"]);
    }
}
