//! Values with units: `"250ms"`, `"64KiB"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

const SPAN_ALLOWED: &str = "a duration such as 250ms, 5s, 2m, 1h";
const SIZE_ALLOWED: &str = "a size such as 512B, 64KiB, 5.5MiB, 10MB";

/// Nanoseconds per unit, largest first.
const SPAN_UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Bytes per unit, in the order in which a size is shown: binary units first.
const SIZE_UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// A duration that is written with its unit: `250ms`, `5s`, `1.5s`, `2m`, `1h`, `1d` (also `us`, `ns`; a plain `0`
/// needs none).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Duration);

/// A number of bytes that is written with its unit: `512B`, `64KiB`, `5.5MiB`, `10MB` (also `KB`, `GB`, `GiB`; a
/// plain `0` needs none).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

/// A text that is not a duration or size; says what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not allowed: allowed is {allowed}")]
pub struct UnitError {
    text: String,
    allowed: &'static str,
}

impl Span {
    /// From whole milliseconds; for defaults.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// From whole seconds; for defaults.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The duration.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// Whole milliseconds, rounded down: what librdkafka's properties want.
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Size {
    /// From bytes; for defaults.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// From KiB; for defaults.
    pub const fn from_kib(kib: u64) -> Self {
        Self(kib << 10)
    }

    /// From MiB; for defaults.
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The number of bytes for in-memory use (saturates on 32-bit machines).
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

/// `number unit` as a whole count of the smallest unit; `None` when it is anything else, does not fit, or has a
/// fraction of the smallest unit.
fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let end = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(end);
    let per_unit = u128::from(units.iter().find(|(name, _)| *name == unit)?.1);
    let number = number.strip_suffix(' ').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.len() <= 20 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = fraction.parse::<u128>().ok()?.checked_mul(per_unit)?;
    if part % scale != 0 {
        return None;
    }
    let total = whole.parse::<u128>().ok()?.checked_mul(per_unit)?.checked_add(part / scale)?;
    u64::try_from(total).ok()
}

/// The largest unit that needs no fraction.
fn show(f: &mut fmt::Formatter<'_>, count: u64, units: &[(&str, u64)], zero: &str) -> fmt::Result {
    match units.iter().find(|(_, per_unit)| count.is_multiple_of(*per_unit)) {
        Some((unit, per_unit)) if count > 0 => write!(f, "{}{unit}", count / per_unit),
        _ => f.write_str(zero),
    }
}

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let refused = || UnitError { text: text.to_owned(), allowed: SPAN_ALLOWED };
        parse(text, &SPAN_UNITS).map(|nanos| Self(Duration::from_nanos(nanos))).ok_or_else(refused)
    }
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let refused = || UnitError { text: text.to_owned(), allowed: SIZE_ALLOWED };
        parse(text, &SIZE_UNITS).map(Self).ok_or_else(refused)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX), &SPAN_UNITS, "0s")
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.0, &SIZE_UNITS, "0B")
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(UnitVisitor { allowed: SPAN_ALLOWED, parse: |text| text.parse().ok() })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(UnitVisitor { allowed: SIZE_ALLOWED, parse: |text| text.parse().ok() })
    }
}

struct UnitVisitor<T> {
    allowed: &'static str,
    parse: fn(&str) -> Option<T>,
}

impl<T> Visitor<'_> for UnitVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.allowed)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_shown() {
        for (text, millis, shown) in [
            ("250ms", 250, "250ms"),
            ("5s", 5_000, "5s"),
            ("1.5s", 1_500, "1500ms"),
            ("120s", 120_000, "2m"),
            ("1h", 3_600_000, "1h"),
            ("1 h", 3_600_000, "1h"),
            ("0", 0, "0s"),
            ("0ms", 0, "0s"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.as_millis(), span.to_string().as_str()), (millis, shown), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_and_shown() {
        for (text, bytes, shown) in [
            ("64KiB", 65_536, "64KiB"),
            ("5.5MiB", 5_767_168, "5632KiB"),
            ("10MB", 10_000_000, "10MB"),
            ("1GiB", 1 << 30, "1GiB"),
            ("7B", 7, "7B"),
            ("0", 0, "0B"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, shown), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_value_with_a_unit_is_refused() {
        for text in [
            "",
            "5",
            "s",
            "5 parsecs",
            "-5s",
            "5.s",
            ".5s",
            "1.2.3s",
            "5S",
            "0.5ns",
            "99999999999999999999d",
            "1e3s",
            "5  s",
            "٣s",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        for text in ["5", "64kib", "0.3B", "KiB", "5mb", "99999999999GiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
        assert_eq!(
            "5 parsecs".parse::<Span>().unwrap_err().to_string(),
            "`5 parsecs` is not allowed: allowed is a duration such as 250ms, 5s, 2m, 1h"
        );
    }
}
