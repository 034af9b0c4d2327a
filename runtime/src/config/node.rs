//! What was written, as a tree in which every value knows its origin.

use std::collections::BTreeMap;

use super::origin::Origin;

/// A value or section, and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// From the environment: whoever reads it decides what type it is.
    Text(String),
    Str(String),
    Int(i128),
    Float(f64),
    Bool(bool),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl Node {
    pub(super) fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// The value for an error sentence; `None` for sections and lists, whose contents would only be noise (or a
    /// secret).
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Value::Text(text) | Value::Str(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::List(_) => "[...]".to_owned(),
            Value::Table(_) => "{...}".to_owned(),
        }
    }

    /// `nan`, `inf` or `-inf`, when that is what stands here: JSON has no word for them.
    pub(super) fn not_finite(&self) -> Option<String> {
        let number = match &self.value {
            Value::Float(number) => *number,
            Value::Text(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        (!number.is_finite()).then(|| number.to_string().to_lowercase())
    }

    /// Calls `visit` with the dotted key (`routes[0].topic`) of every node below this one, and whether it is a leaf.
    pub(super) fn walk(&self, key: &str, visit: &mut impl FnMut(&str, &Node, bool)) {
        match &self.value {
            Value::Table(entries) => {
                visit(key, self, false);
                for (name, child) in entries {
                    child.walk(&join(key, name), visit);
                }
            }
            Value::List(items) => {
                visit(key, self, true);
                for (index, child) in items.iter().enumerate() {
                    child.walk(&format!("{key}[{index}]"), visit);
                }
            }
            _ => visit(key, self, true),
        }
    }
}

/// `parent.name`; indices attach without a dot.
pub(super) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else if name.is_empty() || name.starts_with('[') {
        format!("{parent}{name}")
    } else {
        format!("{parent}.{name}")
    }
}

/// The key that holds this one: `routes[0]` for `routes[0].topic`, `routes` for `routes[0]`, nothing for `routes`.
pub(super) fn parent(key: &str) -> Option<&str> {
    key.rfind(['.', '[']).map(|end| &key[..end])
}

/// The last part of a key, without its parent.
pub(super) fn last(key: &str) -> &str {
    parent(key).map_or(key, |parent| key[parent.len()..].trim_start_matches('.'))
}
