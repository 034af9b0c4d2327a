//! Destination `sns`: one message per event, ten in a request, to a standard or a FIFO topic.
//!
//! A FIFO topic (its name ends in `.fifo`) gets the record's key as message group; as for a FIFO queue, no request holds two
//! messages of a group.

use super::batching::BatchRaw;
use super::receipts;
use super::requests::{Request, Requests, Room};
use super::ten;
use super::token::{Deduplication, Fifo};
use super::{Failure, Outcome, Parcel};
use crate::aws::{Arn, Aws, Place, class_of, failure_of, short, unmade};
use crate::together::BoxFuture;
use aws_sdk_sns::Client;
use aws_sdk_sns::operation::publish_batch::PublishBatchOutput;
use aws_sdk_sns::types::{BatchResultErrorEntry, PublishBatchRequestEntry};
use runtime::config::{ConfigError, Settings, Size};
use serde::{Deserialize, Serialize};

/// `[destinations.NAME.sns]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnsRaw {
    /// `arn:aws:sns:REGION:ACCOUNT:NAME`; a FIFO topic ends in `.fifo`.
    pub topic_arn: String,
    /// FIFO only: `event-id` or `offset`.
    pub deduplication: Deduplication,
    /// The sum of a request's messages, up to 1MiB; what every topic takes by default.
    pub request_bytes: Size,
    /// Requests under way at once, 1 to 64.
    pub requests: u64,
    pub region: String,
    pub endpoint_url: String,
    pub batch: BatchRaw,
}

impl Default for SnsRaw {
    fn default() -> Self {
        Self {
            topic_arn: String::new(),
            deduplication: Deduplication::default(),
            request_bytes: Size::from_kib(256),
            requests: 8,
            region: String::new(),
            endpoint_url: String::new(),
            batch: BatchRaw::default(),
        }
    }
}

/// One topic.
pub type SnsDestination = Requests<Topic>;

/// One topic, as it takes one request.
pub struct Topic {
    client: Client,
    arn: String,
    fifo: Option<Deduplication>,
    room: Room,
}

impl SnsDestination {
    /// Checks the section `section` and builds the client; touches no network.
    ///
    /// # Errors
    /// An ARN that is none of a topic, a limit that SNS does not have, no region.
    pub fn build(section: &str, raw: &SnsRaw, aws: &Aws, settings: &Settings) -> Result<Self, ConfigError> {
        let refuse = |key: &str, sentence: &str| settings.refuse(&format!("{section}.{key}"), sentence);
        let arn = Arn::parse(&raw.topic_arn).filter(|arn| arn.service == "sns" && !arn.resource.contains(':'));
        let arn = arn.ok_or_else(|| {
            refuse("topic_arn", "allowed is a topic's ARN such as arn:aws:sns:sa-east-1:000000000000:events")
        })?;
        let limits = raw.batch.limits().map_err(|(key, sentence)| refuse(&format!("batch.{key}"), sentence))?;
        let room = ten::room(raw.request_bytes, raw.requests, limits.timeout);
        let room = room.map_err(|(key, sentence)| refuse(key, sentence))?;
        let fifo = arn.resource.ends_with(".fifo");
        let (region, endpoint_url, told) = (&raw.region, &raw.endpoint_url, Some(arn.region));
        let sdk = aws.sdk(Place { section, region, endpoint_url, told, timeout: limits.timeout }, settings)?;
        let topic = Topic {
            client: Client::new(&sdk),
            arn: raw.topic_arn.clone(),
            fifo: fifo.then_some(raw.deduplication),
            room: Room { one_of_a_group: fifo, ..room },
        };
        Ok(Self::new(topic, limits))
    }
}

impl Topic {
    async fn request(&self, parcel: Parcel<'_>) -> Outcome {
        let entries = parcel.entries.iter().enumerate().map(|(index, entry)| {
            let fifo = self.fifo.map(|by| Fifo::of(entry, parcel.head, by));
            let (group, deduplication) = fifo.map(|fifo| (fifo.group, fifo.deduplication)).unzip();
            PublishBatchRequestEntry::builder()
                .id(receipts::name(index))
                .message(entry.value)
                .set_message_group_id(group)
                .set_message_deduplication_id(deduplication)
                .build()
        });
        let entries = match entries.collect::<Result<Vec<_>, _>>() {
            Ok(entries) => entries,
            Err(error) => return Outcome::Failed(unmade(&error)),
        };
        let request = self.client.publish_batch().topic_arn(&self.arn);
        match request.set_publish_batch_request_entries(Some(entries)).send().await {
            Ok(answer) => read(parcel.entries.len(), &answer),
            Err(error) => Outcome::Failed(failure_of(error)),
        }
    }
}

fn read(count: usize, answer: &PublishBatchOutput) -> Outcome {
    let held = answer.successful().iter().filter_map(|entry| entry.id());
    receipts::outcome(count, held, answer.failed().iter().map(|entry| (entry.id(), refusal(entry))))
}

fn refusal(entry: &BatchResultErrorEntry) -> Failure {
    let message = entry.message().unwrap_or_default();
    // As a request that failed would say it.
    let status = if entry.sender_fault() { 400 } else { 500 };
    let class = class_of(Some(entry.code()), message, status);
    Failure::new(class, short(&format!("{}: {message}", entry.code())))
}

impl Request for Topic {
    fn room(&self) -> Room {
        self.room
    }

    fn send<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(self.request(parcel))
    }
}

#[cfg(test)]
mod tests;
