//! Offsets and times, sparse: bounded however long one record is stuck while others go on.

/// Nearer to the sample before, a time is not worth a sample of its own.
const STEP_MS: i64 = 250;
/// A sample of this part of its age says as much as a later one.
const OF_AGE: i64 = 100;
/// More samples are thinned out: an hour at the bounds above takes about 550, a day 900.
const MOST: usize = 2_048;

/// Ascending offsets, each with the time from which on the records from there on are.
#[derive(Debug, Default)]
pub(super) struct Samples {
    list: Vec<Sample>,
    /// Of the highest offset noted, also when that is no sample.
    last: Option<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    offset: i64,
    ms: i64,
}

impl Samples {
    /// Notes `offset` with its time. An offset that is not above the last one replaces whatever lies from there on.
    pub(super) fn note(&mut self, offset: i64, ms: i64) {
        if self.last.is_some_and(|last| offset <= last.offset) {
            self.list.truncate(self.list.partition_point(|sample| sample.offset < offset));
        }
        self.last = Some(Sample { offset, ms });
        if self.list.last().is_none_or(|sample| (ms - sample.ms).abs() >= STEP_MS) {
            self.list.push(Sample { offset, ms });
        }
        if self.list.len() > MOST {
            self.thin(ms);
        }
    }

    /// The time of the last sample at or below `offset`.
    pub(super) fn at(&self, offset: i64) -> Option<i64> {
        let after = self.list.partition_point(|sample| sample.offset <= offset);
        self.list.get(after.checked_sub(1)?).map(|sample| sample.ms)
    }

    /// The time of the highest offset.
    pub(super) fn last(&self) -> Option<i64> {
        self.last.map(|last| last.ms)
    }

    /// Nobody asks for anything below `offset` any more.
    pub(super) fn forget(&mut self, offset: i64) {
        let after = self.list.partition_point(|sample| sample.offset <= offset);
        self.list.drain(..after.saturating_sub(1));
    }

    fn thin(&mut self, now_ms: i64) {
        let mut kept: Option<i64> = None;
        self.list.retain(|sample| {
            let near = |kept: i64| (sample.ms - kept).abs() < (2 * STEP_MS).max((now_ms - kept) / OF_AGE);
            let drop = kept.is_some_and(near);
            kept = if drop { kept } else { Some(sample.ms) };
            !drop
        });
        if self.list.len() > MOST / 2 {
            // Times that go to and fro, as producers' clocks may: every second one must do.
            let mut keep = false;
            self.list.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.list.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Samples};

    #[test]
    fn an_hour_at_13_000_a_second_stays_small_and_within_two_percent() {
        let mut samples = Samples::default();
        let (rate, hour_ms) = (13, 3_600_000_i64);
        for offset in 0..hour_ms * rate {
            samples.note(offset, offset / rate);
        }
        assert!(samples.len() <= MOST, "{}", samples.len());
        for truth in [0, 1, 10_000, 1_800_000, 3_500_000, 3_590_000, 3_599_000, 3_599_999] {
            let said = samples.at(truth * rate).unwrap();
            let allowed = 1_000.max((hour_ms - truth) / 50);
            assert!(said <= truth && truth - said <= allowed, "{said} for {truth}");
        }
    }

    #[test]
    fn times_that_go_to_and_fro_stay_bounded() {
        let mut samples = Samples::default();
        for offset in 0..100_000 {
            samples.note(offset, if offset % 2 == 0 { 0 } else { 3_600_000 });
        }
        assert!(samples.len() <= MOST);
    }

    #[test]
    fn what_is_below_is_forgotten_but_not_what_covers_it() {
        let mut samples = Samples::default();
        for offset in 0..10 {
            samples.note(offset * 10, offset * 1_000);
        }
        samples.forget(45);
        assert_eq!((samples.at(39), samples.at(45), samples.at(95)), (None, Some(4_000), Some(9_000)));
    }

    #[test]
    fn a_position_that_was_reset_replaces_what_lay_above() {
        let mut samples = Samples::default();
        for (offset, ms) in [(0, 0), (10, 1_000), (20, 2_000), (10, 9_000)] {
            samples.note(offset, ms);
        }
        assert_eq!((samples.at(9), samples.at(15), samples.last()), (Some(0), Some(9_000), Some(9_000)));
    }
}
