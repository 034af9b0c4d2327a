//! Destination `dynamodb`: each event is an item, its top-level fields are the attributes.
//!
//! `put` writes every event, 25 in a request; an event whose key is there already takes its place. `last-state` keeps one item
//! per key, the newest: it writes only what is newer than what the table holds, so a repeat or a late event changes nothing.

mod item;
mod last_state;
mod put;

use super::batching::BatchRaw;
use super::requests::{Request, Requests, Room};
use super::{Outcome, Parcel};
use crate::aws::{Arn, Aws, Place, is_name};
use crate::record::Entry;
use crate::together::BoxFuture;
use aws_sdk_dynamodb::Client;
use item::Keys;
use runtime::config::{ConfigError, Settings};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `[destinations.NAME.dynamodb]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DynamoDbRaw {
    /// The table's name or ARN.
    pub table: String,
    pub mode: Mode,
    /// The field that is the table's partition key, under the same name.
    pub key: String,
    /// The field that is its sort key; empty: it has none.
    pub sort: String,
    /// `last-state` only: the field, a number, by which one event is newer than another.
    pub newer_by: String,
    /// Requests under way at once, 1 to 64.
    pub requests: u64,
    pub region: String,
    pub endpoint_url: String,
    pub batch: BatchRaw,
}

impl Default for DynamoDbRaw {
    fn default() -> Self {
        Self {
            table: String::new(),
            mode: Mode::default(),
            key: "id".to_owned(),
            sort: String::new(),
            newer_by: "ts".to_owned(),
            requests: 4,
            region: String::new(),
            endpoint_url: String::new(),
            batch: BatchRaw::default(),
        }
    }
}

impl DynamoDbRaw {
    /// The fields that an event must have, each with the setting that names it.
    pub fn needed_fields(&self) -> Vec<(&'static str, &str)> {
        let newer_by = if self.mode == Mode::LastState { self.newer_by.as_str() } else { "" };
        let all = [("key", self.key.as_str()), ("sort", self.sort.as_str()), ("newer_by", newer_by)];
        all.into_iter().filter(|(_, field)| !field.is_empty()).collect()
    }
}

/// What becomes of an event whose key is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    #[default]
    Put,
    LastState,
}

/// Source: Amazon DynamoDB API Reference, `BatchWriteItem`: 25 items and 16 MB; no key twice.
const PUT_ENTRIES: usize = 25;
const PUT_BYTES: usize = 16_000_000;
/// Of these only the newest of each key is written, each by a request of its own.
const LAST_STATE_ENTRIES: usize = 50;
const MOST_AT_ONCE: u64 = 64;

/// One table.
pub type DynamoDbDestination = Requests<Table>;

/// One table, as it takes one request.
pub struct Table {
    client: Client,
    name: String,
    keys: Keys,
    mode: Mode,
    newer_by: String,
    room: Room,
}

impl DynamoDbDestination {
    /// Checks the section `section` and builds the client; touches no network.
    ///
    /// # Errors
    /// No table's name, no key, a limit out of range, no region.
    pub fn build(section: &str, raw: &DynamoDbRaw, aws: &Aws, settings: &Settings) -> Result<Self, ConfigError> {
        let refuse = |key: &str, sentence: &str| settings.refuse(&format!("{section}.{key}"), sentence);
        let arn = Arn::parse(&raw.table).filter(|arn| arn.service == "dynamodb" && arn.resource.starts_with("table/"));
        if arn.is_none() && !is_name(&raw.table, "_.-", 3..=255) {
            return Err(refuse(
                "table",
                "allowed is the table's name, 3 to 255 letters, digits, `_`, `.` and `-`, or its ARN",
            ));
        }
        if raw.key.is_empty() {
            return Err(refuse("key", "allowed is the name of the field that is the table's partition key"));
        }
        if raw.mode == Mode::LastState && raw.newer_by.is_empty() {
            return Err(refuse("newer_by", "allowed is the name of a field that holds a number"));
        }
        let limits = raw.batch.limits().map_err(|(key, sentence)| refuse(&format!("batch.{key}"), sentence))?;
        let at_once = usize::try_from(raw.requests).ok().filter(|_| (1..=MOST_AT_ONCE).contains(&raw.requests));
        let at_once = at_once.ok_or_else(|| refuse("requests", "allowed is 1 to 64"))?;
        let (region, endpoint_url, told) = (&raw.region, &raw.endpoint_url, arn.map(|arn| arn.region));
        let sdk = aws.sdk(Place { section, region, endpoint_url, told, timeout: limits.timeout }, settings)?;
        let put = raw.mode == Mode::Put;
        let table = Table {
            client: Client::new(&sdk),
            name: raw.table.clone(),
            keys: Keys::new(&raw.key, &raw.sort),
            mode: raw.mode,
            newer_by: raw.newer_by.clone(),
            room: Room {
                entries: if put { PUT_ENTRIES } else { LAST_STATE_ENTRIES },
                bytes: PUT_BYTES,
                one_of_a_group: put,
                at_once,
                timeout: limits.timeout,
            },
        };
        Ok(Self::new(table, limits))
    }
}

impl Request for Table {
    fn room(&self) -> Room {
        self.room
    }

    /// The item's key; what has none is refused before it is sent.
    fn group<'a>(&self, entry: &Entry<'a>) -> Cow<'a, [u8]> {
        match self.keys.text(entry.value) {
            Some(text) => Cow::Owned(text.into_bytes()),
            None => Cow::Borrowed(entry.key),
        }
    }

    fn send<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        match self.mode {
            Mode::Put => Box::pin(put::send(self, parcel)),
            Mode::LastState => Box::pin(last_state::send(self, parcel)),
        }
    }
}

#[cfg(test)]
mod tests;
