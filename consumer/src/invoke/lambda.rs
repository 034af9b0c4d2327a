//! The invoker for AWS Lambda, and for any host that speaks its Invoke API.
//!
//! The SDK's own retries are off (they would run a batch again behind our back), its stalled-stream protection is off (it
//! takes a slow function for a dead connection), and every attempt has a deadline, which the SDK does not have by itself.

use super::classify::{failure_of, function_failure};
use super::{InvokeFailure, Invoker};
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{Builder, Credentials, SharedHttpClient, StalledStreamProtectionConfig};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use bytes::Bytes;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// An HTTP/2 connection of Lambda's carries 128 calls; one client holds one connection.
const CALLS_PER_CLIENT: usize = 100;
/// On top of the function's own timeout, for the way there and back and a cold start.
const MARGIN: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For an endpoint on this machine, which has no region.
const LOCAL_REGION: &str = "us-east-1";

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
    clients: Vec<Client>,
    turn: AtomicUsize,
}

/// Lambda cannot be spoken to with what is configured.
#[derive(Debug, thiserror::Error)]
pub enum LambdaError {
    #[error("no AWS region is known: set function.region, or AWS_REGION in the environment")]
    NoRegion,
}

impl LambdaInvoker {
    /// Loads region and credentials from the environment once and sets up the clients.
    ///
    /// # Errors
    /// No region is known.
    pub async fn connect(settings: &LambdaSettings) -> Result<Self, LambdaError> {
        let http = https_client();
        let shared = loader(settings).http_client(http).load().await;
        if shared.region().is_none() {
            return Err(LambdaError::NoRegion);
        }
        let clients = settings.max_in_flight.div_ceil(CALLS_PER_CLIENT).max(1);
        // An HTTP client of its own each: connections are pooled per HTTP client.
        let client = |_| Client::from_conf(configure(&shared, settings).http_client(https_client()).build());
        Ok(Self { clients: (0..clients).map(client).collect(), turn: AtomicUsize::new(0) })
    }

    fn client(&self) -> &Client {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.clients[turn % self.clients.len()]
    }
}

fn https_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Test credentials never go anywhere but to this machine, and only when there are no others.
fn loader(settings: &LambdaSettings) -> ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    let local = settings.endpoint_url.as_deref().is_some_and(is_loopback);
    let region =
        settings.region.clone().or_else(|| local.then(|| variable("AWS_REGION").unwrap_or(LOCAL_REGION.into())));
    if let Some(region) = region {
        loader = loader.region(Region::new(region));
    }
    if local && variable("AWS_ACCESS_KEY_ID").is_none() && variable("AWS_PROFILE").is_none() {
        loader = loader.credentials_provider(Credentials::new("test", "test", None, None, "loopback"));
    }
    loader
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
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

/// Whether the URL's host is this machine.
pub fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Invoker for LambdaInvoker {
    async fn invoke(&self, function: &str, payload: Vec<u8>) -> Result<Bytes, InvokeFailure> {
        let call = self.client().invoke().function_name(function).payload(Blob::new(payload));
        let answer = call.send().await.map_err(failure_of)?;
        let kind = answer.function_error().map(str::to_owned);
        let body = answer.payload.map(Blob::into_inner).unwrap_or_default();
        match kind {
            Some(kind) => Err(function_failure(&kind, &body)),
            None => Ok(Bytes::from(body)),
        }
    }

    async fn check(&self, function: &str) -> Result<(), InvokeFailure> {
        let call = self.client().invoke().function_name(function).invocation_type(InvocationType::DryRun);
        call.send().await.map(|_| ()).map_err(failure_of)
    }
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_loopback() {
        for url in ["http://127.0.0.1:9000", "http://localhost/x", "https://[::1]:4566", "http://127.9.9.9"] {
            assert!(is_loopback(url), "{url}");
        }
        let others = [
            "https://lambda.eu-west-1.amazonaws.com",
            "http://10.0.0.1:9000",
            "http://localhost.example.com",
            "http://localhost@example.com/",
            "",
        ];
        for url in others {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
