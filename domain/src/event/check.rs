//! Checks a record's value against schemas/telemetry-event.v1.json, borrowing what it can.

use super::VERSION;
use crate::object::refuse_array;
use serde::Deserialize;
use std::borrow::Cow;

/// What the stages need of a valid event; everything else stays in the original bytes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CheckedEvent<'a> {
    pub v: u32,
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    pub codigo: u32,
    #[serde(borrow)]
    pub truck_id: Cow<'a, str>,
    pub seq: u64,
    pub ts: i64,
    lat: f64,
    lon: f64,
    speed: f64,
    fuel: f64,
    odo: f64,
}

/// Why a value is not a valid event. The reason is a stable word, the detail is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("not valid UTF-8 JSON: {0}")]
    NotJson(String),
    #[error("version {0} is not known here, allowed is {VERSION}")]
    Version(u64),
    #[error("does not match the schema: {0}")]
    Schema(String),
}

impl Invalid {
    /// The stable word that stands in dead letters, metrics and playbooks.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not-json",
            Self::Version(_) => "version",
            Self::Schema(_) => "schema",
        }
    }
}

/// Checks one value.
///
/// # Errors
/// `NotJson` when it is no JSON, `Version` for a `v` of another time, `Schema` when a field is missing, of the wrong type or out of range.
pub fn check(value: &[u8]) -> Result<CheckedEvent<'_>, Invalid> {
    let text = std::str::from_utf8(value).map_err(|e| Invalid::NotJson(e.to_string()))?;
    match refuse_array(value).and_then(|()| serde_json::from_str::<CheckedEvent<'_>>(text)) {
        Ok(event) if event.v != VERSION => Err(Invalid::Version(event.v.into())),
        Ok(event) => match event.out_of_range() {
            None => Ok(event),
            Some(what) => Err(Invalid::Schema(what)),
        },
        Err(error) if error.is_data() => Err(version_or_schema(text, &error)),
        Err(error) => Err(Invalid::NotJson(error.to_string())),
    }
}

/// A shape that does not fit is first of all a question of its version.
fn version_or_schema(text: &str, error: &serde_json::Error) -> Invalid {
    #[derive(Deserialize)]
    struct OnlyVersion {
        v: u64,
    }
    match crate::object::read::<OnlyVersion>(text.as_bytes()) {
        Ok(found) if found.v != u64::from(VERSION) => Invalid::Version(found.v),
        Err(syntax) if !syntax.is_data() => Invalid::NotJson(syntax.to_string()),
        _ => Invalid::Schema(error.to_string()),
    }
}

impl CheckedEvent<'_> {
    /// The first field that is outside its range, as a sentence.
    fn out_of_range(&self) -> Option<String> {
        let between = |name: &str, value: f64, low: f64, high: f64| {
            (!(low..=high).contains(&value)).then(|| format!("{name} is {value}, allowed is {low} to {high}"))
        };
        let plain = |c: u8| c.is_ascii_digit() || c.is_ascii_uppercase();
        let id_characters = self.id.chars().count();
        if !(1..=64).contains(&id_characters) {
            return Some(format!("id has {id_characters} characters, allowed is 1 to 64"));
        }
        if !(3..=16).contains(&self.truck_id.len()) || !self.truck_id.bytes().all(plain) {
            return Some("truck_id must be 3 to 16 characters of A-Z and 0-9".into());
        }
        if self.seq == 0 {
            return Some("seq is 0, the first is 1".into());
        }
        if self.ts < 0 {
            return Some(format!("ts is {}, it must not be negative", self.ts));
        }
        between("lat", self.lat, -90.0, 90.0)
            .or_else(|| between("lon", self.lon, -180.0, 180.0))
            .or_else(|| between("speed", self.speed, 0.0, 300.0))
            .or_else(|| between("fuel", self.fuel, 0.0, 100.0))
            .or_else(|| between("odo", self.odo, 0.0, 1e9))
    }
}

#[cfg(test)]
mod tests {
    use super::{Invalid, check};

    const GOOD: &str = r#"{"v":1,"id":"7f3a91c2-BR04217-300-18231","codigo":300,"truck_id":"BR04217","seq":18231,"ts":1763701200123,"lat":-23.55052,"lon":-46.63331,"speed":82.4,"fuel":61.2,"odo":182733.2}"#;

    #[test]
    fn an_array_of_the_same_fields_is_no_event() {
        let array = br#"[1,"a-1",400,"BR04217",1,1763701200123,1.0,2.0,3.0,4.0,5.0]"#;
        assert!(matches!(check(array), Err(Invalid::Schema(_))), "{:?}", check(array));
        assert!(matches!(check(b"[2"), Err(Invalid::NotJson(_))));
    }

    #[test]
    fn a_good_event_passes_and_lends_its_fields() {
        let event = check(GOOD.as_bytes()).expect("valid");
        assert_eq!((event.codigo, event.truck_id.as_ref(), event.seq), (300, "BR04217", 18231));
    }

    #[test]
    fn unknown_fields_pass() {
        let more = GOOD.replace("\"v\":1", "\"v\":1,\"driver\":{\"name\":\"x\"}");
        assert!(check(more.as_bytes()).is_ok());
    }

    #[test]
    fn each_fault_has_its_reason() {
        let cases = [
            ("{\"v\":1", "not-json"),
            ("", "not-json"),
            ("[]", "schema"),
            (&GOOD.replace("\"v\":1", "\"v\":7"), "version"),
            (&GOOD.replace("82.4", "\"fast\""), "schema"),
            (&GOOD.replace("82.4", "301.0"), "schema"),
            (&GOOD.replace("\"seq\":18231", "\"seq\":0"), "schema"),
            (&GOOD.replace("\"truck_id\":\"BR04217\",", ""), "schema"),
            (&GOOD.replace("BR04217\",\"seq", "br04217\",\"seq"), "schema"),
        ];
        for (value, reason) in cases {
            assert_eq!(check(value.as_bytes()).map_err(|e| e.reason()).err(), Some(reason), "{value}");
        }
        assert!(matches!(check(b"\xff{}"), Err(Invalid::NotJson(_))));
    }
}
