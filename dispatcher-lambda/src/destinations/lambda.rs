//! Destination `lambda`: invokes a function with the events of a parcel, and waits for its answer unless told otherwise.
//!
//! The payload is `{"batch_id","topic","partition","attempt","offsets":[..],"events":[{..}]}`. Without a function error every event
//! is delivered, but for those that the answer names in `batchItemFailures` (by their offset), as for AWS's own event sources.

mod answer;

use super::batching::{BatchRaw, Limits};
use super::{Destination, Failure, Outcome, Parcel};
use crate::aws::{Arn, Aws, Place, failure_of, is_name};
use crate::together::BoxFuture;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use domain::failure::FailureClass;
use runtime::config::{ConfigError, Settings};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// `[destinations.NAME.lambda]` as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LambdaRaw {
    /// The function's name or ARN, with its version or alias.
    pub function: String,
    pub invocation: Invocation,
    pub region: String,
    pub endpoint_url: String,
    /// `bytes` is at most what Lambda takes.
    pub batch: BatchRaw,
}

/// What counts as delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invocation {
    /// The function has answered.
    #[default]
    Synchronous,
    /// Lambda has put the events into the function's own queue; what the function does with them is not known.
    Asynchronous,
}

impl Invocation {
    /// Source: AWS Lambda API Reference, `Invoke`: 6 MB and 1 MB.
    fn most_bytes(self) -> usize {
        match self {
            Self::Synchronous => 6_291_456,
            Self::Asynchronous => 1_048_576,
        }
    }

    fn word(self) -> InvocationType {
        match self {
            Self::Synchronous => InvocationType::RequestResponse,
            Self::Asynchronous => InvocationType::Event,
        }
    }
}

/// One function.
pub struct LambdaDestination {
    client: Client,
    function: String,
    invocation: Invocation,
    limits: Limits,
}

impl LambdaDestination {
    /// Checks the section `section` and builds the client; touches no network.
    ///
    /// # Errors
    /// No function's name, a limit that Lambda does not have, no region.
    pub fn build(section: &str, raw: &LambdaRaw, aws: &Aws, settings: &Settings) -> Result<Self, ConfigError> {
        let refuse = |key: &str, sentence: &str| settings.refuse(&format!("{section}.{key}"), sentence);
        let arn =
            Arn::parse(&raw.function).filter(|arn| arn.service == "lambda" && arn.resource.starts_with("function:"));
        let name = !raw.function.starts_with("arn:") && is_name(&raw.function, "_-:$", 1..=140);
        if arn.is_none() && !name {
            return Err(refuse("function", "allowed is a function's name, NAME:ALIAS, or its ARN"));
        }
        let limits = raw.batch.limits().map_err(|(key, sentence)| refuse(&format!("batch.{key}"), sentence))?;
        // What the offsets add may be too much for it all the same; then the payload is cut in two.
        let limits = Limits { bytes: limits.bytes.min(raw.invocation.most_bytes()), ..limits };
        let (region, endpoint_url, told) = (&raw.region, &raw.endpoint_url, arn.map(|arn| arn.region));
        let sdk = aws.sdk(Place { section, region, endpoint_url, told, timeout: limits.timeout }, settings)?;
        let (client, function) = (Client::new(&sdk), raw.function.clone());
        Ok(Self { client, function, invocation: raw.invocation, limits })
    }

    async fn invoke(&self, parcel: Parcel<'_>) -> Outcome {
        let payload = payload(&parcel);
        if payload.len() > self.invocation.most_bytes() {
            let detail =
                format!("the payload has {} bytes, Lambda takes {}", payload.len(), self.invocation.most_bytes());
            return Outcome::Failed(Failure::new(FailureClass::TooLarge, detail));
        }
        let call = self.client.invoke().function_name(&self.function).invocation_type(self.invocation.word());
        match call.payload(Blob::new(payload)).send().await {
            Err(error) => Outcome::Failed(failure_of(error)),
            Ok(_) if self.invocation == Invocation::Asynchronous => Outcome::Delivered,
            Ok(said) => {
                let body = said.payload().map(Blob::as_ref).unwrap_or_default();
                answer::read(parcel.entries, said.function_error(), body)
            }
        }
    }
}

/// The values stand in it byte for byte.
fn payload(parcel: &Parcel<'_>) -> Vec<u8> {
    let head = parcel.head;
    let offsets: Vec<i64> = parcel.entries.iter().map(|entry| entry.offset.0).collect();
    let head = json!({"batch_id": head.batch_id, "topic": head.topic, "partition": head.partition, "attempt": head.attempt,
        "traceparent": head.traceparent, "offsets": offsets});
    let mut payload = head.to_string();
    payload.truncate(payload.len() - 1);
    payload.push_str(",\"events\":[");
    for (index, value) in parcel.values().enumerate() {
        if index > 0 {
            payload.push(',');
        }
        payload.push_str(value);
    }
    payload.push_str("]}");
    payload.into_bytes()
}

impl Destination for LambdaDestination {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn deliver<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(self.invoke(parcel))
    }
}

#[cfg(test)]
mod tests;
