//! TOML text and environment variables become one tree of nodes.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::node::{Node, Value};
use super::origin::Origin;

/// Every variable of ours starts with this.
pub(super) const PREFIX: &str = "COMBOIO_";

/// Parses a TOML text; `name` is how its origin is shown (a path, or `COMBOIO_CONFIG`).
pub(super) fn parse(name: &Path, text: &str) -> Result<Node, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| syntax(name, text, &error))?;
    let place = |start: usize| Origin::File { path: name.to_owned(), line: position(text, start).0 };
    Ok(Node::new(Value::Table(entries(table.get_ref(), &place)), place(0)))
}

/// Parses a list or table that was written into an environment variable; `None` when it is not TOML.
pub(super) fn inline(text: &str, origin: &Origin) -> Option<Node> {
    let document = format!("inline = {text}");
    let table = DeTable::parse(&document).ok()?;
    let mut found = entries(table.get_ref(), &|_| origin.clone());
    let only = found.remove("inline")?;
    found.is_empty().then_some(only)
}

/// Writes one variable over the tree. Names are `COMBOIO_<SECTION>__<KEY>`; case does not matter after the prefix.
pub(super) fn overlay(root: &mut Node, name: &str, text: String) -> Result<(), ConfigError> {
    let refuse = |hint: &str| ConfigError::UnknownVariable { name: name.to_owned(), hint: hint.to_owned() };
    let path = name.trim_start_matches(PREFIX).to_lowercase();
    let origin = Origin::Env(name.to_owned());
    let mut node = root;
    for part in path.split("__") {
        if part.is_empty() {
            return Err(refuse("the form is COMBOIO_<SECTION>__<KEY>"));
        }
        node = match &mut node.value {
            Value::Table(entries) => entries
                .entry(part.to_owned())
                .or_insert_with(|| Node::new(Value::Table(BTreeMap::new()), origin.clone())),
            Value::List(items) => {
                let index = part.parse().ok().filter(|index: &usize| *index < items.len());
                match index {
                    Some(index) => &mut items[index],
                    None => return Err(refuse(&format!("{part} is not an index of this list"))),
                }
            }
            _ => return Err(refuse(&format!("what stands before {part} is a value, not a section"))),
        };
    }
    if let Value::Table(entries) = &node.value
        && !entries.is_empty()
    {
        return Err(refuse("this is a section: set its keys one by one"));
    }
    *node = Node::new(Value::Text(text), origin);
    Ok(())
}

fn entries(table: &DeTable<'_>, place: &impl Fn(usize) -> Origin) -> BTreeMap<String, Node> {
    let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let origin = place(key.span().start);
        (key.get_ref().to_string(), node(value.get_ref(), origin, place))
    };
    table.iter().map(entry).collect()
}

fn node(value: &DeValue<'_>, origin: Origin, place: &impl Fn(usize) -> Origin) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Str(text.to_string()),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Str(number.to_string()), Value::Int),
        DeValue::Float(number) => number.as_str().parse().map_or_else(|_| Value::Str(number.to_string()), Value::Float),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(time) => Value::Str(time.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(item.get_ref(), place(item.span().start), place)).collect())
        }
        DeValue::Table(table) => Value::Table(entries(table, place)),
    };
    Node::new(value, origin)
}

/// The parser's own words, but not the line itself: it may hold a secret.
fn syntax(name: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let (line, column) = position(text, error.span().map_or(0, |span| span.start));
    ConfigError::Syntax { file: name.display().to_string(), line, column, reason: error.message().to_owned() }
}

/// Line and column of a byte, both counted from 1.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
    (line, column)
}
