//! What must hold of the producer, and whether it does.

use crate::bound::{Bound, Side};
use crate::figures::Runs;
use crate::producing::rival::Rival;
use crate::producing::steadiness::Steadiness;

/// A part that the steady load's memory may grow in its last fifty seconds and still be called flat: pages that the
/// allocator touches for the first time.
const FLAT_MIB: f64 = 2.0;

/// Per cent that a second of the steady load may be off, and milliseconds that a send may be late.
const SECOND: f64 = 0.5;
const LATE_MS: f64 = 10.0;

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
        worst_second(steady),
        most("steady: client CPU, of one core", steady.cpu_of_a_core * 100.0, (10.0, "%")),
        latest_send(steady),
        most("steady: memory growth after 10 s", steady.memory_growth_mib(), (FLAT_MIB, "MiB")),
        most("steady: events without acknowledgement", unacknowledged, (0.0, "")),
    ]
}

/// As it was when that holds; else without the seconds of which the machine took some.
fn worst_second(steady: &Steadiness) -> Bound {
    let (all, own) = (steady.worst_second_error * 100.0, steady.own_seconds);
    let (what, found) = match all <= SECOND {
        true => (format!("steady: worst of {} seconds", own.whole), all),
        false => {
            let judged = format!("{} of {} seconds", own.judged, own.whole);
            (format!("steady: worst second, without what the machine took: of {judged}"), own.worst() * 100.0)
        }
    };
    Bound::new(what, found, Side::AtMost, (SECOND, "%"))
}

/// As it was when that holds; else late sends count without the time that the machine took.
fn latest_send(steady: &Steadiness) -> Bound {
    let (late, all) = (steady.late_sends, steady.offered);
    let (what, found) = match steady.lateness_max_ms <= LATE_MS {
        true => (format!("steady: latest of {all} sends"), steady.lateness_max_ms),
        false => {
            let judged = format!("{late} of {all} sends were late");
            (format!("steady: latest send, without what the machine took: {judged}"), steady.own_lateness_max_ms)
        }
    };
    Bound::new(what, found, Side::AtMost, (LATE_MS, "ms"))
}

#[cfg(test)]
mod tests {
    use super::{latest_send, of_rivals, of_steady, worst_second};
    use crate::bound::Side;
    use crate::figures::{Run, Runs};
    use crate::producing::rival::Rival;
    use crate::producing::steadiness::{OwnSeconds, Steadiness};

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
            own_seconds: OwnSeconds { error: 0.004, judged: 59, whole: 59 },
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
        assert_eq!(missed(Steadiness { cpu_of_a_core: 0.2, ..good.clone() }), 1);
        assert_eq!(missed(Steadiness { late_memory_mib: 60.0, acknowledged: 779_999, ..good }), 2);
    }

    #[test]
    fn what_the_machine_took_is_looked_at_only_when_the_bound_is_missed_as_it_was() {
        let all = OwnSeconds { error: 0.004, judged: 40, whole: 59 };
        let good = Steadiness { offered: 780_000, late_sends: 41, own_seconds: all, ..Steadiness::default() };
        let second = |worst: f64, own_seconds| {
            let bound = worst_second(&Steadiness { worst_second_error: worst, own_seconds, ..good.clone() });
            (bound.to_string(), bound.holds)
        };
        assert_eq!(second(0.005, all), ("steady: worst of 59 seconds 0.50%, at most 0.5%".into(), true));
        let own = "steady: worst second, without what the machine took: of 40 of 59 seconds 0.40%, at most 0.5%";
        assert_eq!(second(0.02, all), (own.into(), true));
        assert!(!second(0.02, OwnSeconds { error: 0.006, ..all }).1);
        assert!(!second(0.02, OwnSeconds { error: 0.0, judged: 29, whole: 59 }).1, "fewer than half of them");

        let send = |latest: f64, own: f64| {
            let bound = latest_send(&Steadiness { lateness_max_ms: latest, own_lateness_max_ms: own, ..good.clone() });
            (bound.to_string(), bound.holds)
        };
        assert_eq!(send(9.5, 0.0), ("steady: latest of 780000 sends 9.50 ms, at most 10 ms".into(), true));
        let own =
            "steady: latest send, without what the machine took: 41 of 780000 sends were late 0.85 ms, at most 10 ms";
        assert_eq!(send(13.1, 0.85), (own.into(), true));
        assert!(!send(13.1, 10.5).1);
    }
}
