//! Step 4, route: which destinations does each event go to? The first rule that matches wins.
//!
//! In: the fresh records. Out: per destination its entries, in the order of the request; what no rule takes is rejected on the board.
//! Never: reads a destination; reorders.

use crate::board::{Board, reason};
use crate::record::{Entry, Need, Valid};
use domain::headers::topic_of_retry;
use domain::route::CodigoSet;
use serde::{Deserialize, Serialize};

/// One `[[routes]]` table as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleRaw {
    /// Codigos, such as `"400-499"` or `"100,200"`; `"*"` (the default) is all.
    pub codigos: String,
    /// Topics; none (the default) is all.
    pub topics: Vec<String>,
    /// Destinations that must hold the event before it counts as delivered.
    pub required: Vec<String>,
    /// Destinations whose failures are logged and counted, nothing else.
    pub optional: Vec<String>,
}

impl Default for RuleRaw {
    fn default() -> Self {
        Self { codigos: "*".to_owned(), topics: Vec::new(), required: Vec::new(), optional: Vec::new() }
    }
}

/// One rule as meant. Destinations are indexes into the dispatcher's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub codigos: CodigoSet,
    /// Empty: every topic.
    pub topics: Vec<String>,
    pub to: Vec<(usize, Need)>,
}

impl Rule {
    fn takes(&self, topic: &str, codigo: u32) -> bool {
        (self.topics.is_empty() || self.topics.iter().any(|name| name == topic)) && self.codigos.contains(codigo)
    }
}

/// Entries per destination, `destinations` in number. A record that was put off belongs to the topic that it came to first.
pub fn route<'a>(
    rules: &[Rule],
    topic: &str,
    destinations: usize,
    fresh: &'a [Valid<'a>],
    board: &mut Board,
) -> Vec<Vec<Entry<'a>>> {
    let topic = topic_of_retry(topic).map_or(topic, |(first, _)| first);
    let mut parcels: Vec<Vec<Entry<'a>>> = vec![Vec::new(); destinations];
    for record in fresh {
        let Some(rule) = rules.iter().find(|rule| rule.takes(topic, record.codigo)) else {
            let detail = format!("no rule takes codigo {} of topic {topic}", record.codigo);
            board.reject(record.place, reason::NO_ROUTE, &detail);
            continue;
        };
        for (destination, need) in &rule.to {
            if let Some(parcel) = parcels.get_mut(*destination) {
                parcel.push(entry(record, *need));
            }
        }
    }
    parcels
}

fn entry<'a>(record: &'a Valid<'_>, need: Need) -> Entry<'a> {
    let (place, offset, value) = (record.place, record.offset, record.value);
    Entry { place, offset, id: &record.id, key: &record.key, value, need }
}

#[cfg(test)]
mod tests {
    use super::{Rule, route};
    use crate::board::{Board, reason, rejected};
    use crate::record::{Need, Valid};
    use domain::offset::Offset;

    fn rule(codigos: &str, topics: &[&str], to: &[(usize, Need)]) -> Rule {
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        Rule { codigos: codigos.parse().unwrap(), topics, to: to.to_vec() }
    }

    fn valid(place: usize, codigo: u32) -> Valid<'static> {
        let offset = Offset(i64::try_from(place).unwrap());
        Valid { place, offset, id: "x".into(), codigo, key: vec![], value: "{}" }
    }

    #[test]
    fn the_first_rule_that_matches_codigo_and_topic_wins() {
        let rules = [
            rule("911", &["mt-c300"], &[(0, Need::Required)]),
            rule("400-499", &[], &[(1, Need::Required), (0, Need::Optional)]),
        ];
        let records = [valid(0, 911), valid(1, 400), valid(2, 401)];
        let mut board = Board::new(3);
        let parcels = route(&rules, "mt-c400", 2, &records, &mut board);
        let places = |n: usize| parcels[n].iter().map(|entry| (entry.place, entry.need)).collect::<Vec<_>>();
        assert_eq!(places(0), [(1, Need::Optional), (2, Need::Optional)]);
        assert_eq!(places(1), [(1, Need::Required), (2, Need::Required)]);
        assert_eq!(
            board.verdicts(reason::DEADLINE)[0],
            rejected(reason::NO_ROUTE, "no rule takes codigo 911 of topic mt-c400")
        );
    }

    #[test]
    fn a_record_of_a_retry_topic_goes_where_its_first_topic_goes() {
        let rules = [rule("*", &["mt-c300"], &[(0, Need::Required)])];
        let records = [valid(0, 300)];
        let mut board = Board::new(1);
        assert_eq!(route(&rules, "mt-c300.retry.30s", 1, &records, &mut board)[0].len(), 1);
    }
}
