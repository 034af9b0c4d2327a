//! A rule: what it takes (codigos, topics, one field), as what, and where to.

use crate::fields::{Fields, same};
use crate::record::Need;
use crate::transform::{Transform, TransformRaw};
use domain::route::CodigoSet;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cell::LazyCell;

/// One `[[routes]]` table as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleRaw {
    /// Codigos, such as `"400-499"` or `"100,200"`; `"*"` (the default) is all.
    pub codigos: String,
    /// Topics; none (the default) is all.
    pub topics: Vec<String>,
    /// A top-level field of the event that the rule looks at; none (the default): at no field.
    pub field: String,
    /// The field is one of these: texts, numbers, true or false.
    pub equals: Vec<Value>,
    /// The field is a number, this or more.
    pub at_least: Option<f64>,
    /// The field is a number, less than this.
    pub below: Option<f64>,
    /// Destinations that must hold the event before it counts as delivered.
    pub required: Vec<String>,
    /// Destinations whose failures are logged and counted, nothing else.
    pub optional: Vec<String>,
    /// None (the default): the value is delivered byte for byte.
    pub transform: Option<TransformRaw>,
}

impl Default for RuleRaw {
    fn default() -> Self {
        Self {
            codigos: "*".to_owned(),
            topics: Vec::new(),
            field: String::new(),
            equals: Vec::new(),
            at_least: None,
            below: None,
            required: Vec::new(),
            optional: Vec::new(),
            transform: None,
        }
    }
}

/// One rule as meant. Destinations are indexes into the dispatcher's list.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub codigos: CodigoSet,
    /// Empty: every topic.
    pub topics: Vec<String>,
    pub field: Option<FieldTest>,
    pub transform: Option<Transform>,
    pub to: Vec<(usize, Need)>,
}

/// What a rule wants of one field; an event without it is not taken.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldTest {
    pub name: String,
    pub test: Test,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    OneOf(Vec<Value>),
    Within(Within),
}

/// Numbers from `at_least`, without `below`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Within {
    pub at_least: f64,
    pub below: f64,
}

impl Rule {
    /// Takes every event, as it is.
    pub fn everything(to: Vec<(usize, Need)>) -> Self {
        Self { codigos: CodigoSet::all(), topics: Vec::new(), field: None, transform: None, to }
    }

    /// `fields` are read only when the rule looks at one.
    pub(super) fn takes<'f, F: FnOnce() -> Fields<'f>>(
        &self,
        topic: &str,
        codigo: u32,
        fields: &LazyCell<Fields<'f>, F>,
    ) -> bool {
        (self.topics.is_empty() || self.topics.iter().any(|name| name == topic))
            && self.codigos.contains(codigo)
            && self.field.as_ref().is_none_or(|field| field.takes(fields))
    }
}

impl FieldTest {
    fn takes(&self, fields: &Fields<'_>) -> bool {
        fields.scalar(&self.name).is_some_and(|value| self.test.takes(&value))
    }
}

impl Test {
    /// One that is not given is no bound.
    pub fn within(at_least: Option<f64>, below: Option<f64>) -> Self {
        let (at_least, below) = (at_least.unwrap_or(f64::NEG_INFINITY), below.unwrap_or(f64::INFINITY));
        Self::Within(Within { at_least, below })
    }

    pub(super) fn takes(&self, value: &Value) -> bool {
        match self {
            Self::OneOf(values) => values.iter().any(|known| same(known, value)),
            Self::Within(within) => {
                value.as_f64().is_some_and(|number| within.at_least <= number && number < within.below)
            }
        }
    }
}
