//! The steady load's figures: 13,000 events/s from the whole producer, looked at from outside.

use producer::latency::{LateMoment, MOMENTS};
use producer::report::Second;
use serde::Serialize;

/// Events/s of the steady load: what the system is built for.
pub const RATE: u32 = 13_000;

/// What a steady run came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Steadiness {
    pub seconds: u64,
    pub offered: u64,
    pub acknowledged: u64,
    /// The largest |sent - planned| / planned of a second.
    pub worst_second_error: f64,
    /// The same of the seconds at whose ends the machine woke its idle threads.
    pub own_seconds: OwnSeconds,
    /// CPU of the whole process over the whole run, its start included, as a part of one core.
    pub cpu_of_a_core: f64,
    /// Of the events due after the first second, milliseconds.
    pub lateness_max_ms: f64,
    pub late_sends: u64,
    /// How late an idle thread of the bench was woken meanwhile: no process on this machine was on time then.
    pub machine_late_ms: f64,
    /// The latest send without the time in which the machine woke nobody, if there was one over 10 ms: see [`own_lateness`].
    pub own_lateness_max_ms: f64,
    pub ack_p50_ms: f64,
    pub ack_p99_ms: f64,
    pub early_memory_mib: f64,
    pub late_memory_mib: f64,
}

/// The rate errors of the seconds that the machine left alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct OwnSeconds {
    /// The largest of them.
    pub error: f64,
    pub judged: usize,
    /// Of so many whole seconds of the run.
    pub whole: usize,
}

impl OwnSeconds {
    /// The largest rate error, infinite when fewer than half of the seconds can be judged: such a run shows nothing.
    pub fn worst(&self) -> f64 {
        if self.judged == 0 || self.judged * 2 < self.whole { f64::INFINITY } else { self.error }
    }
}

/// Wall clock, milliseconds: between them a thread that had slept long enough was not woken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stall {
    pub from_ms: f64,
    pub until_ms: f64,
}

/// The longest that an event was due and did not leave although the machine woke its idle threads, milliseconds: of the late
/// `moments` of a run that started at `started_ms`. Infinite when there were more of them than a report holds.
pub fn own_lateness(moments: &[LateMoment], started_ms: f64, stalls: &[Stall]) -> f64 {
    if moments.len() >= MOMENTS {
        return f64::INFINITY;
    }
    let own = moments.iter().map(|moment| {
        let (due, sent) = (started_ms + moment.due_ms, started_ms + moment.sent_ms);
        (sent - due - stalled(stalls, due, sent)).max(0.0)
    });
    own.fold(0.0, f64::max)
}

/// The whole seconds of a run that started at `started_ms`, without those that began or ended while a processor stood still: what was
/// due last in a second leaves in the next one then.
pub fn own_seconds(seconds: &[Second], started_ms: f64, stalls: &[Stall]) -> OwnSeconds {
    let still = |second: usize| {
        let at = started_ms + second as f64 * 1_000.0;
        stalls.iter().any(|stall| stall.from_ms - AROUND_MS < at && at < stall.until_ms + AROUND_MS)
    };
    let whole = seconds.len().saturating_sub(1);
    let own = seconds.iter().take(whole).enumerate().filter(|(second, _)| !still(*second) && !still(second + 1));
    let errors: Vec<f64> = own
        .filter_map(|(_, second)| {
            let planned = second.planned.filter(|planned| *planned > 0)? as f64;
            Some((second.sent as f64 - planned).abs() / planned)
        })
        .collect();
    OwnSeconds { error: errors.iter().copied().fold(0.0, f64::max), judged: errors.len(), whole }
}

/// A wake-up that was due so shortly before or after a stall is late as well.
const AROUND_MS: f64 = 2.0;

/// How much of the time between `from` and `until` a processor stood still; `stalls` may overlap.
fn stalled(stalls: &[Stall], from: f64, until: f64) -> f64 {
    let mut within: Vec<(f64, f64)> = stalls
        .iter()
        .map(|stall| (stall.from_ms.max(from), stall.until_ms.min(until)))
        .filter(|(from, until)| from < until)
        .collect();
    within.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = within.iter().fold((0.0, from), |(sum, seen), (from, until)| {
        let fresh = (until - from.max(seen)).max(0.0);
        (sum + fresh, seen.max(*until))
    });
    all.0
}

impl Steadiness {
    /// MiB that the resident memory grew between the two looks.
    pub fn memory_growth_mib(&self) -> f64 {
        self.late_memory_mib - self.early_memory_mib
    }
}

#[cfg(test)]
mod tests {
    use super::{OwnSeconds, Stall, own_lateness, own_seconds};
    use producer::latency::LateMoment;
    use producer::report::Second;

    fn stall(from_ms: f64, until_ms: f64) -> Stall {
        Stall { from_ms, until_ms }
    }

    #[test]
    fn what_the_machine_took_is_not_counted_and_nothing_is_taken_off_twice() {
        let late = [LateMoment { due_ms: 100.0, sent_ms: 130.0 }, LateMoment { due_ms: 500.0, sent_ms: 512.0 }];
        let own = |stalls: &[Stall]| own_lateness(&late, 1_000.0, stalls);
        assert_eq!(own(&[]), 30.0);
        assert_eq!(own(&[stall(1_105.0, 1_125.0)]), 12.0, "the other moment is now the latest");
        let overlapping = [stall(1_110.0, 1_125.0), stall(1_090.0, 1_112.0), stall(1_111.0, 1_113.0)];
        assert_eq!(own(&[&overlapping[..], &[stall(1_400.0, 1_509.0)]].concat()), 5.0);
        assert_eq!(own(&[stall(0.0, 5_000.0)]), 0.0);
        assert_eq!(own_lateness(&[], 0.0, &[]), 0.0);
        assert!(own_lateness(&[LateMoment::default(); 1_000], 0.0, &[]).is_infinite());
    }

    #[test]
    fn a_second_counts_unless_the_machine_stood_still_at_one_of_its_ends() {
        let seconds = [1_000, 990, 1_010, 1_003, 1_000, 400].map(|sent| Second { planned: Some(1_000), sent });
        let own = |stalls: &[Stall]| own_seconds(&seconds, 50_000.0, stalls);
        let whole = 5;
        assert_eq!(own(&[]), OwnSeconds { error: 0.01, judged: 5, whole }, "the last, partial one does not count");
        assert_eq!(own(&[stall(51_200.0, 51_900.0), stall(52_010.0, 52_020.0)]).judged, 5, "not at an end");
        assert_eq!(own(&[stall(51_990.0, 51_999.0)]), OwnSeconds { error: 0.003, judged: 3, whole });
        assert_eq!(own(&[stall(51_990.0, 51_999.0)]).worst(), 0.003);
    }

    #[test]
    fn a_run_of_which_too_little_can_be_judged_is_as_bad_as_can_be() {
        let seconds = [1_000; 5].map(|sent| Second { planned: Some(1_000), sent });
        let worst = |stalls: &[Stall]| own_seconds(&seconds, 0.0, stalls).worst();
        assert_eq!(worst(&[stall(1_000.0, 1_001.0)]), 0.0, "two of four are left");
        assert!(worst(&[stall(1_000.0, 1_001.0), stall(3_000.0, 3_001.0)]).is_infinite());
        assert!(worst(&[stall(0.0, 5_000.0)]).is_infinite());
        assert!(own_seconds(&[], 0.0, &[]).worst().is_infinite());
    }
}
