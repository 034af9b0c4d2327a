//! The rules in force, and which of them strike a given invocation.

use super::fault::{Fault, Rule, When};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use std::time::{Duration, Instant};

/// All rules, in the order in which they were added.
#[derive(Debug)]
pub struct FaultBook {
    entries: Vec<Entry>,
    next_id: u64,
    dice: StdRng,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    rule: Rule,
    added: Instant,
    struck: u64,
}

/// A rule as it stands, for `GET /_host/faults`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    pub id: u64,
    /// How many invocations it has struck.
    pub struck: u64,
    pub rule: Rule,
}

/// What one invocation meets: latencies of all rules that strike it add up, of all other faults the first strikes alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    pub before: Duration,
    pub after: Duration,
    pub fault: Option<Fault>,
}

impl FaultBook {
    /// No rules yet; the same seed gives the same dice.
    pub fn new(seed: u64) -> Self {
        Self { entries: Vec::new(), next_id: 1, dice: StdRng::seed_from_u64(seed) }
    }

    /// Adds a rule and gives its number.
    pub fn add(&mut self, rule: Rule, now: Instant) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.entries.push(Entry { id, rule, added: now, struck: 0 });
        id
    }

    /// Takes all rules back, or one of them; says how many that were.
    pub fn clear(&mut self, only: Option<u64>) -> usize {
        let before = self.entries.len();
        self.entries.retain(|entry| only.is_some_and(|id| id != entry.id));
        before - self.entries.len()
    }

    /// The rules and how often each has struck; those that are used up stay listed.
    pub fn standing(&self) -> Vec<Standing> {
        let view = |e: &Entry| Standing { id: e.id, struck: e.struck, rule: e.rule.clone() };
        self.entries.iter().map(view).collect()
    }

    /// Decides what the next invocation of `function` meets, and counts it.
    pub fn plan(&mut self, function: &str, now: Instant) -> Plan {
        let mut plan = Plan::default();
        for entry in &mut self.entries {
            let latency = matches!(entry.rule.fault, Fault::Latency { .. });
            if !entry.in_force(function, now) || (!latency && plan.fault.is_some()) {
                continue;
            }
            if entry.rule.share < 1.0 && self.dice.random::<f64>() >= entry.rule.share {
                continue;
            }
            entry.struck += 1;
            match &entry.rule.fault {
                Fault::Latency { when: When::Before, wait } => plan.before += wait.roll(self.dice.random()),
                Fault::Latency { when: When::After, wait } => plan.after += wait.roll(self.dice.random()),
                other => plan.fault = Some(other.clone()),
            }
        }
        plan
    }
}

impl Entry {
    fn in_force(&self, function: &str, now: Instant) -> bool {
        let rule = &self.rule;
        let meant = rule.function.as_deref().is_none_or(|only| only == function);
        let left = rule.count.is_none_or(|count| self.struck < count);
        let still = rule.for_ms.is_none_or(|ms| now < self.added + Duration::from_millis(ms));
        meant && left && still
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::{Fault, Rule, Wait, When};
    use super::FaultBook;
    use std::time::{Duration, Instant};

    #[test]
    fn a_rule_strikes_its_function_as_often_as_it_says() {
        let (mut book, now) = (FaultBook::new(1), Instant::now());
        book.add(Rule::times(2, Fault::Timeout).only("a"), now);
        let struck = |book: &mut FaultBook, name| book.plan(name, now).fault.is_some();
        assert!(!struck(&mut book, "b"));
        assert!(struck(&mut book, "a"));
        assert!(struck(&mut book, "a"));
        assert!(!struck(&mut book, "a"));
        assert_eq!(book.standing()[0].struck, 2);
    }

    #[test]
    fn a_rule_ends_with_its_time() {
        let (mut book, now) = (FaultBook::new(1), Instant::now());
        book.add(Rule { for_ms: Some(50), ..Rule::always(Fault::Timeout) }, now);
        assert!(book.plan("a", now + Duration::from_millis(49)).fault.is_some());
        assert!(book.plan("a", now + Duration::from_millis(50)).fault.is_none());
    }

    #[test]
    fn a_share_is_kept() {
        let (mut book, now) = (FaultBook::new(7), Instant::now());
        book.add(Rule::always(Fault::Timeout).share(0.25), now);
        let struck = (0..4000).filter(|_| book.plan("a", now).fault.is_some()).count();
        assert!((850..1150).contains(&struck), "{struck}");
    }

    #[test]
    fn latencies_add_up_and_the_first_other_fault_strikes_alone() {
        let (mut book, now) = (FaultBook::new(1), Instant::now());
        book.add(Rule::always(Fault::latency(Duration::from_millis(5))), now);
        book.add(Rule::times(1, Fault::OtherBatch), now);
        book.add(Rule::times(1, Fault::Timeout), now);
        let between = Wait::Between { min_ms: 10, max_ms: 20 };
        book.add(Rule::always(Fault::Latency { when: When::After, wait: between }), now);
        let plan = book.plan("a", now);
        assert_eq!((plan.before, plan.fault), (Duration::from_millis(5), Some(Fault::OtherBatch)));
        assert!((Duration::from_millis(10)..=Duration::from_millis(20)).contains(&plan.after));
        assert_eq!(book.plan("a", now).fault, Some(Fault::Timeout));
    }

    #[test]
    fn rules_are_taken_back_one_or_all() {
        let (mut book, now) = (FaultBook::new(1), Instant::now());
        let first = book.add(Rule::always(Fault::Timeout), now);
        book.add(Rule::always(Fault::OtherBatch), now);
        assert_eq!(book.clear(Some(first)), 1);
        assert_eq!(book.plan("a", now).fault, Some(Fault::OtherBatch));
        assert_eq!(book.clear(None), 1);
        assert_eq!(book.plan("a", now).fault, None);
    }
}
