//! All figures of a run: a table for people, JSON for programs.

use crate::bound::{self, Bound};
use crate::consuming::flow_figures::{Flow, Path, RATE, Refetch, Streams};
use crate::consuming::rival::Rival;
use crate::figures::{Figures, Ratio, Run, Runs};
use crate::properties::Properties;
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
    pub settings: Properties,
    pub figures: Vec<Figures<Rival>>,
    /// Each against rdkafka_performance.
    pub ratios: Vec<Ratio<Rival>>,
    pub runs: Vec<Run<Rival>>,
    pub flows: Vec<Flow>,
    pub streams: Option<Streams>,
    pub refetch: Option<Refetch>,
    pub paths: Vec<Path>,
    pub steady: Option<Path>,
    pub bounds: Vec<Bound>,
}

impl Report {
    /// Takes the runs of all rounds.
    pub fn take(&mut self, runs: Runs<Rival>) {
        self.figures = Rival::ALL.iter().filter_map(|rival| runs.figures(*rival)).collect();
        let others = Rival::ALL.into_iter().filter(|rival| *rival != Rival::C);
        self.ratios = others.filter_map(|rival| runs.ratio(rival, Rival::C)).collect();
        self.runs = runs.0;
    }

    fn rivals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, records, processors, load_before, .. } = self;
        writeln!(
            f,
            "{rounds} rounds of {records} records each, medians (least - most); {processors} processors, load {load_before:.1} before\n"
        )?;
        writeln!(
            f,
            "  {:<20} {:>30}  {:>22}  {:>7}  {:>7}  {:>6}  {:>6}",
            "", "records/s", "CPU us/record", "start s", "peak MB", "/C", "CPU/C"
        )?;
        for figures in &self.figures {
            let ratio = self.ratios.iter().find(|ratio| ratio.rival == figures.rival);
            let part =
                |value: fn(&Ratio<Rival>) -> f64| ratio.map_or(String::new(), |ratio| format!("{:.2}", value(ratio)));
            writeln!(
                f,
                "  {:<20} {:>30}  {:>22}  {:>7.2}  {:>7.0}  {:>6}  {:>6}",
                figures.rival.title(),
                figures.throughput.range(0),
                figures.cpu_us.range(2),
                figures.start_cpu_seconds,
                figures.peak_mib * f64::from(1 << 20) / 1e6,
                part(|ratio| ratio.throughput.median),
                part(|ratio| ratio.cpu.median),
            )?;
        }
        writeln!(f)
    }

    fn waiting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for flow in &self.flows {
            let Flow { latency_ms, partitions, lanes, seen, .. } = flow;
            writeln!(
                f,
                "  {partitions:>2} partitions x {lanes} lanes at {latency_ms:>3} ms (found {:.1}): {:.0} records/s of {:.0}, CPU {:.2} us/record",
                seen.call_ms,
                seen.throughput(),
                flow.ideal(),
                seen.cpu_us()
            )?;
        }
        if let Some(streams) = &self.streams {
            writeln!(
                f,
                "  {} calls at once on {} connections: {:.0} calls/s, {:.2} of the possible",
                streams.in_flight,
                streams.connections,
                streams.seen.calls as f64 / streams.seen.seconds,
                streams.part()
            )?;
        }
        if let Some(Refetch { free, paused }) = &self.refetch {
            writeln!(
                f,
                "  bytes fetched a record: {:.1} with {} pauses, {:.1} with {}",
                paused.bytes_a_record(),
                paused.pauses,
                free.bytes_a_record(),
                free.pauses
            )?;
        }
        Ok(())
    }

    fn whole(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |path: &Path| path.peak_bytes as f64 / 1e6;
        for path in &self.paths {
            writeln!(
                f,
                "  whole path at {:>3} ms, {} lanes: {:.0} records/s, CPU {:.2} us/record, peak {:.0} MB",
                path.latency_ms,
                path.lanes,
                path.seen.throughput(),
                path.seen.cpu_us(),
                megabytes(path)
            )?;
        }
        if let Some(steady) = &self.steady {
            writeln!(
                f,
                "  {RATE} records/s for {:.0} s: {:.0} taken, CPU {:.1} % of a core, peak {:.0} MB",
                steady.seen.seconds,
                steady.seen.throughput(),
                steady.seen.cpu_of_a_core() * 100.0,
                megabytes(steady)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.figures.is_empty() {
            self.rivals(f)?;
        }
        self.waiting(f)?;
        self.whole(f)?;
        writeln!(f)?;
        bound::lines(f, &self.bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::Report;
    use crate::consuming::bounds::{of_paths, of_rivals};
    use crate::consuming::flow_figures::{Path, Seen};
    use crate::consuming::rival::Rival;
    use crate::figures::{Run, Runs};

    fn run(rival: Rival, round: u32, seconds: f64) -> Run<Rival> {
        Run { rival, round, records: 1_000_000, seconds, cpu_seconds: seconds, peak_bytes: 64_000_000 }
    }

    #[test]
    fn the_table_shows_medians_ratios_and_what_was_missed() {
        let runs = Runs(vec![
            run(Rival::C, 1, 4.0),
            run(Rival::NoOp, 1, 5.0),
            run(Rival::C, 2, 2.0),
            run(Rival::NoOp, 2, 2.5),
        ]);
        let mut report = Report { rounds: 2, bounds: of_rivals(&runs), ..Report::default() };
        report.take(runs);
        let text = report.to_string();
        let ours = text.lines().find(|line| line.contains("ours, no-op")).unwrap();
        let words: Vec<&str> = ours.split_whitespace().collect();
        assert_eq!(words[2..6], ["300000", "(200000", "-", "400000)"]);
        assert_eq!(words[words.len() - 3..], ["64", "0.80", "1.25"]);
        assert!(text.contains("MISSED  throughput, ours, no-op / rdkafka_performance 0.80x, at least 0.95x"), "{text}");
    }

    #[test]
    fn the_whole_path_has_its_line() {
        let seen = Seen { records: 60_000, calls: 120, seconds: 1.0, call_ms: 100.0, cpu_seconds: 0.06 };
        let paths = vec![Path { latency_ms: 100, lanes: 5, seen, peak_bytes: 90_000_000 }];
        let report = Report { bounds: of_paths(&paths), paths, ..Report::default() };
        let text = report.to_string();
        assert!(
            text.contains("whole path at 100 ms, 5 lanes: 60000 records/s, CPU 1.00 us/record, peak 90 MB"),
            "{text}"
        );
        assert!(text.contains("holds   memory, whole path at 100 ms 90.00 MB, at most 250 MB"), "{text}");
    }
}
