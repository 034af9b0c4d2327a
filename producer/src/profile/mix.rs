//! What is mixed into a load on purpose: invalid, oversize and repeated events, a hot key, trucks that come back late.

use runtime::config::{Size, Span};
use serde::{Deserialize, Serialize};

/// Section `[mix]` of a profile. Shares are parts of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mix {
    /// The share of events that are invalid on purpose, 0 to 0.5; they are rejected behind Kafka.
    pub invalid_share: f64,
    /// How they are broken; each kind is as likely as the others.
    pub invalid_kinds: Vec<InvalidKind>,
    /// The share of events that no topic takes, 0 to 0.1; the producer makes dead letters of them.
    pub oversize_share: f64,
    /// How large they are.
    pub oversize_bytes: Size,
    /// The share of good events that are sent a second time, 0 to 0.5.
    pub duplicate_share: f64,
    /// One truck and codigo with a share of the whole load.
    pub hot_key: Option<HotKey>,
    /// Trucks that go offline and send later what they kept.
    pub late: Option<Late>,
}

/// How an invalid event is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvalidKind {
    /// `speed` is a text.
    WrongType,
    /// `truck_id` is missing.
    MissingField,
    /// `v` is a version that nobody knows.
    WrongVersion,
    /// The JSON ends in the middle.
    CutJson,
    /// A byte that is no UTF-8 stands in the id.
    NotUtf8,
}

impl InvalidKind {
    pub const ALL: [Self; 5] = [Self::WrongType, Self::MissingField, Self::WrongVersion, Self::CutJson, Self::NotUtf8];
}

/// One key with a load of its own, beside what it gets like every other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HotKey {
    pub share: f64,
    /// The truck's number, from 0.
    pub truck: u32,
    pub codigo: u32,
}

/// Trucks without a connection: in every `every`, each of them is offline for `offline`, at a time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// The share of trucks.
    pub share: f64,
    pub offline: Span,
    pub every: Span,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            invalid_share: 0.0,
            invalid_kinds: InvalidKind::ALL.to_vec(),
            oversize_share: 0.0,
            oversize_bytes: Size::from_bytes(1_100_000),
            duplicate_share: 0.0,
            hot_key: None,
            late: None,
        }
    }
}

const SMALLEST_OVERSIZE: u64 = 1_000;
const LARGEST_OVERSIZE: u64 = 16_000_000;

impl Mix {
    /// # Errors
    /// The setting, what it is and what is allowed.
    pub(super) fn check(&self, trucks: u32, codes: &[u32]) -> Result<(), String> {
        within("mix.invalid_share", self.invalid_share, 0.5)?;
        within("mix.oversize_share", self.oversize_share, 0.1)?;
        within("mix.duplicate_share", self.duplicate_share, 0.5)?;
        if self.invalid_kinds.is_empty() {
            return Err("mix.invalid_kinds is empty, allowed is at least one kind, for example [\"cut-json\"]".into());
        }
        let oversize = self.oversize_bytes;
        if !(SMALLEST_OVERSIZE..=LARGEST_OVERSIZE).contains(&oversize.bytes()) {
            return Err(format!("mix.oversize_bytes is {oversize}, allowed is 1KB to 16MB"));
        }
        self.hot_key.map_or(Ok(()), |hot| hot.check(trucks, codes))?;
        self.late.map_or(Ok(()), |late| late.check())
    }
}

impl HotKey {
    fn check(&self, trucks: u32, codes: &[u32]) -> Result<(), String> {
        within("mix.hot_key.share", self.share, 0.99)?;
        if self.truck >= trucks {
            return Err(format!("mix.hot_key.truck is {}, allowed is 0 to {}", self.truck, trucks.saturating_sub(1)));
        }
        if !codes.contains(&self.codigo) {
            return Err(format!("mix.hot_key.codigo is {}, allowed is a code of codes.groups", self.codigo));
        }
        Ok(())
    }
}

impl Late {
    fn check(&self) -> Result<(), String> {
        within("mix.late.share", self.share, 1.0)?;
        if self.offline.get().is_zero() {
            return Err("mix.late.offline is 0, allowed is a time above zero, for example \"20s\"".into());
        }
        if self.every <= self.offline {
            return Err(format!("mix.late.every is {}, allowed is longer than mix.late.offline", self.every));
        }
        Ok(())
    }
}

fn within(setting: &str, share: f64, most: f64) -> Result<(), String> {
    if (0.0..=most).contains(&share) {
        return Ok(());
    }
    Err(format!("{setting} is {share}, allowed is 0 to {most}"))
}
