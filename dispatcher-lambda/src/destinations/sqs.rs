//! Destination `sqs`: one message per event, ten in a request, to a standard or a FIFO queue.
//!
//! A FIFO queue (its name ends in `.fifo`) gets the record's key as message group. No request holds two messages of a group:
//! SQS may refuse the first and take the second, and then the order would be gone.

use super::batching::BatchRaw;
use super::receipts;
use super::requests::{Request, Requests, Room};
use super::ten;
use super::token::{Deduplication, Fifo};
use super::{Failure, Outcome, Parcel};
use crate::aws::{Aws, Place, class_of, failure_of, is_name, is_url, short, unmade};
use crate::together::BoxFuture;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use runtime::config::{ConfigError, Settings, Size};
use serde::{Deserialize, Serialize};

/// `[destinations.NAME.sqs]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SqsRaw {
    /// `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`; a FIFO queue ends in `.fifo`.
    pub queue_url: String,
    /// FIFO only: `event-id` or `offset`.
    pub deduplication: Deduplication,
    /// The sum of a request's messages, up to 1MiB; what every queue takes by default.
    pub request_bytes: Size,
    /// Requests under way at once, 1 to 64.
    pub requests: u64,
    pub region: String,
    pub endpoint_url: String,
    pub batch: BatchRaw,
}

impl Default for SqsRaw {
    fn default() -> Self {
        Self {
            queue_url: String::new(),
            deduplication: Deduplication::default(),
            request_bytes: Size::from_kib(256),
            requests: 8,
            region: String::new(),
            endpoint_url: String::new(),
            batch: BatchRaw::default(),
        }
    }
}

/// One queue.
pub type SqsDestination = Requests<Queue>;

/// One queue, as it takes one request.
pub struct Queue {
    client: Client,
    url: String,
    fifo: Option<Deduplication>,
    room: Room,
}

impl SqsDestination {
    /// Checks the section `section` and builds the client; touches no network.
    ///
    /// # Errors
    /// A URL that is none of a queue, a limit that SQS does not have, no region.
    pub fn build(section: &str, raw: &SqsRaw, aws: &Aws, settings: &Settings) -> Result<Self, ConfigError> {
        let refuse = |key: &str, sentence: &str| settings.refuse(&format!("{section}.{key}"), sentence);
        let url = Url::parse(&raw.queue_url).ok_or_else(|| {
            refuse(
                "queue_url",
                "allowed is a queue's URL such as https://sqs.sa-east-1.amazonaws.com/000000000000/events",
            )
        })?;
        let limits = raw.batch.limits().map_err(|(key, sentence)| refuse(&format!("batch.{key}"), sentence))?;
        let room = ten::room(raw.request_bytes, raw.requests, limits.timeout);
        let room = room.map_err(|(key, sentence)| refuse(key, sentence))?;
        let fifo = raw.queue_url.ends_with(".fifo");
        let (region, endpoint_url) = (&raw.region, &raw.endpoint_url);
        let sdk =
            aws.sdk(Place { section, region, endpoint_url, told: url.region, timeout: limits.timeout }, settings)?;
        let queue = Queue {
            client: Client::new(&sdk),
            url: raw.queue_url.clone(),
            fifo: fifo.then_some(raw.deduplication),
            room: Room { one_of_a_group: fifo, ..room },
        };
        Ok(Self::new(queue, limits))
    }
}

/// A queue's URL, as far as it can be read.
struct Url<'a> {
    /// Of AWS's own names; other hosts (VPC endpoints, emulators) say nothing.
    region: Option<&'a str>,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (_, rest) = text.split_once("://").filter(|_| is_url(text))?;
        let mut parts = rest.splitn(3, '/');
        let (host, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        let named = is_name(name.trim_end_matches(".fifo"), "-_", 1..=80);
        if account.is_empty() || !named {
            return None;
        }
        let region = host.strip_prefix("sqs.").and_then(|host| host.split_once(".amazonaws."));
        Some(Self { region: region.map(|(region, _)| region) })
    }
}

impl Queue {
    async fn request(&self, parcel: Parcel<'_>) -> Outcome {
        let entries = parcel.entries.iter().enumerate().map(|(index, entry)| {
            let fifo = self.fifo.map(|by| Fifo::of(entry, parcel.head, by));
            let (group, deduplication) = fifo.map(|fifo| (fifo.group, fifo.deduplication)).unzip();
            SendMessageBatchRequestEntry::builder()
                .id(receipts::name(index))
                .message_body(entry.value)
                .set_message_group_id(group)
                .set_message_deduplication_id(deduplication)
                .build()
        });
        let entries = match entries.collect::<Result<Vec<_>, _>>() {
            Ok(entries) => entries,
            Err(error) => return Outcome::Failed(unmade(&error)),
        };
        match self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await {
            Ok(answer) => read(parcel.entries.len(), &answer),
            Err(error) => Outcome::Failed(failure_of(error)),
        }
    }
}

fn read(count: usize, answer: &SendMessageBatchOutput) -> Outcome {
    let held = answer.successful().iter().map(|entry| entry.id());
    receipts::outcome(count, held, answer.failed().iter().map(|entry| (entry.id(), refusal(entry))))
}

fn refusal(entry: &BatchResultErrorEntry) -> Failure {
    let message = entry.message().unwrap_or_default();
    // As a request that failed would say it.
    let status = if entry.sender_fault() { 400 } else { 500 };
    let class = class_of(Some(entry.code()), message, status);
    Failure::new(class, short(&format!("{}: {message}", entry.code())))
}

impl Request for Queue {
    fn room(&self) -> Room {
        self.room
    }

    fn send<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(self.request(parcel))
    }
}

#[cfg(test)]
mod tests;
