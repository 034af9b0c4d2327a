//! What a route changes of an event before it is delivered: select, rename, enrich, add.
//!
//! Only names and whole fields are moved: the text of every field that stays is byte for byte that of the event, in its order.
//! What the transform writes takes the place of what an event has under the same name. Order, dedupe and message groups go
//! by the event as it came.

mod lookup;

pub use lookup::Lookup;

use crate::fields::Fields;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `[routes.transform]` as written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransformRaw {
    /// Only these fields stay; none (the default): all.
    pub select: Vec<String>,
    /// From the event's name to the one that is delivered.
    pub rename: BTreeMap<String, String>,
    /// Fields with the same value in every event.
    pub add: BTreeMap<String, serde_json::Value>,
    pub enrich: Option<EnrichRaw>,
}

/// `[routes.transform.enrich]` as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnrichRaw {
    /// The lookup file, `.json` or `.csv`.
    pub file: String,
    /// The event's field by which it is looked up.
    pub field: String,
    pub missing: Missing,
}

/// What becomes of an event that the lookup file does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// It is delivered without the fields.
    #[default]
    Keep,
    Reject,
}

/// The same as meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transform {
    pub select: Vec<String>,
    pub rename: BTreeMap<String, String>,
    /// Names and raw JSON.
    pub add: Vec<(String, String)>,
    pub enrich: Option<Enrich>,
}

/// Where more fields come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrich {
    pub field: String,
    pub missing: Missing,
    pub lookup: Arc<Lookup>,
}

/// Why an event cannot be made into what the route delivers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the lookup file has no entry for {field} {key}")]
    NotInLookup { field: String, key: String },
    #[error("the event is no JSON object: {0}")]
    NoObject(String),
}

impl Transform {
    /// The event made anew.
    ///
    /// # Errors
    /// See [`Refused`]; the same event would fail again.
    pub fn apply(&self, value: &str) -> Result<String, Refused> {
        let fields = Fields::read(value).map_err(|error| Refused::NoObject(error.to_string()))?;
        let found = self.enrich.as_ref().map_or(Ok(&[][..]), |enrich| enrich.find(&fields))?;
        let written = |name: &str| found.iter().chain(&self.add).any(|(known, _)| known == name);
        let mut object = Object::with_room(value.len() + 64);
        for (name, raw) in &fields.0 {
            match self.rename.get(name.as_ref()) {
                _ if !self.selects(name) => {}
                Some(new) => object.put(new, raw),
                None if written(name) || self.becomes(name, &fields) => {}
                None => object.put(name, raw),
            }
        }
        for (name, raw) in found.iter().chain(&self.add) {
            object.put(name, raw);
        }
        Ok(object.close())
    }

    fn selects(&self, name: &str) -> bool {
        self.select.is_empty() || self.select.iter().any(|selected| selected == name)
    }

    /// Whether another field of the event takes this name.
    fn becomes(&self, name: &str, fields: &Fields<'_>) -> bool {
        self.rename.iter().any(|(old, new)| new == name && fields.get(old).is_some())
    }
}

impl Enrich {
    fn find(&self, fields: &Fields<'_>) -> Result<&[(String, String)], Refused> {
        let key = match fields.scalar(&self.field) {
            Some(serde_json::Value::String(text)) => text,
            Some(_) => fields.get(&self.field).unwrap_or_default().to_owned(),
            None => String::new(),
        };
        match (self.lookup.find(&key), self.missing) {
            (Some(found), _) => Ok(found),
            (None, Missing::Keep) => Ok(&[]),
            (None, Missing::Reject) => Err(Refused::NotInLookup { field: self.field.clone(), key }),
        }
    }
}

/// A JSON object as it is written.
struct Object(String);

impl Object {
    fn with_room(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Self(text)
    }

    fn put(&mut self, name: &str, raw: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&serde_json::Value::from(name).to_string());
        self.0.push(':');
        self.0.push_str(raw);
    }

    fn close(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests;
