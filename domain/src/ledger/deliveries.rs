//! The receiving side of the ledger: first deliveries, duplicates and order, per key.

use super::{LedgerKey, SeqSet};
use crate::event::EventId;
use std::collections::HashMap;

/// What was seen at one receiving place, in the order of arrival.
#[derive(Debug, Clone, Default)]
pub struct Deliveries {
    keys: HashMap<LedgerKey, SeqSet>,
    events: u64,
    duplicates: u64,
    order_violations: u64,
    examples: Vec<EventId>,
}

/// What one arrival was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// First delivery, after all that came before it in its key.
    First,
    /// First delivery, but a later seq of its key came first.
    OutOfOrder,
    /// It had been delivered before; never an order violation.
    Duplicate,
}

/// How many ids of order violations are kept as examples.
const EXAMPLES: usize = 20;

impl Deliveries {
    /// Takes down one arrival.
    pub fn record(&mut self, id: &EventId) -> Seen {
        let seqs = self.keys.entry(LedgerKey::from(id)).or_default();
        let before = seqs.last();
        self.events += 1;
        if !seqs.insert(id.seq) {
            self.duplicates += 1;
            return Seen::Duplicate;
        }
        if before.is_none_or(|last| id.seq > last) {
            return Seen::First;
        }
        self.order_violations += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(id.clone());
        }
        Seen::OutOfOrder
    }

    /// All arrivals, duplicates included.
    pub fn events(&self) -> u64 {
        self.events
    }

    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    pub fn order_violations(&self) -> u64 {
        self.order_violations
    }

    /// The first ids that came out of order.
    pub fn order_examples(&self) -> &[EventId] {
        &self.examples
    }

    /// Distinct events.
    pub fn first_deliveries(&self) -> u64 {
        self.events - self.duplicates
    }

    /// The seqs of one key.
    pub fn seqs(&self, key: &LedgerKey) -> Option<&SeqSet> {
        self.keys.get(key)
    }

    pub fn keys(&self) -> impl Iterator<Item = (&LedgerKey, &SeqSet)> {
        self.keys.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Deliveries, Seen};
    use crate::event::EventId;

    #[test]
    fn order_is_judged_on_first_deliveries_only() {
        let mut deliveries = Deliveries::default();
        let mut see = |seq| deliveries.record(&EventId { run: "r".into(), truck_id: "BR1".into(), codigo: 4, seq });
        let seen: Vec<_> = [1, 2, 5, 1, 5, 4, 6].map(&mut see).into();
        use Seen::{Duplicate, First, OutOfOrder};
        assert_eq!(seen, [First, First, First, Duplicate, Duplicate, OutOfOrder, First]);
        assert_eq!((deliveries.events(), deliveries.duplicates(), deliveries.order_violations()), (7, 2, 1));
    }
}
