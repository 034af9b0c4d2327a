//! Reads a typed value out of the tree of nodes; an error knows the key, the value and its origin.

use std::collections::btree_map;
use std::slice;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

use super::misfit::ReadError;
use super::node::{Node, Value};
use super::origin::Origin;
use super::written::inline;

/// Reads one node.
pub(super) struct Reader<'n>(pub(super) &'n Node);

impl<'n> Reader<'n> {
    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.value {
            Value::Text(text) => match text.trim().replace('_', "").parse() {
                Ok(number) => visit_int(number, visitor),
                Err(_) => Err(Error::invalid_type(Unexpected::Str(text), &visitor)),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn float<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.value {
            Value::Text(text) => match text.trim().replace('_', "").parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(Error::invalid_type(Unexpected::Str(text), &visitor)),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    /// A list or table that stands in a variable as inline TOML.
    fn inline<'de, V: Visitor<'de>>(self, text: &str, visitor: V) -> Result<V::Value, ReadError> {
        match inline(text, &self.0.origin) {
            Some(node) if !matches!(node.value, Value::Text(_)) => Reader(&node).deserialize_any(visitor),
            _ => Err(Error::invalid_type(Unexpected::Str(text), &visitor)),
        }
    }
}

fn visit_int<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value, ReadError> {
    match (i64::try_from(number), u64::try_from(number)) {
        (Ok(number), _) => visitor.visit_i64(number),
        (_, Ok(number)) => visitor.visit_u64(number),
        _ => visitor.visit_i128(number),
    }
}

/// A text of unknown type, for values that may be several things (a number, a range, a list).
fn visit_guess<'de, V: Visitor<'de>>(text: &str, origin: &Origin, visitor: V) -> Result<V::Value, ReadError> {
    if let Ok(flag) = text.parse::<bool>() {
        return visitor.visit_bool(flag);
    }
    if let Ok(number) = text.parse::<i128>() {
        return visit_int(number, visitor);
    }
    if let Ok(number) = text.parse::<f64>() {
        return visitor.visit_f64(number);
    }
    if text.starts_with(['[', '{'])
        && let Some(node) = inline(text, origin)
    {
        return Reader(&node).deserialize_any(visitor);
    }
    visitor.visit_str(text)
}

macro_rules! read_as {
    ($how:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            self.$how(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.value {
            Value::Text(text) => visit_guess(text, &self.0.origin, visitor),
            Value::Str(text) => visitor.visit_str(text),
            Value::Int(number) => visit_int(*number, visitor),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::List(items) => visitor.visit_seq(Items { items: items.iter(), index: 0 }),
            Value::Table(entries) => visitor.visit_map(Entries { entries: entries.iter(), open: None }),
        }
    }

    read_as! { number: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 }
    read_as! { number: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 }
    read_as! { float: deserialize_f32 deserialize_f64 }
    read_as! { deserialize_any: deserialize_unit deserialize_identifier deserialize_ignored_any }
    read_as! { deserialize_str: deserialize_char deserialize_string deserialize_bytes deserialize_byte_buf }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.value {
            Value::Text(text) => match text.trim().parse() {
                Ok(flag) => visitor.visit_bool(flag),
                Err(_) => Err(Error::invalid_type(Unexpected::Str(text), &visitor)),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.value {
            Value::Text(text) => visitor.visit_str(text),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.value {
            Value::Text(text) if text.is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.value {
            Value::Text(text) if text.trim_start().starts_with('[') => self.inline(text, visitor),
            Value::Text(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                let items: Vec<Node> =
                    parts.map(|part| Node::new(Value::Text(part.to_owned()), self.0.origin.clone())).collect();
                visitor.visit_seq(Items { items: items.iter(), index: 0 })
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.0.value {
            Value::Text(text) => self.inline(text, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        allowed: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.0.value {
            Value::Text(text) | Value::Str(text) => visitor.visit_enum(Name(text)),
            Value::Table(entries) => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries { entries: entries.iter(), open: None }))
            }
            _ => Err(ReadError::refused(format!("allowed is {}", allowed.join(", ")))),
        }
    }
}

/// An enum's variant, written as its name alone.
struct Name<'n>(&'n str);

impl<'de, 'n> EnumAccess<'de> for Name<'n> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), ReadError> {
        let name: StrDeserializer<'n, ReadError> = self.0.into_deserializer();
        seed.deserialize(name).map(|variant| (variant, self))
    }
}

impl<'de> VariantAccess<'de> for Name<'_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, ReadError> {
        Err(ReadError::refused(format!("`{}` needs a value: write it as a table", self.0)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ReadError> {
        Err(ReadError::refused(format!("`{}` needs values: write it as a table", self.0)))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, ReadError> {
        Err(ReadError::refused(format!("`{}` needs keys: write it as a table", self.0)))
    }
}

struct Items<'n> {
    items: slice::Iter<'n, Node>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Some(node) = self.items.next() else {
            return Ok(None);
        };
        let part = format!("[{}]", self.index);
        self.index += 1;
        seed.deserialize(Reader(node)).map(Some).map_err(|error| error.within(&part, node))
    }
}

struct Entries<'n> {
    entries: btree_map::Iter<'n, String, Node>,
    open: Option<(&'n str, &'n Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some((key, node)) = self.entries.next() else {
            return Ok(None);
        };
        self.open = Some((key, node));
        let name: StrDeserializer<'_, ReadError> = key.as_str().into_deserializer();
        let unknown = |mut error: ReadError| {
            error.place = Some((node.shown(), node.origin.clone()));
            error
        };
        seed.deserialize(name).map(Some).map_err(unknown)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let Some((key, node)) = self.open.take() else {
            return Err(Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(Reader(node)).map_err(|error| error.within(key, node))
    }
}
