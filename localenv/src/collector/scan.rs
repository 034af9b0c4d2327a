//! Finds the id and the time of an event without parsing the rest of it.
//!
//! A line that the quick look does not understand at once is parsed in full. For every JSON object that names no member twice the answer
//! is that of a JSON parser, and a line that was cut has none; what stands behind the members that are looked for is not checked further,
//! because the dispatcher has done so.

use serde::Deserialize;
use std::borrow::Cow;

/// What the collector wants of an event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Stamp<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Milliseconds since the epoch, if the event has it.
    #[serde(default)]
    pub ts: Option<i64>,
}

/// The id and time of one event; `None` when it is no JSON object with an id.
pub fn stamp(line: &[u8]) -> Option<Stamp<'_>> {
    quick(line).or_else(|| serde_json::from_slice(line).ok())
}

/// Walks the members of the object until it has both; `None` whenever something is unusual.
fn quick(line: &[u8]) -> Option<Stamp<'_>> {
    let mut rest = line.trim_ascii().strip_prefix(b"{")?.strip_suffix(b"}")?;
    let (mut id, mut ts) = (None, None);
    while id.is_none() || ts.is_none() {
        let (key, after) = string(rest.trim_ascii_start())?;
        let value = after.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let after = match key {
            b"id" => {
                let (text, after) = string(value)?;
                id = Some(std::str::from_utf8(text).ok()?);
                after
            }
            b"ts" => {
                let (number, after) = integer(value)?;
                ts = Some(number);
                after
            }
            _ => skip(value)?,
        };
        rest = after.trim_ascii_start();
        match rest.strip_prefix(b",") {
            Some(more) => rest = more,
            None => break,
        }
    }
    closed(rest).then_some(Stamp { id: Cow::Borrowed(id?), ts: Some(ts?) })
}

/// Whether the brace at the end of the line, which is cut off here, can only be the event's own: no other object and no open string.
fn closed(rest: &[u8]) -> bool {
    let quotes = rest.iter().filter(|byte| **byte == b'"').count();
    quotes % 2 == 0 && !rest.iter().any(|byte| matches!(byte, b'{' | b'\\'))
}

/// A string without escapes, and what follows it.
fn string(from: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = from.strip_prefix(b"\"")?;
    let end = inside.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
    (inside[end] == b'"').then(|| (&inside[..end], &inside[end + 1..]))
}

/// A plain integer, and what follows it.
fn integer(from: &[u8]) -> Option<(i64, &[u8])> {
    let end = from.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'-').unwrap_or(from.len());
    let (digits, after) = from.split_at(end);
    let plain = matches!(after.first(), None | Some(b',' | b' '));
    let leading_zero = digits.len() > 1 && digits[0] == b'0';
    if !plain || leading_zero || digits.starts_with(b"-") {
        return None;
    }
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, after))
}

/// Steps over a string without escapes or a bare word; nested values are left to the full parser.
fn skip(from: &[u8]) -> Option<&[u8]> {
    if from.starts_with(b"\"") {
        return string(from).map(|(_, after)| after);
    }
    let end =
        from.iter().position(|byte| matches!(byte, b',' | b'{' | b'[' | b'"' | b'}' | b']')).unwrap_or(from.len());
    (end > 0 && from.get(end).is_none_or(|byte| *byte == b',')).then(|| &from[end..])
}

#[cfg(test)]
mod tests {
    use super::{quick, stamp};

    const EVENT: &str = r#"{"v":1,"id":"7f3a91c2-BR04217-300-18231","codigo":300,"truck_id":"BR04217","seq":18231,"ts":1763701200123,"lat":-23.55052,"lon":-46.63331}"#;

    #[test]
    fn an_event_as_it_travels_is_read_by_the_quick_look() {
        let seen = quick(EVENT.as_bytes()).unwrap();
        assert_eq!((&*seen.id, seen.ts), ("7f3a91c2-BR04217-300-18231", Some(1_763_701_200_123)));
    }

    #[test]
    fn only_members_of_the_event_itself_count() {
        let nested = r#"{"x":{"id":"no","ts":1},"s":"\"id\":\"no\"","id":"yes","ts":2}"#;
        assert_eq!(stamp(nested.as_bytes()).map(|s| (s.id.into_owned(), s.ts)), Some(("yes".into(), Some(2))));
        let escaped = r#" { "i\u0064" : "a\u0062" , "ts" : -5 } "#;
        assert_eq!(stamp(escaped.as_bytes()).map(|s| (s.id.into_owned(), s.ts)), Some(("ab".into(), Some(-5))));
        assert_eq!(stamp(br#"{"id":"a"}"#).map(|s| s.ts), Some(None));
    }

    #[test]
    fn what_has_no_id_or_no_end_is_refused() {
        let cut = [r#"{"id":"a","ts":1"#, r#"{"id":"a","ts":1,"z":{"y":1}"#, r#"{"id":"a","ts":1,"s":"}"#];
        let other = ["", "{}", "[]", "null", r#"{"ts":1}"#, r#"{"id":1,"ts":1}"#, r#""id""#];
        for line in cut.into_iter().chain(other) {
            assert_eq!(stamp(line.as_bytes()), None, "{line}");
        }
    }
}
