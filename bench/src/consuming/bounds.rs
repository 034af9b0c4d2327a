//! What must hold of the consumer, and whether it does.

use crate::bound::{Bound, Side};
use crate::consuming::flow_figures::{Flow, Path, Refetch, Streams};
use crate::consuming::rival::Rival;
use crate::figures::Runs;

/// (rival, least part of rdkafka_performance's throughput).
const RATIOS: [(Rival, f64); 3] = [(Rival::NoOp, 0.95), (Rival::Unchecked, 0.9), (Rival::Collect, 0.7)];
/// Of every process of ours.
const MEMORY_MB: f64 = 250.0;
/// The part of the possible throughput that must be reached.
const FLOW: f64 = 0.95;
/// Lanes that must together do so many times the work of one.
const LANES: (u32, f64) = (8, 5.0);
const REFETCHED: f64 = 1.1;
/// Of one core, percent, at the steady rate.
const STEADY_CPU: f64 = 10.0;
const STEADY_RATE: f64 = 0.98;
/// Microseconds of CPU a record, Lambda's client included.
const PATH_CPU_US: f64 = 1.5;
/// Waiting costs nothing: CPU a record at the longest latency against that at the shortest, with as many records a second. Beyond 1 is
/// what one core does differently in one minute than in the next.
const WAITING: f64 = 1.05;
/// So much of the records a second of the shortest latency the longest must carry, or the two are not to be compared.
const AS_MUCH: f64 = 0.95;

/// The bounds between rivals that ran, and their memory.
pub fn of_rivals(runs: &Runs<Rival>) -> Vec<Bound> {
    let mut bounds = Vec::new();
    for (rival, limit) in RATIOS {
        let Some(ratio) = runs.ratio(rival, Rival::C) else { continue };
        let pair = format!("throughput, {} / {}", rival.title(), Rival::C.title());
        bounds.push(Bound::new(pair, ratio.throughput.median, Side::AtLeast, (limit, "x")));
    }
    for rival in Rival::ALL.into_iter().filter(|rival| rival.is_ours()) {
        let Some(figures) = runs.figures(rival) else { continue };
        let megabytes = figures.peak_mib * f64::from(1 << 20) / 1e6;
        bounds.push(Bound::new(format!("memory, {}", rival.title()), megabytes, Side::AtMost, (MEMORY_MB, "MB")));
    }
    bounds
}

/// Throughput against latency; lanes against one lane.
pub fn of_flows(flows: &[Flow]) -> Vec<Bound> {
    let part = |flow: &Flow| {
        let what = format!("throughput of the possible, {} partitions at {} ms", flow.partitions, flow.latency_ms);
        Bound::new(what, flow.part(), Side::AtLeast, (FLOW, "x"))
    };
    let mut bounds: Vec<Bound> = flows.iter().filter(|flow| flow.partitions > 1).map(part).collect();
    let alone = |lanes| flows.iter().find(|flow| flow.partitions == 1 && flow.lanes == lanes);
    if let (Some(one), Some(many)) = (alone(1), alone(LANES.0)) {
        let found = many.seen.throughput() / one.seen.throughput().max(f64::MIN_POSITIVE);
        let what = format!("throughput of one partition, {} lanes / one", LANES.0);
        bounds.push(Bound::new(what, found, Side::AtLeast, (LANES.1, "x")));
    }
    bounds
}

/// Calls at once.
pub fn of_streams(streams: &Streams) -> Vec<Bound> {
    let what = format!("calls of the possible, {} in flight", streams.in_flight);
    vec![Bound::new(what, streams.part(), Side::AtLeast, (FLOW, "x"))]
}

/// What pauses cost.
pub fn of_refetch(refetch: &Refetch) -> Vec<Bound> {
    let stops = refetch.paused.pauses as f64;
    vec![
        Bound::new("bytes fetched a record, with pauses / without", refetch.ratio(), Side::AtMost, (REFETCHED, "x")),
        Bound::new("times that a partition was full meanwhile", stops, Side::AtLeast, (1.0, "")),
    ]
}

