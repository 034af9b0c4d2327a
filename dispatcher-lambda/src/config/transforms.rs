//! A route's transform: no two fields get one name, nothing is used that is not there, and the destinations find what they need.

use super::DestinationRaw;
use crate::transform::{Enrich, Lookup, Transform, TransformRaw};
use domain::event::FIELDS;
use runtime::config::{ConfigError, Settings};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

struct Site<'a> {
    /// `routes[0].transform`.
    key: String,
    raw: &'a TransformRaw,
    settings: &'a Settings,
}

/// `key` is the rule's; `needs` are the destinations that get what the transform makes.
pub(super) fn transform<'d>(
    rule: &str,
    raw: &TransformRaw,
    needs: impl Iterator<Item = (&'d str, &'d DestinationRaw)>,
    settings: &Settings,
) -> Result<Transform, ConfigError> {
    let site = Site { key: format!("{rule}.transform"), raw, settings };
    if *raw == TransformRaw::default() {
        let sentence = "allowed is at least one of select, rename, add and enrich";
        return Err(settings.refuse(&site.key, sentence));
    }
    site.select()?;
    site.rename()?;
    site.add()?;
    let enrich = site.enrich()?;
    let found = enrich.as_ref().map(|enrich| enrich.lookup.names()).unwrap_or_default();
    for (name, destination) in needs {
        site.gives_all(name, destination, &found)?;
    }
    let add = raw.add.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    Ok(Transform { select: raw.select.clone(), rename: raw.rename.clone(), add, enrich })
}

impl Site<'_> {
    fn refuse(&self, key: &str, sentence: impl Display) -> ConfigError {
        self.settings.refuse(&format!("{}.{key}", self.key), sentence)
    }

    fn selects(&self, name: &str) -> bool {
        self.raw.select.is_empty() || self.raw.select.iter().any(|selected| selected == name)
    }

    /// Whether the event's own field of this name is delivered under it, as far as it is known before there is an event.
    fn keeps(&self, name: &str) -> bool {
        let is_there = FIELDS.contains(&name) || !self.raw.select.is_empty();
        is_there && self.selects(name) && !self.raw.rename.contains_key(name)
    }

    fn renames_to(&self, name: &str) -> bool {
        self.raw.rename.values().any(|new| new == name)
    }

    fn select(&self) -> Result<(), ConfigError> {
        let mut seen = BTreeSet::new();
        match self.raw.select.iter().find(|name| !seen.insert(*name)) {
            Some(twice) => Err(self.refuse("select", format!("{twice} stands twice"))),
            None => Ok(()),
        }
    }

    fn rename(&self) -> Result<(), ConfigError> {
        let mut seen = BTreeSet::new();
        for (old, new) in &self.raw.rename {
            let wrong = if new.is_empty() {
                format!("{old} gets no name")
            } else if !self.selects(old) {
                format!("{old} is not in select, so nothing is left to rename")
            } else if self.keeps(new) {
                format!("{old} cannot become {new}: the event has a field of this name")
            } else if !seen.insert(new) {
                format!("two fields become {new}")
            } else {
                continue;
            };
            return Err(self.refuse("rename", wrong));
        }
        Ok(())
    }

    fn add(&self) -> Result<(), ConfigError> {
        if let Some((name, _)) = self.raw.add.iter().find(|(_, value)| value.is_null()) {
            return Err(self.refuse("add", format!("{name} has a value that JSON has no word for")));
        }
        match self.raw.add.keys().find(|name| self.keeps(name) || self.renames_to(name)) {
            Some(name) => Err(self.refuse("add", format!("{name} is there already"))),
            None => Ok(()),
        }
    }

    fn enrich(&self) -> Result<Option<Enrich>, ConfigError> {
        let Some(raw) = &self.raw.enrich else { return Ok(None) };
        if raw.field.is_empty() {
            return Err(self.refuse("enrich.field", "allowed is the name of the event's field that is looked up"));
        }
        let lookup = Lookup::load(&raw.file).map_err(|sentence| self.refuse("enrich.file", sentence))?;
        let taken = |name: &&str| self.keeps(name) || self.renames_to(name) || self.raw.add.contains_key(*name);
        if let Some(name) = lookup.names().into_iter().find(taken) {
            return Err(self.refuse("enrich.file", format!("its field {name} is there already")));
        }
        Ok(Some(Enrich { field: raw.field.clone(), missing: raw.missing, lookup: Arc::new(lookup) }))
    }

    /// A DynamoDB table needs its key in what is delivered.
    fn gives_all(&self, name: &str, raw: &DestinationRaw, found: &BTreeSet<&str>) -> Result<(), ConfigError> {
        let needed = raw.dynamodb.as_ref().map(|table| table.needed_fields()).unwrap_or_default();
        for (setting, field) in needed {
            let own = self.selects(field) && !self.raw.rename.contains_key(field);
            if own || self.renames_to(field) || self.raw.add.contains_key(field) || found.contains(field) {
                continue;
            }
            let key = if self.raw.rename.contains_key(field) { "rename" } else { "select" };
            let sentence = format!("it takes away {field}, which destinations.{name}.dynamodb.{setting} asks for");
            return Err(self.refuse(key, sentence));
        }
        Ok(())
    }
}
