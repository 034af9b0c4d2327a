//! What one run of a rival came to, and what all runs of it come to.

use crate::statistics::Spread;
use serde::Serialize;

/// One run of one rival, in a process of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run<R> {
    pub rival: R,
    /// From 1; the runs of one round stand side by side. 0 is the run of a few records that shows what a start costs.
    pub round: u32,
    pub records: u64,
    /// From the first record to the last: of a producer, from the first send to the last acknowledgement.
    pub seconds: f64,
    /// User and system time of the whole process, from its start to its end.
    pub cpu_seconds: f64,
    /// The highest resident memory.
    pub peak_bytes: u64,
}

impl<R> Run<R> {
    fn throughput(&self) -> f64 {
        self.records as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// Microseconds a record, which is the same number as seconds per million records.
    fn cpu_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.records.max(1) as f64
    }
}

/// All runs of one rival.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures<R> {
    pub rival: R,
    /// Records a second.
    pub throughput: Spread,
    /// CPU of the client, microseconds a record (seconds per million records).
    pub cpu_us: Spread,
    /// CPU of a start: the process, its connections, the file of events.
    pub start_cpu_seconds: f64,
    pub peak_mib: f64,
}

/// How one rival does against another one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ratio<R> {
    pub rival: R,
    pub against: R,
    pub throughput: Spread,
    pub cpu: Spread,
}

/// Every run that was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Runs<R>(pub Vec<Run<R>>);

impl<R> Default for Runs<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R: Copy + PartialEq> Runs<R> {
    /// The figures of a rival; `None` when it did not run.
    pub fn figures(&self, rival: R) -> Option<Figures<R>> {
        let runs = self.counted(rival);
        let each = |value: fn(&Run<R>) -> f64| Spread::of(&runs.iter().map(|run| value(run)).collect::<Vec<_>>());
        let start = self.0.iter().find(|run| run.rival == rival && run.round == 0);
        let peak = runs.iter().map(|run| run.peak_bytes).max()?;
        Some(Figures {
            rival,
            throughput: each(Run::throughput),
            cpu_us: each(Run::cpu_us),
            start_cpu_seconds: start.map_or(0.0, |run| run.cpu_seconds),
            peak_mib: peak as f64 / f64::from(1 << 20),
        })
    }

    /// Round by round; `None` unless both ran.
    pub fn ratio(&self, rival: R, against: R) -> Option<Ratio<R>> {
        let (ours, theirs) = (self.counted(rival), self.counted(against));
        if ours.is_empty() || theirs.is_empty() {
            return None;
        }
        let each = |value: fn(&Run<R>) -> f64| {
            let values = |runs: &[&Run<R>]| runs.iter().map(|run| value(run)).collect::<Vec<_>>();
            Spread::of_ratios(&values(&ours), &values(&theirs))
        };
        Some(Ratio { rival, against, throughput: each(Run::throughput), cpu: each(Run::cpu_us) })
    }

    fn counted(&self, rival: R) -> Vec<&Run<R>> {
        self.0.iter().filter(|run| run.rival == rival && run.round > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Run, Runs};

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Rival {
        C,
        Ours,
        Java,
    }

    fn run(rival: Rival, round: u32, seconds: f64, cpu_seconds: f64) -> Run<Rival> {
        Run { rival, round, records: 1_000_000, seconds, cpu_seconds, peak_bytes: u64::from(round) << 20 }
    }

    #[test]
    fn a_start_counts_for_itself_and_rounds_are_held_against_each_other() {
        let runs = Runs(vec![
            Run { records: 100, ..run(Rival::C, 0, 0.1, 0.05) },
            run(Rival::C, 1, 4.0, 2.0),
            run(Rival::Ours, 1, 5.0, 2.2),
            run(Rival::C, 2, 2.0, 1.0),
            run(Rival::Ours, 2, 2.0, 1.1),
        ]);
        let c = runs.figures(Rival::C).unwrap();
        assert_eq!((c.throughput.median, c.cpu_us.median), (375_000.0, 1.5));
        assert_eq!((c.start_cpu_seconds, c.peak_mib), (0.05, 2.0));
        let ratio = runs.ratio(Rival::Ours, Rival::C).unwrap();
        assert!((ratio.cpu.median - 1.1).abs() < 1e-9 && (ratio.throughput.median - 0.9).abs() < 1e-9, "{ratio:?}");
        assert!(runs.figures(Rival::Java).is_none() && runs.ratio(Rival::C, Rival::Java).is_none());
    }
}