/// The whole path: what it costs at all, what it costs to wait longer for each answer, and that both runs carried as much.
pub fn of_paths(paths: &[Path]) -> Vec<Bound> {
    let cpu = |path: &Path| {
        let what = format!("whole path, CPU a record at {} ms", path.latency_ms);
        Bound::new(what, path.seen.cpu_us(), Side::AtMost, (PATH_CPU_US, "us"))
    };
    let mut bounds: Vec<Bound> = paths.iter().map(cpu).collect();
    let ends = |path: &&Path| path.latency_ms;
    if let (Some(short), Some(long)) = (paths.iter().min_by_key(ends), paths.iter().max_by_key(ends)) {
        let ratio = |of: fn(&Path) -> f64| of(long) / of(short).max(f64::MIN_POSITIVE);
        let both = format!("{} ms / {} ms", long.latency_ms, short.latency_ms);
        let cpu = ratio(|path| path.seen.cpu_us());
        bounds.push(Bound::new(format!("whole path, CPU a record at {both}"), cpu, Side::AtMost, (WAITING, "x")));
        let rate = ratio(|path| path.seen.throughput());
        bounds.push(Bound::new(format!("whole path, records/s at {both}"), rate, Side::AtLeast, (AS_MUCH, "x")));
    }
    bounds.extend(paths.iter().map(memory));
    bounds
}

/// The steady load.
pub fn of_steady(steady: &Path, rate: u32) -> Vec<Bound> {
    let part = steady.seen.throughput() / f64::from(rate);
    vec![
        Bound::new("steady: CPU, of one core", steady.seen.cpu_of_a_core() * 100.0, Side::AtMost, (STEADY_CPU, "%")),
        Bound::new("steady: records taken of those sent", part, Side::AtLeast, (STEADY_RATE, "x")),
        memory(steady),
    ]
}

fn memory(path: &Path) -> Bound {
    let what = format!("memory, whole path at {} ms", path.latency_ms);
    Bound::new(what, path.peak_bytes as f64 / 1e6, Side::AtMost, (MEMORY_MB, "MB"))
}

#[cfg(test)]
mod tests {
    use super::{of_flows, of_paths, of_rivals, of_steady};
    use crate::consuming::flow_figures::{Flow, Path, Seen};
    use crate::consuming::rival::Rival;
    use crate::figures::{Run, Runs};

    fn run(rival: Rival, seconds: f64, megabytes: u64) -> Run<Rival> {
        Run { rival, round: 1, records: 1_000_000, seconds, cpu_seconds: 1.0, peak_bytes: megabytes * 1_000_000 }
    }

    fn seen(records: u64, cpu_seconds: f64) -> Seen {
        Seen { records, calls: records / 500, seconds: 1.0, call_ms: 100.0, cpu_seconds }
    }

    fn missed(bounds: &[crate::bound::Bound]) -> Vec<&str> {
        bounds.iter().filter(|bound| !bound.holds).map(|bound| bound.what.as_str()).collect()
    }

    #[test]
    fn only_what_ran_is_judged_and_only_our_memory() {
        let runs = Runs(vec![run(Rival::C, 1.0, 900), run(Rival::NoOp, 1.04, 100), run(Rival::Collect, 1.5, 260)]);
        let bounds = of_rivals(&runs);
        assert_eq!(bounds.len(), 4, "{bounds:?}");
        assert_eq!(missed(&bounds), ["throughput, ours, and JSON / rdkafka_performance", "memory, ours, and JSON"]);
    }

    #[test]
    fn flows_are_judged_by_what_is_possible_and_lanes_by_one_lane() {
        let flow = |partitions, lanes, records| Flow {
            latency_ms: 100,
            partitions,
            lanes,
            batch: 500,
            seen: seen(records, 0.1),
        };
        let good = [flow(12, 1, 58_000), flow(1, 1, 4_900), flow(1, 8, 25_000)];
        assert_eq!(missed(&of_flows(&good)), [""; 0]);
        let bad = [flow(12, 1, 56_000), flow(1, 1, 4_900), flow(1, 8, 24_000)];
        assert_eq!(missed(&of_flows(&bad)).len(), 2);
    }

    #[test]
    fn the_whole_path_and_the_steady_load_are_judged_by_cpu_and_memory() {
        let path = |latency_ms, cpu_seconds| Path {
            latency_ms,
            lanes: 1,
            seen: seen(13_000, cpu_seconds),
            peak_bytes: 90_000_000,
        };
        assert_eq!(missed(&of_paths(&[path(20, 0.019), path(100, 0.0195)])), [""; 0]);
        let bad = of_paths(&[path(20, 0.018), path(100, 0.020)]);
        let wanted = ["whole path, CPU a record at 100 ms", "whole path, CPU a record at 100 ms / 20 ms"];
        assert_eq!(missed(&bad), wanted);
        let less = Path { seen: seen(12_000, 0.017), ..path(100, 0.0) };
        assert_eq!(missed(&of_paths(&[path(20, 0.019), less])), ["whole path, records/s at 100 ms / 20 ms"]);
        assert_eq!(missed(&of_steady(&path(50, 0.099), 13_000)), [""; 0]);
        assert_eq!(missed(&of_steady(&path(50, 0.11), 14_000)).len(), 2);
    }
}
