//! The invoker for AWS Lambda, and for any host that speaks its Invoke API.
//!
//! The SDK's own retries are off (they would run a batch again behind our back), its stalled-stream protection is off (it
//! takes a slow function for a dead connection), and every attempt has a deadline, which the SDK does not have by itself.

use super::classify::{failure_of, function_failure};
use super::line::{Begun, Line};
use super::{InvokeFailure, Invoker};
use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use bytes::Bytes;
use runtime::aws::{self, AwsSettings, https_client};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// An HTTP/2 connection of Lambda's carries 128 calls; one client holds one connection.
const CALLS_PER_CLIENT: usize = 100;
/// On top of the function's own timeout, for the way there and back and a cold start.
const MARGIN: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How to reach Lambda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaSettings {
    /// Another endpoint than AWS's own.
    pub endpoint_url: Option<String>,
    /// The region, when it shall not come from the environment.
    pub region: Option<String>,
    /// The function's own timeout.
    pub timeout: Duration,
    /// How many calls there may be at once.
    pub max_in_flight: usize,
}

/// See the head of the file.
#[derive(Debug)]
pub struct LambdaInvoker {
    lines: Vec<Line>,
    turn: AtomicUsize,
}

/// Lambda cannot be spoken to with what is configured.
#[derive(Debug, thiserror::Error)]
pub enum LambdaError {
    #[error("no AWS region is known: set function.region, or AWS_REGION in the environment")]
    NoRegion,
}

impl LambdaSettings {
    /// How many calls the clients that are set up at the start can carry at once.
    pub fn most_in_flight(&self) -> usize {
        self.clients() * CALLS_PER_CLIENT
    }

    fn clients(&self) -> usize {
        self.max_in_flight.div_ceil(CALLS_PER_CLIENT).max(1)
    }
}

impl LambdaInvoker {
    /// Loads region and credentials from the environment once and sets up the clients.
    ///
    /// # Errors
    /// No region is known.
    pub async fn connect(settings: &LambdaSettings) -> Result<Self, LambdaError> {
        let (region, endpoint_url) = (settings.region.clone(), settings.endpoint_url.clone());
        let shared = aws::load(&AwsSettings { region, endpoint_url }).await;
        if shared.region().is_none() {
            return Err(LambdaError::NoRegion);
        }
        let line = |_| {
            let config = configure(&shared, settings);
            // An HTTP client of its own each: connections are pooled per HTTP client.
            Line::new(move || Client::from_conf(config.clone().http_client(https_client()).build()))
        };
        Ok(Self { lines: (0..settings.clients()).map(line).collect(), turn: AtomicUsize::new(0) })
    }

    fn line(&self) -> &Line {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.lines[turn % self.lines.len()]
    }
}

async fn call(begun: &Begun, function: &str, payload: Bytes) -> Result<Bytes, InvokeFailure> {
    let call = begun.client.invoke().function_name(function).payload(Blob::from_maybe_shared(payload));
    let answer = call.send().await.map_err(failure_of)?;
    let kind = answer.function_error().map(str::to_owned);
    let body = answer.payload.map(Blob::into_bytes).unwrap_or_default();
    match kind {
        Some(kind) => Err(function_failure(&kind, &body)),
        None => Ok(body),
    }
}

fn configure(shared: &SdkConfig, settings: &LambdaSettings) -> Builder {
    let deadline = settings.timeout + MARGIN;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(deadline)
        .operation_timeout(deadline)
        .build();
    let mut builder = Builder::from(shared)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts);
    builder.set_endpoint_url(settings.endpoint_url.clone().or_else(|| shared.endpoint_url().map(str::to_owned)));
    builder
}

impl Invoker for LambdaInvoker {
    async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeFailure> {
        let line = self.line();
        let begun = line.begin();
        let answer = call(&begun, function, payload).await;
        line.end(&begun, answer.as_ref().err());
        answer
    }

    /// By each client, so that each has its connection before the first calls come all at once: every one of them would open its own.
    async fn check(&self, function: &str) -> Result<(), InvokeFailure> {
        for line in &self.lines {
            let begun = line.begin();
            let call = begun.client.invoke().function_name(function).invocation_type(InvocationType::DryRun);
            call.send().await.map_err(failure_of)?;
        }
        Ok(())
    }
}
