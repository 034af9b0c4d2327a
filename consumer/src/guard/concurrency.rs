//! Adaptive concurrency: how many calls may be under way at once. Pure: it needs no clock at all.

use std::time::Duration;

/// How much of the calls under way is left after one decrease.
const DECREASE: f64 = 0.7;

/// How the limit follows the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConcurrencySettings {
    /// Otherwise the limit is always the maximum.
    pub adaptive: bool,
    /// A longer answer counts like being told to slow down; `None`: latency does not matter.
    pub latency_budget: Option<Duration>,
}

/// What an end says about the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Answered after so long.
    Served(Duration),
    /// Told to slow down.
    Throttled,
    /// Nothing.
    Unknown,
}

/// Calls between two decreases belong to one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round(u64);

/// The limit is between 1 and the maximum, where it starts. It grows by one over about as many answers as it lets be under way,
/// but only while it is what holds calls back. It shrinks to a part of what is under way when the other side throttles or is
/// slower than the budget; calls that began before a decrease say nothing about the limit after it, so it shrinks at most
/// once per round trip.
#[derive(Debug, Clone)]
pub struct Concurrency {
    settings: ConcurrencySettings,
    max: usize,
    limit: f64,
    under_way: usize,
    round: Round,
}

impl Concurrency {
    /// `max` is at least 1.
    pub fn new(settings: ConcurrencySettings, max: usize) -> Self {
        let max = max.max(1);
        Self { settings, max, limit: max as f64, under_way: 0, round: Round(0) }
    }

    /// How many calls may be under way.
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    pub fn max(&self) -> usize {
        self.max
    }

    pub fn under_way(&self) -> usize {
        self.under_way
    }

    pub fn is_adaptive(&self) -> bool {
        self.settings.adaptive
    }

    pub fn has_room(&self) -> bool {
        self.under_way < self.limit()
    }

    /// A call begins; the caller has seen that there is room.
    pub fn begin(&mut self) -> Round {
        self.under_way += 1;
        self.round
    }

    /// A call that began ended, or never will.
    pub fn end(&mut self, round: Round, load: Load) {
        let under_way = self.under_way;
        self.under_way = under_way.saturating_sub(1);
        if !self.settings.adaptive || round != self.round {
            return;
        }
        let slow = |latency| self.settings.latency_budget.is_some_and(|budget| latency > budget);
        match load {
            Load::Served(latency) if !slow(latency) => self.grow(under_way),
            Load::Served(_) | Load::Throttled => self.shrink(under_way),
            Load::Unknown => {}
        }
    }

    /// Changes the maximum by hand. A limit at the maximum goes with it.
    pub fn set_max(&mut self, max: usize) {
        let at_most = self.limit() == self.max;
        self.max = max.max(1);
        self.limit = if at_most { self.max as f64 } else { self.limit.min(self.max as f64) };
    }

    fn grow(&mut self, under_way: usize) {
        if under_way >= self.limit() {
            self.limit = (self.limit + 1.0 / self.limit).min(self.max as f64);
        }
    }

    fn shrink(&mut self, under_way: usize) {
        self.limit = (self.limit().min(under_way) as f64 * DECREASE).max(1.0);
        self.round.0 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Concurrency, ConcurrencySettings, Load, Round};
    use std::time::Duration;

    const FAST: Load = Load::Served(Duration::from_millis(120));
    const SLOW: Load = Load::Served(Duration::from_millis(950));

    fn concurrency(latency_budget: Option<Duration>) -> Concurrency {
        Concurrency::new(ConcurrencySettings { adaptive: true, latency_budget }, 64)
    }

    /// As many calls as there may be.
    fn fill(concurrency: &mut Concurrency) -> Vec<Round> {
        std::iter::from_fn(|| concurrency.has_room().then(|| concurrency.begin())).collect()
    }

    #[test]
    fn many_throttled_calls_of_one_round_trip_are_one_decrease() {
        let mut concurrency = concurrency(None);
        let calls = fill(&mut concurrency);
        assert_eq!(calls.len(), 64);
        calls.into_iter().for_each(|round| concurrency.end(round, Load::Throttled));
        assert_eq!((concurrency.limit(), concurrency.under_way()), (44, 0));
        let calls = fill(&mut concurrency);
        calls.into_iter().for_each(|round| concurrency.end(round, Load::Throttled));
        assert_eq!(concurrency.limit(), 30);
    }

    #[test]
    fn it_shrinks_to_a_part_of_what_is_under_way_and_never_below_one() {
        let mut concurrency = concurrency(None);
        let calls: Vec<Round> = (0..10).map(|_| concurrency.begin()).collect();
        concurrency.end(calls[0], Load::Throttled);
        assert_eq!(concurrency.limit(), 7);
        for _ in 0..20 {
            let round = concurrency.begin();
            concurrency.end(round, Load::Throttled);
        }
        assert_eq!(concurrency.limit(), 1);
    }

    #[test]
    fn it_grows_by_one_a_round_but_only_while_it_holds_back() {
        let mut concurrency = concurrency(None);
        let round = concurrency.begin();
        concurrency.end(round, Load::Throttled);
        for _ in 0..8 {
            fill(&mut concurrency);
            for _ in 0..concurrency.limit() {
                concurrency.end(concurrency.round, FAST);
                fill(&mut concurrency);
            }
        }
        assert!((6..=9).contains(&concurrency.limit()), "{} after eight rounds", concurrency.limit());
        while concurrency.under_way() > 0 {
            concurrency.end(concurrency.round, Load::Unknown);
        }
        let before = concurrency.limit;
        for _ in 0..1_000 {
            let round = concurrency.begin();
            concurrency.end(round, FAST);
        }
        assert!(concurrency.limit == before, "one call at a time is not held back by {before}");
    }

    #[test]
    fn slow_answers_shrink_it_only_with_a_budget() {
        let mut free = concurrency(None);
        fill(&mut free).into_iter().for_each(|round| free.end(round, SLOW));
        assert_eq!(free.limit(), 64);
        let mut bound = concurrency(Some(Duration::from_millis(500)));
        fill(&mut bound).into_iter().for_each(|round| bound.end(round, FAST));
        assert_eq!(bound.limit(), 64);
        fill(&mut bound).into_iter().for_each(|round| bound.end(round, SLOW));
        assert_eq!(bound.limit(), 44);
    }

    #[test]
    fn the_maximum_changes_by_hand() {
        let mut concurrency = concurrency(None);
        concurrency.set_max(10);
        assert_eq!(concurrency.limit(), 10);
        concurrency.set_max(20);
        assert_eq!(concurrency.limit(), 20, "it was at its maximum");
        let calls = fill(&mut concurrency);
        concurrency.end(calls[0], Load::Throttled);
        concurrency.set_max(50);
        assert_eq!(concurrency.limit(), 14, "what was learnt stays");
    }

    #[test]
    fn one_that_does_not_adapt_stays_where_it_is() {
        let settings = ConcurrencySettings { adaptive: false, latency_budget: Some(Duration::ZERO) };
        let mut fixed = Concurrency::new(settings, 8);
        for load in [Load::Throttled, SLOW, Load::Unknown] {
            fill(&mut fixed).into_iter().for_each(|round| fixed.end(round, load));
            assert_eq!(fixed.limit(), 8);
        }
    }
}
