//! The top-level fields of an event as they stand: names and raw texts, in their order.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Name and raw JSON of each field; a name that stands twice is kept twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields<'a>(pub Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Fields<'a> {
    /// Reads a JSON object without looking into its fields.
    ///
    /// # Errors
    /// What serde_json says of anything else.
    pub fn read(value: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(value)
    }

    /// The field's raw JSON. Of two under the same name the last one counts, as for most readers of JSON.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, raw)| *raw)
    }

    /// The field's value when it can be compared: a text, a number, true or false.
    pub fn scalar(&self, name: &str) -> Option<Value> {
        let raw = self.get(name)?;
        if raw.starts_with(['{', '[']) {
            return None;
        }
        serde_json::from_str(raw).ok().filter(|value: &Value| !value.is_null())
    }
}

/// Whether two scalars are the same; numbers by what they are worth, whole ones exactly.
pub fn same(one: &Value, other: &Value) -> bool {
    let whole = |value: &Value| value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one == other,
        _ if one.is_number() && other.is_number() => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// A JSON text without a copy, unless it is written with escapes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some((Text(name), raw)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    fields.push((name, raw.get()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fields, same};
    use serde_json::json;

    #[test]
    fn fields_keep_their_order_and_their_bytes() {
        let fields = Fields::read(r#" {"b":1.50, "a" : {"x":[1, 2]},"a":"é\u0041","n\u0061me":null} "#).unwrap();
        let texts: Vec<(&str, &str)> = fields.0.iter().map(|(name, raw)| (name.as_ref(), *raw)).collect();
        assert_eq!(texts, [("b", "1.50"), ("a", r#"{"x":[1, 2]}"#), ("a", r#""é\u0041""#), ("name", "null")]);
        assert_eq!(fields.scalar("a"), Some(json!("éA")));
        assert_eq!((fields.scalar("name"), fields.scalar("c")), (None, None));
        assert!(Fields::read("[1]").is_err() && Fields::read("{} x").is_err());
    }

    #[test]
    fn numbers_are_compared_by_what_they_are_worth() {
        assert!(same(&json!(300), &json!(300.0)) && same(&json!(-0.5), &json!(-0.5)));
        assert!(!same(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)));
        assert!(same(&json!("a"), &json!("a")) && !same(&json!("1"), &json!(1)) && !same(&json!(true), &json!(1)));
    }
}
