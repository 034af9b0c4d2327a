//! One verdict per record from its fates at several destinations.

use super::shipment::Fate;
use crate::board::{Board, reason, rejected, retry};
use crate::metrics::Metrics;
use crate::record::{Entry, Need};
use domain::verdict::Verdict;
use std::collections::BTreeMap;

/// Verdicts by place, as far as the required destinations have spoken.
#[derive(Default)]
pub struct Tally {
    verdicts: BTreeMap<usize, Verdict>,
}

impl Tally {
    /// Adds what became of `entries` at the destination `name`.
    pub fn add(&mut self, name: &str, entries: &[Entry<'_>], fates: Vec<Fate>, metrics: &Metrics) {
        let mut missed = Missed::default();
        for (entry, fate) in entries.iter().zip(fates) {
            match entry.need {
                Need::Required => self.take(entry.place, spoken(name, fate)),
                Need::Optional => missed.take(fate),
            }
        }
        missed.tell(name, metrics);
    }

    /// The gravest wins: as long as one destination has to be tried again, a dead letter would be too early.
    fn take(&mut self, place: usize, verdict: Verdict) {
        match self.verdicts.get(&place) {
            Some(known) if gravity(known) >= gravity(&verdict) => {}
            _ => {
                self.verdicts.insert(place, verdict);
            }
        }
    }

    pub fn settle(self, board: &mut Board) {
        for (place, verdict) in self.verdicts {
            board.settle(place, verdict);
        }
    }
}

fn gravity(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Delivered | Verdict::Duplicate => 0,
        Verdict::Rejected { .. } => 1,
        Verdict::Retry { .. } => 2,
    }
}

fn spoken(name: &str, fate: Fate) -> Verdict {
    match fate {
        Fate::Delivered => Verdict::Delivered,
        Fate::Rejected { reason, detail } => rejected(reason, &format!("{name}: {detail}")),
        Fate::Retry { reason, detail } => retry(reason, &format!("{name}: {detail}")),
        Fate::Waiting => retry(reason::DEADLINE, &format!("{name}: not tried")),
    }
}

/// What an optional destination did not take: counted per record, logged once.
#[derive(Default)]
struct Missed {
    count: u64,
    first: String,
}

impl Missed {
    fn take(&mut self, fate: Fate) {
        let detail = match fate {
            Fate::Delivered => return,
            Fate::Rejected { detail, .. } | Fate::Retry { detail, .. } => detail,
            Fate::Waiting => String::new(),
        };
        if self.count == 0 {
            self.first = detail;
        }
        self.count += 1;
    }

    fn tell(&self, name: &str, metrics: &Metrics) {
        if self.count > 0 {
            metrics.optional_failures(self.count);
            tracing::warn!(destination = name, events = self.count, first = %self.first, "optional destination missed events");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shipment::Fate;
    use super::Tally;
    use crate::board::{Board, retry};
    use crate::metrics::Metrics;
    use crate::record::{Entry, Need};
    use domain::offset::Offset;
    use domain::verdict::Verdict;

    fn entry(place: usize, need: Need) -> Entry<'static> {
        Entry { place, offset: Offset(0), id: "e", key: b"k", value: "{}", need }
    }

    fn no() -> Fate {
        Fate::Rejected { reason: "rejected", detail: "no".into() }
    }

    fn later() -> Fate {
        Fate::Retry { reason: "transient", detail: "later".into() }
    }

    #[test]
    fn the_gravest_of_the_required_decides_and_optional_ones_are_counted() {
        let (metrics, mut tally) = (Metrics::default(), Tally::default());
        let all: Vec<_> = (0..4).map(|place| entry(place, Need::Required)).collect();
        tally.add("a", &all, vec![Fate::Delivered, no(), later(), Fate::Delivered], &metrics);
        let some = [entry(0, Need::Required), entry(1, Need::Required), entry(2, Need::Required)];
        tally.add("b", &some, vec![Fate::Delivered, later(), no()], &metrics);
        tally.add("c", &[entry(3, Need::Optional)], vec![no()], &metrics);
        let mut board = Board::new(4);
        tally.settle(&mut board);
        let want =
            [Verdict::Delivered, retry("transient", "b: later"), retry("transient", "a: later"), Verdict::Delivered];
        assert_eq!(board.verdicts("open"), want);
        assert_eq!(metrics.snapshot().optional_failures, 1);
    }
}
