//! A route is a rule from an event to a named place; the first that matches wins.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A set of codigos as people write it: `"300"`, `"400-499"`, `"100,200,300-399"` or `"*"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodigoSet {
    ranges: Vec<(u32, u32)>,
}

/// Why a text is no set of codigos.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no codigo, range or `*` (write for example \"300\", \"400-499\", \"100,300-399\" or \"*\")")]
pub struct BadCodigoSet(String);

impl CodigoSet {
    /// `*`.
    pub fn all() -> Self {
        Self { ranges: vec![(0, u32::MAX)] }
    }

    pub fn contains(&self, codigo: u32) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&codigo))
    }

    /// True when nothing of `other` is left behind this set.
    pub fn covers(&self, other: &Self) -> bool {
        let joined = self.joined();
        other.ranges.iter().all(|(low, high)| joined.iter().any(|(from, to)| from <= low && high <= to))
    }

    /// What at least one of `sets` holds.
    pub fn union<'s>(sets: impl IntoIterator<Item = &'s Self>) -> Self {
        Self { ranges: sets.into_iter().flat_map(|set| set.ranges.iter().copied()).collect() }
    }

    /// The ranges in order, those made one that have nothing between them.
    fn joined(&self) -> Vec<(u32, u32)> {
        let mut ranges = self.ranges.clone();
        ranges.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::new();
        for (low, high) in ranges {
            match joined.last_mut() {
                Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
                _ => joined.push((low, high)),
            }
        }
        joined
    }
}

impl FromStr for CodigoSet {
    type Err = BadCodigoSet;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ranges = text.split(',').map(|part| range(part.trim())).collect::<Result<_, _>>()?;
        Ok(Self { ranges })
    }
}

fn range(text: &str) -> Result<(u32, u32), BadCodigoSet> {
    let bad = || BadCodigoSet(text.to_owned());
    if text == "*" {
        return Ok((0, u32::MAX));
    }
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (low.trim().parse().map_err(|_| bad())?, high.trim().parse().map_err(|_| bad())?);
    if low > high { Err(bad()) } else { Ok((low, high)) }
}

impl TryFrom<String> for CodigoSet {
    type Error = BadCodigoSet;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CodigoSet> for String {
    fn from(set: CodigoSet) -> Self {
        set.to_string()
    }
}

impl fmt::Display for CodigoSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, range) in self.ranges.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match range {
                (0, u32::MAX) => write!(f, "{comma}*")?,
                (low, high) if low == high => write!(f, "{comma}{low}")?,
                (low, high) => write!(f, "{comma}{low}-{high}")?,
            }
        }
        Ok(())
    }
}

/// Ordered rules from codigos to places (a topic at the producer, destinations at the dispatcher).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes<P> {
    rules: Vec<(CodigoSet, P)>,
}

impl<P> Routes<P> {
    pub fn new(rules: Vec<(CodigoSet, P)>) -> Self {
        Self { rules }
    }

    /// The place of the first rule that holds `codigo`; `None` when no rule does.
    pub fn find(&self, codigo: u32) -> Option<&P> {
        self.rules.iter().find(|(set, _)| set.contains(codigo)).map(|(_, place)| place)
    }

    /// All places, in the order of their rules.
    pub fn places(&self) -> impl Iterator<Item = &P> {
        self.rules.iter().map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::{CodigoSet, Routes};

    #[test]
    fn the_first_match_wins() {
        let set = |text: &str| text.parse::<CodigoSet>().expect("a set");
        let routes = Routes::new(vec![(set("911,100-199"), "priority"), (set("400-499"), "hot"), (set("*"), "rest")]);
        let found = [911, 150, 450, 7].map(|codigo| routes.find(codigo).copied());
        assert_eq!(found, [Some("priority"), Some("priority"), Some("hot"), Some("rest")]);
        assert_eq!(Routes::new(vec![(set("1"), ())]).find(2), None);
    }

    #[test]
    fn a_set_covers_what_leaves_nothing_behind_it() {
        let set = |text: &str| text.parse::<CodigoSet>().expect("a set");
        assert!(set("*").covers(&set("300,400-499")) && set("*").covers(&set("*")));
        assert!(set("400-499,7").covers(&set("7,410-420")));
        assert!(!set("400-499").covers(&set("499-500")) && !set("0-4000000000").covers(&set("*")));
        assert!(set("450-499,400-449").covers(&set("400-499")) && set("1-5,3-9").covers(&set("2-8")));
        assert!(!set("400-448,450-499").covers(&set("400-499")) && set("5,1-4294967295,0").covers(&set("*")));
        let both = CodigoSet::union([&set("0-299"), &set("300-4294967295")]);
        assert!(both.covers(&set("*")) && !CodigoSet::union([]).covers(&set("7")));
    }

    #[test]
    fn a_set_is_written_as_it_was_read() {
        for text in ["300", "400-499", "100,200,300-399", "*"] {
            assert_eq!(text.parse::<CodigoSet>().expect("a set").to_string(), text);
        }
    }

    #[test]
    fn what_is_no_set_is_refused_by_name() {
        for text in ["", "x", "5-4", "1-", "-3", "1,,2"] {
            assert!(text.parse::<CodigoSet>().is_err(), "{text}");
        }
    }
}
