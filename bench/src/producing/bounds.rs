//! What must hold of the producer, and whether it does.

use crate::bound::{Bound, Side};
use crate::figures::Runs;
use crate::producing::rival::Rival;
use crate::producing::steadiness::Steadiness;

/// A part that the steady load's memory may grow in its last fifty seconds and still be called flat: pages that the
/// allocator touches for the first time.
const FLAT_MIB: f64 = 2.0;

/// (rival, against, least throughput, most CPU): parts of the other's.
const RATIOS: [(Rival, Rival, Option<f64>, Option<f64>); 5] = [
    (Rival::SendStage, Rival::C, Some(0.95), Some(1.1)),
    (Rival::WholePath, Rival::C, Some(0.9), Some(1.3)),
    (Rival::SendStage, Rival::Java, None, Some(0.6)),
    (Rival::WholePath, Rival::Java, None, Some(0.6)),
    (Rival::SendStage, Rival::Plaintext, Some(0.85), None),
];

/// The bounds between rivals that ran.
pub fn of_rivals(runs: &Runs<Rival>) -> Vec<Bound> {
    let mut bounds = Vec::new();
    for (rival, against, throughput, cpu) in RATIOS {
        let Some(ratio) = runs.ratio(rival, against) else { continue };
        let pair = format!("{} / {}", rival.title(), against.title());
        if let Some(limit) = throughput {
            let found = ratio.throughput.median;
            bounds.push(Bound::new(format!("throughput, {pair}"), found, Side::AtLeast, (limit, "x")));
        }
        if let Some(limit) = cpu {
            bounds.push(Bound::new(format!("client CPU, {pair}"), ratio.cpu.median, Side::AtMost, (limit, "x")));
        }
    }
    bounds
}

/// The bounds of the steady load.
pub fn of_steady(steady: &Steadiness) -> Vec<Bound> {
    let unacknowledged = steady.offered.saturating_sub(steady.acknowledged) as f64;
    let most = |what: &str, found: f64, limit: (f64, &'static str)| Bound::new(what, found, Side::AtMost, limit);
    vec![
        most("steady: worst second, without what the machine took", steady.own_second_error * 100.0, (0.5, "%")),
        most("steady: client CPU, of one core", steady.cpu_of_a_core * 100.0, (10.0, "%")),
        most("steady: latest send, without what the machine took", steady.own_lateness_max_ms, (10.0, "ms")),
        most("steady: memory growth after 10 s", steady.memory_growth_mib(), (FLAT_MIB, "MiB")),
        most("steady: events without acknowledgement", unacknowledged, (0.0, "")),
    ]
}

#[cfg(test)]
mod tests {
    use super::{of_rivals, of_steady};
    use crate::bound::Side;
    use crate::figures::{Run, Runs};
    use crate::producing::rival::Rival;
    use crate::producing::steadiness::Steadiness;

    fn run(rival: Rival, seconds: f64, cpu_seconds: f64) -> Run<Rival> {
        Run { rival, round: 1, records: 1_000_000, seconds, cpu_seconds, peak_bytes: 0 }
    }

    #[test]
    fn only_what_ran_is_judged_and_each_side_counts() {
        let mut runs = Runs(vec![run(Rival::C, 3.0, 1.0), run(Rival::SendStage, 3.1, 1.09)]);
        let bounds = of_rivals(&runs);
        assert_eq!(bounds.len(), 2);
        assert!(bounds.iter().all(|bound| bound.holds), "{bounds:?}");
        assert_eq!((bounds[0].side, bounds[1].side), (Side::AtLeast, Side::AtMost));
        runs.0[1] = run(Rival::SendStage, 3.3, 1.2);
        assert!(of_rivals(&runs).iter().all(|bound| !bound.holds));
        runs.0.push(run(Rival::Java, 3.0, 2.1));
        let java = of_rivals(&runs).pop().unwrap();
        assert!(java.holds && (java.found - 1.2 / 2.1).abs() < 1e-9, "{java:?}");
    }

    #[test]
    fn a_steady_run_is_judged_by_every_figure() {
        let good = Steadiness {
            seconds: 60,
            offered: 780_000,
            acknowledged: 780_000,
            worst_second_error: 0.004,
            own_second_error: 0.004,
            cpu_of_a_core: 0.08,
            lateness_max_ms: 9.0,
            late_sends: 0,
            machine_late_ms: 0.0,
            own_lateness_max_ms: 0.0,
            ack_p50_ms: 15.0,
            ack_p99_ms: 30.0,
            early_memory_mib: 50.0,
            late_memory_mib: 51.0,
        };
        assert!(of_steady(&good).iter().all(|bound| bound.holds));
        let missed = |steady: Steadiness| of_steady(&steady).iter().filter(|bound| !bound.holds).count();
        assert_eq!(missed(Steadiness { own_second_error: 0.006, ..good.clone() }), 1);
        assert_eq!(missed(Steadiness { cpu_of_a_core: 0.2, own_lateness_max_ms: 11.0, ..good.clone() }), 2);
        assert_eq!(missed(Steadiness { late_memory_mib: 60.0, acknowledged: 779_999, ..good }), 2);
    }
}
