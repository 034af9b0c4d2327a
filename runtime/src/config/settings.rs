//! The effective settings: key, value and origin of each; what `check` prints and what refusals quote.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use serde_json::Value;

use super::error::{ConfigError, Shown};
use super::node::{Node, join, parent};
use super::origin::Origin;

/// Every setting of a service with its value (secrets masked) and origin; does not depend on the service's `Raw`
/// type, so that each part can validate its own section with it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    tree: Value,
    written: BTreeMap<String, Written>,
}

#[derive(Clone, Debug)]
struct Written {
    origin: Origin,
    leaf: bool,
    not_finite: Option<String>,
}

/// One setting as `check` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Dotted: `kafka.tls.ca`, `routes[0].topic`.
    pub key: String,
    /// Masked when it is a secret.
    pub value: Value,
    /// Where the value came from.
    pub origin: Origin,
}

/// The effective configuration: Display is a table with aligned columns, Serialize a list of `{key, value, origin}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Effective(pub Vec<Setting>);

impl Settings {
    /// Settings of which nobody knows the origin (all `default`): for tests and for values made in code.
    pub fn of<Raw: Serialize>(raw: &Raw) -> Self {
        Self { tree: serde_json::to_value(raw).unwrap_or(Value::Null), written: BTreeMap::new() }
    }

    pub(super) fn gather<Raw: Serialize>(root: &Node, raw: &Raw) -> Result<Self, ConfigError> {
        let tree = serde_json::to_value(raw)
            .map_err(|error| ConfigError::other(format!("the effective configuration cannot be shown: {error}")))?;
        let mut written = BTreeMap::new();
        root.walk("", &mut |key, node, leaf| {
            let (origin, not_finite) = (node.origin.clone(), node.not_finite());
            written.insert(key.to_owned(), Written { origin, leaf, not_finite });
        });
        Ok(Self { tree, written })
    }

    /// Where the value of `key` (dotted: `kafka.tls.ca`, `routes[0].topic`) came from; `Default` when nobody wrote it.
    pub fn origin(&self, key: &str) -> Origin {
        if let Some(written) = self.written.get(key) {
            return written.origin.clone();
        }
        let mut above = parent(key);
        while let Some(key) = above {
            match self.written.get(key) {
                Some(written) if written.leaf => return written.origin.clone(),
                _ => above = parent(key),
            }
        }
        Origin::Default
    }

    /// The configuration file, when anything stands in it.
    pub fn file(&self) -> Option<&Path> {
        self.written.values().find_map(|written| match &written.origin {
            Origin::File { path, .. } => Some(path.as_path()),
            Origin::Default | Origin::Env(_) => None,
        })
    }

    /// True when the key was written in the file or the environment.
    pub fn is_written(&self, key: &str) -> bool {
        self.origin(key) != Origin::Default
    }

    /// An error that names the setting, its value (secrets masked) and origin; `sentence` says what is allowed or
    /// what to do:
    /// `refuse("batch.records", "allowed is 1 to 10000")` gives ``batch.records is `0` (comboio.toml:7): allowed is 1
    /// to 10000``.
    pub fn refuse(&self, key: &str, sentence: impl fmt::Display) -> ConfigError {
        let value = match self.value(key) {
            Some(Value::Null) => self.written.get(key).and_then(|written| written.not_finite.clone()),
            value => value.filter(|value| !value.is_null()).map(plain),
        };
        let value = Shown(value);
        ConfigError::Refused { key: key.to_owned(), value, origin: self.origin(key), sentence: sentence.to_string() }
    }

    /// All settings in alphabetical order of their sections.
    pub fn effective(&self) -> Effective {
        let mut list = Vec::new();
        self.flatten("", &self.tree, &mut list);
        Effective(list)
    }

    fn value(&self, key: &str) -> Option<&Value> {
        let pointer = key.replace('[', ".").replace(']', "").replace('.', "/");
        self.tree.pointer(&format!("/{pointer}"))
    }

    fn flatten(&self, key: &str, value: &Value, list: &mut Vec<Setting>) {
        match value {
            Value::Object(entries) if !entries.is_empty() => {
                for (name, child) in entries {
                    self.flatten(&join(key, name), child, list);
                }
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                for (index, child) in items.iter().enumerate() {
                    self.flatten(&format!("{key}[{index}]"), child, list);
                }
            }
            _ if key.is_empty() => {}
            _ => list.push(Setting { key: key.to_owned(), value: value.clone(), origin: self.origin(key) }),
        }
    }
}

impl Serialize for Setting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Setting", 3)?;
        fields.serialize_field("key", &self.key)?;
        fields.serialize_field("value", &self.value)?;
        fields.serialize_field("origin", &self.origin.to_string())?;
        fields.end()
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = |setting: &Setting| match &setting.value {
            Value::Null => "-".to_owned(),
            Value::String(text) if text.is_empty() => "\"\"".to_owned(),
            other => plain(other),
        };
        let cells: Vec<(&Setting, String)> = self.0.iter().map(|setting| (setting, cell(setting))).collect();
        let key_width = cells.iter().map(|(setting, _)| setting.key.chars().count()).max().unwrap_or(0);
        let value_width = cells.iter().map(|(_, value)| value.chars().count()).max().unwrap_or(0).min(48);
        for (setting, value) in &cells {
            writeln!(f, "{:key_width$}  {value:value_width$}  {}", setting.key, setting.origin)?;
        }
        Ok(())
    }
}

/// A value as a person would write it: text without quotes, lists with commas.
fn plain(value: &Value) -> String {
    match value {
        // Somebody wrote the file's text where its path belongs; it may be a private key.
        Value::String(text) if text.contains("-----BEGIN") => "<PEM text>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if !items.is_empty() && items.iter().all(|item| !item.is_object()) => {
            items.iter().map(plain).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}
