//! An event as an item: JSON becomes DynamoDB's own types.

use crate::destinations::Failure;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::failure::FailureClass;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The attributes of one item.
pub type Item = HashMap<String, AttributeValue>;

/// The fields that are a table's key.
pub struct Keys {
    names: Vec<String>,
}

impl Keys {
    /// `sort` may be empty.
    pub fn new(key: &str, sort: &str) -> Self {
        let names = [key, sort].into_iter().filter(|name| !name.is_empty());
        Self { names: names.map(str::to_owned).collect() }
    }

    /// The first of them, the partition key.
    pub fn partition(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// The key of `value` as a text; the same for the same item, `None` when it has none.
    pub fn text(&self, value: &str) -> Option<String> {
        let fields: Map<String, Value> = serde_json::from_str(value).ok()?;
        let parts: Option<Vec<String>> = self.names.iter().map(|name| Some(fields.get(name)?.to_string())).collect();
        Some(parts?.join("\n"))
    }

    /// The key among an item's attributes.
    pub fn of<'i>(&self, item: &'i Item) -> Vec<Option<&'i AttributeValue>> {
        self.names.iter().map(|name| item.get(name)).collect()
    }

    /// The item of an event.
    ///
    /// # Errors
    /// Rejected: a field of the key is missing, or DynamoDB would not take it as a key.
    pub fn item(&self, value: &str) -> Result<Item, Failure> {
        let reject = |detail: String| Failure::new(FailureClass::Rejected, detail);
        let fields: Map<String, Value> =
            serde_json::from_str(value).map_err(|error| reject(format!("no JSON object: {error}")))?;
        for name in &self.names {
            match fields.get(name) {
                Some(Value::Number(_)) => {}
                Some(Value::String(text)) if !text.is_empty() => {}
                _ => return Err(reject(format!("the key's field {name} is missing, or neither a number nor a text"))),
            }
        }
        Ok(fields.into_iter().map(|(name, value)| (name, attribute(value))).collect())
    }
}

fn attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(attribute).collect()),
        Value::Object(fields) => {
            AttributeValue::M(fields.into_iter().map(|(name, value)| (name, attribute(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;
    use aws_sdk_dynamodb::types::AttributeValue as A;
    use domain::failure::FailureClass;

    #[test]
    fn every_kind_of_json_has_its_type() {
        let item = Keys::new("id", "").item(r#"{"id":"e","n":-1.5,"b":true,"z":null,"l":[1],"m":{"a":"b"}}"#).unwrap();
        assert_eq!(item["id"], A::S("e".into()));
        assert_eq!(item["n"], A::N("-1.5".into()));
        assert_eq!((&item["b"], &item["z"]), (&A::Bool(true), &A::Null(true)));
        assert_eq!(item["l"], A::L(vec![A::N("1".into())]));
        assert_eq!(item["m"].as_m().unwrap()["a"], A::S("b".into()));
    }

    #[test]
    fn an_event_without_the_key_is_rejected() {
        let keys = Keys::new("truck_id", "ts");
        for value in ["{}", r#"{"truck_id":"a"}"#, r#"{"truck_id":"","ts":1}"#, r#"{"truck_id":[],"ts":1}"#, "[1]"] {
            assert_eq!(keys.item(value).unwrap_err().class, FailureClass::Rejected, "{value}");
        }
        assert!(keys.item(r#"{"truck_id":"a","ts":1}"#).is_ok());
        assert_eq!(keys.text(r#"{"ts":1,"truck_id":"a"}"#).unwrap(), "\"a\"\n1");
    }
}
