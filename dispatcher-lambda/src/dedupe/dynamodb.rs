//! Event ids and fences in a DynamoDB table, shared by all instances: a conditional write for each claim, and one for each move of a fence.
//!
//! The table has the partition key `pk` (text); `expires` (seconds since the epoch) is meant as its time to live. An id that is claimed has
//! `by` and `until` (milliseconds since the epoch), one that is delivered neither; a fence has `fence`.

mod fences;

use super::store::{Claim, Claimant, SeenStore, StoreFailure};
use crate::aws::{Aws, Place, failure_of, is_name};
use crate::together::{self, BoxFuture};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, ReturnValuesOnConditionCheckFailure, WriteRequest};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use runtime::clock::{Clock, SystemClock};
use runtime::config::{ConfigError, Settings, Span};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `[dedupe.dynamodb]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DynamoDbStoreRaw {
    /// The table's name.
    pub table: String,
    pub region: String,
    pub endpoint_url: String,
    /// How long one answer may take.
    pub timeout: Span,
}

impl Default for DynamoDbStoreRaw {
    fn default() -> Self {
        let (table, region, endpoint_url) = Default::default();
        Self { table, region, endpoint_url, timeout: Span::from_secs(2) }
    }
}

/// Requests under way at once.
const AT_ONCE: usize = 32;
/// Source: Amazon DynamoDB API Reference, `BatchWriteItem`.
const PUTS_IN_A_REQUEST: usize = 25;
/// How often what was left unprocessed is sent again.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// See the head of the file.
pub struct DynamoDbStore {
    client: Client,
    table: String,
    /// How long delivered ids and fences are remembered.
    remember: Duration,
}

impl DynamoDbStore {
    /// Checks the section `dedupe.dynamodb` and builds the client; touches no network.
    ///
    /// # Errors
    /// No table's name, no region.
    pub fn build(
        raw: &DynamoDbStoreRaw,
        remember: Duration,
        aws: &Aws,
        settings: &Settings,
    ) -> Result<Self, ConfigError> {
        let section = "dedupe.dynamodb";
        if !is_name(&raw.table, "_.-", 3..=255) {
            let sentence = "allowed is the table's name, 3 to 255 letters, digits, `_`, `.` and `-`";
            return Err(settings.refuse("dedupe.dynamodb.table", sentence));
        }
        let (region, endpoint_url, timeout) = (&raw.region, &raw.endpoint_url, raw.timeout.get());
        let sdk = aws.sdk(Place { section, region, endpoint_url, told: None, timeout }, settings)?;
        Ok(Self { client: Client::new(&sdk), table: raw.table.clone(), remember })
    }

    async fn claim_one(&self, id: &str, by: Claimant, span: Duration) -> Result<Claim, StoreFailure> {
        let now = SystemClock.wall_ms();
        let until = now.saturating_add_unsigned(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        let put = self.client.put_item().table_name(&self.table);
        let put = put.item("pk", key(id)).item("by", text(&mark(by))).item("until", number(until));
        let put = put.item("expires", number(until / 1_000 + 1));
        let put = put
            .condition_expression("attribute_not_exists(pk) OR #by = :by OR #until < :now OR expires < :seconds")
            .expression_attribute_names("#by", "by")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":by", text(&mark(by)))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":seconds", number(now / 1_000))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Claim::Fresh) };
        let Some(PutItemError::ConditionalCheckFailedException(held)) = error.as_service_error() else {
            return Err(failure(error));
        };
        let claimed = held.item().is_none_or(|item| item.contains_key("until"));
        Ok(if claimed { Claim::Taken } else { Claim::Delivered })
    }

    /// Forgets a claim, if it is ours.
    async fn release_one(&self, id: &str, by: Claimant) -> Result<(), StoreFailure> {
        let delete = self.client.delete_item().table_name(&self.table).key("pk", key(id));
        let delete = delete.condition_expression("#by = :by").expression_attribute_names("#by", "by");
        let Err(error) = delete.expression_attribute_values(":by", text(&mark(by))).send().await else { return Ok(()) };
        let of_another = error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception());
        if of_another { Ok(()) } else { Err(failure(error)) }
    }

    async fn remember_some(&self, ids: &[&str]) -> Result<(), StoreFailure> {
        let mut left: Vec<WriteRequest> = ids.iter().map(|id| self.delivered(id)).collect::<Result<_, _>>()?;
        for n in 0..TRIES {
            let request = self.client.batch_write_item().request_items(&self.table, left);
            let answer = request.send().await.map_err(failure)?;
            left = answer.unprocessed_items.and_then(|mut items| items.remove(&self.table)).unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE * (n + 1)).await;
        }
        Err(StoreFailure(format!("DynamoDB left {} writes unprocessed", left.len())))
    }

    fn delivered(&self, id: &str) -> Result<WriteRequest, StoreFailure> {
        let put = PutRequest::builder().item("pk", key(id)).item("expires", self.expires());
        let put = put.build().map_err(|error| StoreFailure(error.to_string()))?;
        Ok(WriteRequest::builder().put_request(put).build())
    }

    fn expires(&self) -> AttributeValue {
        number(SystemClock.wall_ms() / 1_000 + i64::try_from(self.remember.as_secs()).unwrap_or(i64::MAX / 2))
    }
}

impl SeenStore for DynamoDbStore {
    fn claim<'a>(
        &'a self,
        ids: &'a [&'a str],
        by: Claimant,
        span: Duration,
    ) -> BoxFuture<'a, Result<Vec<Claim>, StoreFailure>> {
        Box::pin(async move {
            let mut claims = Vec::with_capacity(ids.len());
            for some in ids.chunks(AT_ONCE) {
                let asked = some.iter().map(|id| Box::pin(self.claim_one(id, by, span)) as BoxFuture<'_, _>).collect();
                for claim in together::all(asked).await {
                    claims.push(claim?);
                }
            }
            Ok(claims)
        })
    }

    fn settle<'a>(
        &'a self,
        delivered: &'a [&'a str],
        released: &'a [&'a str],
        by: Claimant,
    ) -> BoxFuture<'a, Result<(), StoreFailure>> {
        Box::pin(async move {
            for some in delivered.chunks(PUTS_IN_A_REQUEST * 4) {
                let puts = some.chunks(PUTS_IN_A_REQUEST);
                let puts = puts.map(|ids| Box::pin(self.remember_some(ids)) as BoxFuture<'_, _>).collect();
                together::all(puts).await.into_iter().collect::<Result<(), _>>()?;
            }
            for some in released.chunks(AT_ONCE) {
                let deletes = some.iter().map(|id| Box::pin(self.release_one(id, by)) as BoxFuture<'_, _>).collect();
                together::all(deletes).await.into_iter().collect::<Result<(), _>>()?;
            }
            Ok(())
        })
    }
}

fn failure<E: ProvideErrorMetadata + std::error::Error + 'static>(error: SdkError<E, HttpResponse>) -> StoreFailure {
    StoreFailure(format!("DynamoDB: {}", failure_of(error).detail))
}

fn mark(by: Claimant) -> String {
    format!("{:016x}", by.0)
}

fn key(id: &str) -> AttributeValue {
    text(&format!("id/{id}"))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
