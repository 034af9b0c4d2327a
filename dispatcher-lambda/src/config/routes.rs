//! The routes: every rule names destinations that are there, can be reached, and makes what its destinations need.

use super::{DispatcherRaw, build, transforms};
use crate::destinations::Named;
use crate::record::Need;
use crate::route::{FieldTest, Rule, RuleRaw, Test, Unreached, unreached};
use runtime::config::{ConfigError, Settings};

/// One rule in the making.
struct Site<'a> {
    key: String,
    raw: &'a RuleRaw,
    settings: &'a Settings,
}

/// Without any route every event goes to every destination but the one for rejected records, all required.
pub(super) fn rules(
    raw: &DispatcherRaw,
    destinations: &[Named],
    set_aside: Option<usize>,
    settings: &Settings,
) -> Result<Vec<Rule>, ConfigError> {
    if raw.routes.is_empty() {
        let to = (0..destinations.len()).filter(|index| Some(*index) != set_aside);
        return Ok(vec![Rule::everything(to.map(|index| (index, Need::Required)).collect())]);
    }
    let mut rules: Vec<Rule> = Vec::with_capacity(raw.routes.len());
    for (place, written) in raw.routes.iter().enumerate() {
        let site = Site { key: format!("routes[{place}]"), raw: written, settings };
        let rule = site.rule(&raw.destinations, destinations)?;
        site.reached(&rules, &rule)?;
        rules.push(rule);
    }
    Ok(rules)
}

impl Site<'_> {
    fn refuse(&self, key: &str, sentence: impl std::fmt::Display) -> ConfigError {
        self.settings.refuse(&format!("{}.{key}", self.key), sentence)
    }

    fn rule(&self, tables: &build::Tables, destinations: &[Named]) -> Result<Rule, ConfigError> {
        let codigos = self.raw.codigos.parse().map_err(|error| self.refuse("codigos", format!("{error}")))?;
        let to = self.to(destinations)?;
        let field = self.field()?;
        let needs = to.iter().filter_map(|(index, _)| {
            let name = &destinations.get(*index)?.name;
            Some((name.as_str(), tables.get(name)?))
        });
        let make = |raw| transforms::transform(&self.key, raw, needs, self.settings);
        let transform = self.raw.transform.as_ref().map(make).transpose()?;
        Ok(Rule { codigos, topics: self.raw.topics.clone(), field, transform, to })
    }

    fn to(&self, destinations: &[Named]) -> Result<Vec<(usize, Need)>, ConfigError> {
        if self.raw.required.is_empty() {
            let sentence = "allowed is one destination or more: without any, an event that reached nobody would count as delivered";
            return Err(self.refuse("required", sentence));
        }
        let required = self.raw.required.iter().map(|name| ("required", name, Need::Required));
        let optional = self.raw.optional.iter().map(|name| ("optional", name, Need::Optional));
        let mut to: Vec<(usize, Need)> = Vec::new();
        for (key, name, need) in required.chain(optional) {
            let index = build::index(destinations, name).map_err(|sentence| self.refuse(key, sentence))?;
            if to.iter().any(|(other, _)| *other == index) {
                return Err(self.refuse(key, format!("{name} stands twice in this rule")));
            }
            to.push((index, need));
        }
        Ok(to)
    }

    fn field(&self) -> Result<Option<FieldTest>, ConfigError> {
        let RuleRaw { field, equals, at_least, below, .. } = self.raw;
        let (some, range) = (!equals.is_empty(), at_least.is_some() || below.is_some());
        if field.is_empty() {
            let asked = some || range;
            let sentence = "allowed is the name of a field of the event: equals, at_least and below ask for its value";
            return if asked { Err(self.refuse("field", sentence)) } else { Ok(None) };
        }
        if some == range {
            let sentence = "allowed beside it is either equals, or at_least and below";
            return Err(self.refuse("field", sentence));
        }
        if equals.iter().any(|value| value.is_null() || value.is_array() || value.is_object()) {
            return Err(self.refuse("equals", "allowed are texts, numbers, true and false"));
        }
        for (key, bound) in [("at_least", at_least), ("below", below)] {
            if bound.is_some_and(|bound| !bound.is_finite()) {
                return Err(self.refuse(key, "allowed is a number"));
            }
        }
        if let (Some(low), Some(high)) = (at_least, below)
            && low >= high
        {
            return Err(self.refuse("below", format!("allowed is more than at_least ({low})")));
        }
        let test = if some { Test::OneOf(equals.clone()) } else { Test::within(*at_least, *below) };
        Ok(Some(FieldTest { name: field.clone(), test }))
    }

    /// The first match wins, so a rule behind others that take all that it takes never sees an event.
    fn reached(&self, earlier: &[Rule], rule: &Rule) -> Result<(), ConfigError> {
        let Some(why) = unreached(earlier, rule) else { return Ok(()) };
        let who = match why {
            Unreached::Same(place) => format!("routes[{place}] stands before it and takes exactly the same"),
            Unreached::Behind(place) => format!("routes[{place}] stands before it and takes everything that it takes"),
            Unreached::BehindSeveral => "the routes before it together take everything that it takes".to_owned(),
        };
        Err(self.refuse("codigos", format!("no event ever reaches this route: {who}")))
    }
}
