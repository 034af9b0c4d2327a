//! The key of an object, from a template.
//!
//! First and last offset alone would not do: when a part of a batch comes again, its object would replace that of the whole.
//! The digest of the records tells them apart, and is the same whenever the same records come.

use crate::destinations::Parcel;
use twox_hash::XxHash3_64;

/// All must stand in a template, or two batches could share a key.
const NAMES: [&str; 5] = ["topic", "partition", "first", "last", "digest"];
/// Source: Amazon S3 user guide, "Naming Amazon S3 objects"; room is kept for what stands in for the names and for `.gz`.
const MOST_BYTES: usize = 600;

enum Part {
    Text(String),
    /// An index into `NAMES`.
    Name(usize),
}

/// A checked template.
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("a `{` has no `}`")?;
            let known = NAMES.iter().position(|known| *known == name);
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Name(known.ok_or_else(|| format!("{{{name}}} is nothing, allowed are {}", list()))?));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        for (index, name) in NAMES.iter().enumerate() {
            if !parts.iter().any(|part| matches!(part, Part::Name(known) if *known == index)) {
                return Err(format!(
                    "{{{name}}} is missing, and without it one object could replace another: needed are {}",
                    list()
                ));
            }
        }
        if text.len() > MOST_BYTES || text.starts_with('/') || text.chars().any(char::is_control) {
            return Err(format!("allowed are up to {MOST_BYTES} bytes, no `/` at the start and no control characters"));
        }
        Ok(Self { parts })
    }

    /// The key of the object that holds `lines`, made of `parcel`.
    pub fn of(&self, parcel: &Parcel<'_>, lines: &[u8]) -> String {
        let offsets = || parcel.entries.iter().map(|entry| entry.offset.0);
        let (first, last) = (offsets().min().unwrap_or_default(), offsets().max().unwrap_or_default());
        let value = |name: usize| match NAMES[name] {
            "topic" => parcel.head.topic.to_owned(),
            "partition" => parcel.head.partition.to_string(),
            // As many digits as an offset can have, so that a listing is in order.
            "first" => format!("{first:019}"),
            "last" => format!("{last:019}"),
            _ => format!("{:016x}", XxHash3_64::oneshot(lines)),
        };
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Name(name) => value(*name),
        };
        self.parts.iter().map(text).collect()
    }
}

fn list() -> String {
    NAMES.map(|name| format!("{{{name}}}")).join(", ")
}

#[cfg(test)]
mod tests {
    use super::Template;
    use crate::destinations::parcels::{entries, parcel};

    fn key(template: &str, values: &[&'static str]) -> String {
        let entries = entries(values);
        let parcel = parcel(&entries);
        Template::parse(template).unwrap().of(&parcel, &parcel.ndjson())
    }

    const ALL: &str = "a/{topic}/{partition}/{first}-{last}-{digest}.ndjson";

    #[test]
    fn the_same_records_have_the_same_key_and_others_another() {
        let whole = key(ALL, &["{\"a\":1}", "{}", "{\"b\":2}"]);
        assert!(whole.starts_with("a/t/0/0000000000000000001-0000000000000000003-"), "{whole}");
        assert_eq!(whole, key(ALL, &["{\"a\":1}", "{}", "{\"b\":2}"]));
        assert_ne!(whole, key(ALL, &["{\"a\":1}", "{}", "{\"b\":3}"]), "another value");
        let mut some = entries(&["{\"a\":1}", "{}", "{\"b\":2}"]);
        some.remove(1);
        let parcel = parcel(&some);
        let part = Template::parse(ALL).unwrap().of(&parcel, &parcel.ndjson());
        assert!(part.starts_with("a/t/0/0000000000000000001-0000000000000000003-"));
        assert_ne!(whole, part, "a part between the same first and last");
    }

    #[test]
    fn a_template_must_tell_objects_apart() {
        for (template, sentence) in [
            ("", "{topic} is missing"),
            ("{topic}/{partition}/{first}-{last}.ndjson", "{digest} is missing"),
            ("{topic}/{partition}/{first}-{digest}.ndjson", "{last} is missing"),
            ("{topic}/{date}", "{date} is nothing, allowed are {topic}, "),
            ("{topic", "a `{` has no `}`"),
            ("/{topic}{partition}{first}{last}{digest}", "allowed are up to 600 bytes"),
        ] {
            let refused = Template::parse(template).err().unwrap_or_default();
            assert!(refused.starts_with(sentence), "{template}: {refused}");
        }
    }
}
