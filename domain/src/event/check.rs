//! Checks a record's value against the schema of its version, borrowing what it can.

use super::Versions;
use crate::object::refuse_array;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
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
    #[serde(default, deserialize_with = "number")]
    fuel: Option<f64>,
    #[serde(default)]
    battery: Battery,
    odo: f64,
}

/// New in version 2; version 1 lets it pass whatever it holds. It stands once in both, as every member that has a name here.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Battery {
    #[default]
    Missing,
    PerCent(f64),
    NoNumber,
}

impl<'de> Deserialize<'de> for Battery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(serde_json::from_str(raw.get()).map_or(Self::NoNumber, Self::PerCent))
    }
}

/// A number where the member is there: `null` is none.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    f64::deserialize(deserializer).map(Some)
}

/// Why a value is not a valid event. The reason is a stable word, the detail is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("not valid UTF-8 JSON: {0}")]
    NotJson(String),
    #[error("version {found} is not known here, allowed is {known}")]
    Version { found: u64, known: Versions },
    #[error("does not match the schema: {0}")]
    Schema(String),
}

impl Invalid {
    /// The stable word that stands in dead letters, metrics and playbooks.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not-json",
            Self::Version { .. } => "version",
            Self::Schema(_) => "schema",
        }
    }
}

/// Checks one value of version 1, the one that this code writes.
///
/// # Errors
/// See `check_against`.
pub fn check(value: &[u8]) -> Result<CheckedEvent<'_>, Invalid> {
    check_against(value, Versions::V1)
}

/// Checks one value where `known` are the versions that are taken; each event is held to its own.
///
/// # Errors
/// `NotJson` when it is no JSON, `Version` for a `v` of another time, `Schema` when a field is missing, of the wrong type or out of range.
pub fn check_against(value: &[u8], known: Versions) -> Result<CheckedEvent<'_>, Invalid> {
    let text = std::str::from_utf8(value).map_err(|e| Invalid::NotJson(e.to_string()))?;
    match refuse_array(value).and_then(|()| serde_json::from_str::<CheckedEvent<'_>>(text)) {
        Ok(event) if !known.contains(event.v.into()) => Err(Invalid::Version { found: event.v.into(), known }),
        Ok(event) => match event.out_of_range() {
            None => Ok(event),
            Some(what) => Err(Invalid::Schema(what)),
        },
        Err(error) if error.is_data() => Err(version_or_schema(text, known, &error)),
        Err(error) => Err(Invalid::NotJson(error.to_string())),
    }
}

/// A shape that does not fit is first of all a question of its version.
fn version_or_schema(text: &str, known: Versions, error: &serde_json::Error) -> Invalid {
    #[derive(Deserialize)]
    struct OnlyVersion {
        v: u64,
    }
    match crate::object::read::<OnlyVersion>(text.as_bytes()) {
        Ok(found) if !known.contains(found.v) => Invalid::Version { found: found.v, known },
        Err(syntax) if !syntax.is_data() => Invalid::NotJson(syntax.to_string()),
        _ => Invalid::Schema(error.to_string()),
    }
}

/// What is wrong with a number, as a sentence.
fn between(name: &str, value: f64, low: f64, high: f64) -> Option<String> {
    (!(low..=high).contains(&value)).then(|| format!("{name} is {value}, allowed is {low} to {high}"))
}

impl CheckedEvent<'_> {
    /// The first field that is outside its range, as a sentence.
    fn out_of_range(&self) -> Option<String> {
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
            .or_else(|| self.without_energy())
            .or_else(|| between("odo", self.odo, 0.0, 1e9))
    }

    /// What is wrong with fuel and battery. Version 1 wants fuel, and does not look at battery; later ones want one of the two at least.
    fn without_energy(&self) -> Option<String> {
        let fuel = || self.fuel.and_then(|fuel| between("fuel", fuel, 0.0, 100.0));
        match (self.v, self.fuel, self.battery) {
            (1, None, _) => Some("missing field `fuel`".into()),
            (1, Some(_), _) => fuel(),
            (_, None, Battery::Missing) => Some("missing field `fuel` or `battery`".into()),
            (_, Some(_), Battery::Missing) => fuel(),
            (_, _, Battery::PerCent(battery)) => fuel().or_else(|| between("battery", battery, 0.0, 100.0)),
            (_, _, Battery::NoNumber) => Some("battery is no number".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Invalid, Versions, check, check_against};

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

    #[test]
    fn a_refused_version_hears_what_is_allowed() {
        let second = GOOD.replace("\"v\":1", "\"v\":2");
        let neither = GOOD.replace("\"v\":1", "\"v\":3").replace("82.4", "\"fast\"");
        let cases = [
            (&second, Versions::V1, "version 2 is not known here, allowed is 1"),
            (&GOOD.to_owned(), Versions::V2, "version 1 is not known here, allowed is 2"),
            (&neither, Versions::Both, "version 3 is not known here, allowed is 1 or 2"),
        ];
        for (value, known, sentence) in cases {
            let refused = check_against(value.as_bytes(), known).unwrap_err();
            assert_eq!((refused.reason(), refused.to_string().as_str()), ("version", sentence));
        }
    }

    #[test]
    fn each_version_has_its_own_rule_for_fuel_and_battery() {
        let cases = [
            (r#""v":1"#, r#""battery":{"any":["thing"]},"fuel":61.2"#, None),
            (r#""v":1"#, r#""battery":80"#, Some("missing field `fuel`")),
            (r#""v":2"#, r#""battery":80"#, None),
            (r#""v":2"#, r#""fuel":61.2"#, None),
            (r#""v":2"#, r#""fuel":61.2,"battery":100.0"#, None),
            (r#""v":2"#, r#""charge":80"#, Some("missing field `fuel` or `battery`")),
            (r#""v":2"#, r#""fuel":61.2,"battery":null"#, Some("battery is no number")),
            (r#""v":2"#, r#""battery":100.1"#, Some("battery is 100.1, allowed is 0 to 100")),
            (r#""v":2"#, r#""fuel":-1,"battery":80"#, Some("fuel is -1, allowed is 0 to 100")),
        ];
        for (version, energy, wrong) in cases {
            let value = GOOD.replace(r#""v":1"#, version).replace(r#""fuel":61.2"#, energy);
            let refused = check_against(value.as_bytes(), Versions::Both).err();
            assert_eq!(refused, wrong.map(|what| Invalid::Schema(what.into())), "{version} {energy}");
        }
    }
}
