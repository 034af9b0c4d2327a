//! `[dedupe]` as written, and what is built from it.

use super::{Dedupe, DynamoDbStore, DynamoDbStoreRaw, MemoryStore, RedisStore, RedisStoreRaw};
use crate::aws::Aws;
use runtime::config::{ConfigError, Settings, Span};
use serde::{Deserialize, Serialize};

/// `[dedupe]` as written. Without a table for a store it is this instance's memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DedupeRaw {
    /// `event-id`, `offsets` or `none`.
    pub strategy: String,
    /// How many delivered event ids the memory store keeps at most, 2 to 10,000,000; one takes about 100 bytes.
    pub capacity: u64,
    /// The longest that a claim holds when its invocation never came back. It ends before that, two seconds after the time that Lambda gave
    /// the invocation.
    pub claim: Span,
    /// How long Redis and DynamoDB remember delivered ids and fences.
    pub remember: Span,
    pub redis: Option<RedisStoreRaw>,
    pub dynamodb: Option<DynamoDbStoreRaw>,
}

impl Default for DedupeRaw {
    fn default() -> Self {
        Self {
            strategy: "event-id".to_owned(),
            capacity: 100_000,
            claim: Span::from_secs(900),
            remember: Span::from_secs(86_400),
            redis: None,
            dynamodb: None,
        }
    }
}

impl Dedupe {
    /// Checks the section `dedupe` and builds the store; touches no network.
    ///
    /// # Errors
    /// One sentence about the first setting that is wrong.
    pub fn build(raw: &DedupeRaw, aws: &Aws, settings: &Settings) -> Result<Self, ConfigError> {
        let capacity = usize::try_from(raw.capacity).unwrap_or(usize::MAX);
        if !(2..=10_000_000).contains(&capacity) {
            return Err(settings.refuse("dedupe.capacity", "allowed is 2 to 10000000"));
        }
        if raw.claim.get().is_zero() {
            return Err(settings.refuse("dedupe.claim", "allowed is 1ms or more, best the function's own timeout"));
        }
        if raw.remember.get().as_secs() < 60 {
            return Err(settings.refuse("dedupe.remember", "allowed is 1m or more, best the topic's retention"));
        }
        if raw.redis.is_some() && raw.dynamodb.is_some() {
            return Err(settings.refuse("dedupe.redis", "allowed is one store: dedupe.dynamodb is there too"));
        }
        let (claim, remember) = (raw.claim.get(), raw.remember.get());
        let redis = raw.redis.as_ref().map(|raw| RedisStore::build(raw, remember, settings)).transpose()?;
        let table = raw.dynamodb.as_ref().map(|raw| DynamoDbStore::build(raw, remember, aws, settings)).transpose()?;
        match (raw.strategy.as_str(), redis, table) {
            ("none", None, None) => Ok(Self::None),
            ("none", ..) => Err(settings.refuse("dedupe.strategy", "with a store allowed is event-id, offsets")),
            ("event-id", Some(redis), _) => Ok(Self::EventId { store: Box::new(redis), claim }),
            ("event-id", _, Some(table)) => Ok(Self::EventId { store: Box::new(table), claim }),
            ("event-id", ..) => Ok(Self::EventId { store: Box::new(MemoryStore::new(capacity)), claim }),
            ("offsets", Some(redis), _) => Ok(Self::Offsets { store: Box::new(redis) }),
            ("offsets", _, Some(table)) => Ok(Self::Offsets { store: Box::new(table) }),
            ("offsets", ..) => Ok(Self::Offsets { store: Box::new(MemoryStore::new(capacity)) }),
            _ => Err(settings.refuse("dedupe.strategy", "allowed is event-id, offsets, none")),
        }
    }
}
