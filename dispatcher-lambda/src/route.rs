//! Step 4, route: which destinations does each event go to, and as what? The first rule that matches wins.
//!
//! In: the fresh records. Out: per destination its entries, in the order of the request; what no rule takes is rejected on the board.
//! Never: reads a destination; reorders; touches a value whose rule has no transform.

mod reach;
mod rule;

pub use reach::{Unreached, unreached};
pub use rule::{FieldTest, Rule, RuleRaw, Test, Within};

use crate::board::{Board, reason};
use crate::contain;
use crate::fields::Fields;
use crate::record::{Entry, Need, Valid};
use crate::transform::Refused;
use domain::headers::topic_of_retry;
use std::borrow::Cow;
use std::cell::LazyCell;

/// A record with its rule, and what is delivered of it.
pub struct Addressed<'a> {
    record: &'a Valid<'a>,
    rule: &'a Rule,
    value: Cow<'a, str>,
}

/// Why a record goes nowhere.
#[derive(Debug, thiserror::Error)]
enum Astray {
    #[error("no rule takes codigo {0} of topic {1}")]
    NoRoute(u32, String),
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// The rule of each record, and its value as the rule wants it. A record that was put off belongs to the topic that it came to first.
pub fn route<'a>(rules: &'a [Rule], topic: &str, fresh: &'a [Valid<'a>], board: &mut Board) -> Vec<Addressed<'a>> {
    let topic = topic_of_retry(topic).map_or(topic, |(first, _)| first);
    let mut addressed = Vec::with_capacity(fresh.len());
    for record in fresh {
        match contain::call(|| address(rules, topic, record)) {
            Ok(Ok(one)) => addressed.push(one),
            Ok(Err(astray)) => board.reject(record.place, astray.reason(), &astray.to_string()),
            // The same event would panic again: a dead letter lets the partition go on.
            Err(panicked) => board.reject(record.place, reason::PANIC, &format!("route {panicked}")),
        }
    }
    addressed
}

fn address<'a>(rules: &'a [Rule], topic: &str, record: &'a Valid<'a>) -> Result<Addressed<'a>, Astray> {
    let fields = LazyCell::new(|| Fields::read(record.value).unwrap_or_default());
    let rule = rules.iter().find(|rule| rule.takes(topic, record.codigo, &fields));
    let rule = rule.ok_or_else(|| Astray::NoRoute(record.codigo, topic.to_owned()))?;
    let value = match &rule.transform {
        None => Cow::Borrowed(record.value),
        Some(transform) => Cow::Owned(transform.apply(record.value)?),
    };
    Ok(Addressed { record, rule, value })
}

/// Entries per destination, `destinations` in number.
pub fn parcels<'a>(addressed: &'a [Addressed<'a>], destinations: usize) -> Vec<Vec<Entry<'a>>> {
    let mut parcels: Vec<Vec<Entry<'a>>> = vec![Vec::new(); destinations];
    for one in addressed {
        for (destination, need) in &one.rule.to {
            if let Some(parcel) = parcels.get_mut(*destination) {
                parcel.push(one.entry(*need));
            }
        }
    }
    parcels
}

impl Addressed<'_> {
    /// Identity and key are those of the event as it came.
    fn entry(&self, need: Need) -> Entry<'_> {
        let Valid { place, offset, id, key, .. } = self.record;
        Entry { place: *place, offset: *offset, id, key, value: &self.value, need }
    }
}

impl Astray {
    fn reason(&self) -> &'static str {
        match self {
            Self::NoRoute(..) => reason::NO_ROUTE,
            Self::Refused(Refused::NotInLookup { .. }) => reason::NOT_IN_LOOKUP,
            Self::Refused(Refused::NoObject(_)) => "schema",
        }
    }
}

#[cfg(test)]
mod tests;
