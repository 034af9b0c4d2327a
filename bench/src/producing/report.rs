//! All figures of a run: a table for people, JSON for programs.

use crate::bound::{self, Bound};
use crate::figures::{Figures, Ratio, Run, Runs};
use crate::producing::rival::Rival;
use crate::producing::steadiness::{RATE, Steadiness};
use serde::Serialize;
use std::fmt;

/// What a run of the bench came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Processors that this process may use, and the load (1 min) when it started: noise shows here.
    pub processors: usize,
    pub load_before: f64,
    pub rounds: u32,
    pub records: u64,
    /// librdkafka's settings that all rivals share, by name.
    pub settings: Vec<(String, String)>,
    pub figures: Vec<Figures<Rival>>,
    pub ratios: Vec<Ratio<Rival>>,
    pub runs: Vec<Run<Rival>>,
    pub steady: Option<Steadiness>,
    pub bounds: Vec<Bound>,
}

impl Report {
    /// Takes the runs of all rounds.
    pub fn take(&mut self, runs: Runs<Rival>) {
        let rivals = Rival::ALL.into_iter().chain([Rival::CBatch]);
        self.figures = rivals.filter_map(|rival| runs.figures(rival)).collect();
        let compared = [Rival::SendStage, Rival::WholePath, Rival::Futures, Rival::CBatch];
        let pairs = compared.iter().flat_map(|rival| [(*rival, Rival::C), (*rival, Rival::Java)]);
        let pairs = pairs.chain([(Rival::SendStage, Rival::Plaintext)]);
        self.ratios = pairs.filter_map(|(rival, against)| runs.ratio(rival, against)).collect();
        self.runs = runs.0;
    }

    /// The bounds that were missed, each as a sentence.
    pub fn missed(&self) -> Vec<String> {
        bound::missed(&self.bounds)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.figures.is_empty() {
            self.rivals(f)?;
        }
        if let Some(steady) = &self.steady {
            self.steady(f, steady)?;
        }
        bound::lines(f, &self.bounds)
    }
}

impl Report {
    fn rivals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} rounds of {} records each, medians (least - most); {} processors, load {:.1} before\n",
            self.rounds, self.records, self.processors, self.load_before
        )?;
        writeln!(
            f,
            "  {:<18} {:>28}  {:>24}  {:>7}  {:>9}  {:>6}  {:>6}  {:>9}",
            "", "records/s", "CPU us/record", "start s", "peak MiB", "/C", "CPU/C", "CPU/Java"
        )?;
        for figures in &self.figures {
            writeln!(
                f,
                "  {:<18} {:>28}  {:>24}  {:>7.2}  {:>9.0}  {:>6}  {:>6}  {:>9}",
                figures.rival.title(),
                figures.throughput.range(0),
                figures.cpu_us.range(2),
                figures.start_cpu_seconds,
                figures.peak_mib,
                self.part(figures.rival, Rival::C, |ratio| ratio.throughput.median),
                self.part(figures.rival, Rival::C, |ratio| ratio.cpu.median),
                self.part(figures.rival, Rival::Java, |ratio| ratio.cpu.median),
            )?;
        }
        writeln!(f)
    }

    fn part(&self, rival: Rival, against: Rival, value: fn(&Ratio<Rival>) -> f64) -> String {
        let ratio = self.ratios.iter().find(|ratio| ratio.rival == rival && ratio.against == against);
        ratio.map_or(String::new(), |ratio| format!("{:.2}", value(ratio)))
    }

    fn steady(&self, f: &mut fmt::Formatter<'_>, steady: &Steadiness) -> fmt::Result {
        let Steadiness { seconds, acknowledged, offered, .. } = steady;
        writeln!(f, "{RATE} events/s for {seconds} s: {acknowledged} of {offered} acknowledged")?;
        writeln!(
            f,
            "  CPU {:.1} % of a core, worst second {:.2} % off, latest send {:.1} ms ({} over 10 ms; the machine woke an idle thread up to {:.1} ms late), acknowledged in p50 {:.1} p99 {:.1} ms, memory {:.1} MiB after 10 s, {:.1} at the end\n",
            steady.cpu_of_a_core * 100.0,
            steady.worst_second_error * 100.0,
            steady.lateness_max_ms,
            steady.late_sends,
            steady.machine_late_ms,
            steady.ack_p50_ms,
            steady.ack_p99_ms,
            steady.early_memory_mib,
            steady.late_memory_mib,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Report;
    use crate::figures::{Run, Runs};
    use crate::producing::bounds::{of_rivals, of_steady};
    use crate::producing::rival::Rival;
    use crate::producing::steadiness::{OwnSeconds, Steadiness};

    fn run(rival: Rival, round: u32, seconds: f64, cpu_seconds: f64) -> Run<Rival> {
        Run { rival, round, records: 1_000_000, seconds, cpu_seconds, peak_bytes: 64 << 20 }
    }

    #[test]
    fn the_table_shows_medians_ratios_and_what_was_missed() {
        let runs = Runs(vec![
            run(Rival::C, 1, 4.0, 2.0),
            run(Rival::SendStage, 1, 4.0, 3.0),
            run(Rival::Java, 1, 5.0, 4.0),
            run(Rival::C, 2, 2.0, 1.0),
            run(Rival::SendStage, 2, 2.0, 1.5),
            run(Rival::Java, 2, 2.5, 2.0),
        ]);
        let mut report = Report { rounds: 2, records: 1_000_000, bounds: of_rivals(&runs), ..Report::default() };
        report.take(runs);
        let text = report.to_string();
        let ours = text.lines().find(|line| line.contains("ours, pre-encoded")).unwrap();
        let words: Vec<&str> = ours.split_whitespace().collect();
        assert_eq!(words[2..6], ["375000", "(250000", "-", "500000)"]);
        assert_eq!(words[words.len() - 3..], ["1.00", "1.50", "0.75"]);
        assert_eq!(report.missed().len(), 2, "{text}");
        assert!(
            text.contains("MISSED  client CPU, ours, pre-encoded / librdkafka from C 1.50x, at most 1.1x"),
            "{text}"
        );
        assert!(
            text.contains("holds   throughput, ours, pre-encoded / librdkafka from C 1.00x, at least 0.95x"),
            "{text}"
        );
    }

    #[test]
    fn a_steady_run_has_its_line() {
        let steady = Steadiness {
            seconds: 60,
            offered: 780_000,
            acknowledged: 780_000,
            worst_second_error: 0.001,
            own_seconds: OwnSeconds { error: 0.001, judged: 59, whole: 59 },
            cpu_of_a_core: 0.31,
            lateness_max_ms: 3.0,
            late_sends: 0,
            machine_late_ms: 0.0,
            own_lateness_max_ms: 0.0,
            ack_p50_ms: 20.0,
            ack_p99_ms: 40.0,
            early_memory_mib: 50.0,
            late_memory_mib: 50.5,
        };
        let report = Report { bounds: of_steady(&steady), steady: Some(steady), ..Report::default() };
        let text = report.to_string();
        assert!(text.starts_with("13000 events/s for 60 s: 780000 of 780000 acknowledged"), "{text}");
        assert_eq!(report.missed(), ["steady: client CPU, of one core 31.00%, at most 10%"]);
    }
}
