//! The one place that loads AWS's configuration: region, credentials (cached by the SDK) and the HTTP client, rustls with ring.

use std::net::IpAddr;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For an endpoint on this machine, which has no region.
pub const LOCAL_REGION: &str = "us-east-1";

/// What may be set in place of what the environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsSettings {
    /// The region, when it shall not come from the environment.
    pub region: Option<String>,
    /// Another endpoint than AWS's own.
    pub endpoint_url: Option<String>,
}

/// Reads region and credentials from where AWS's tools read them; the result may be shared by clients of all services.
/// Whether there is a region is for the caller to look at. Needs a tokio runtime.
pub async fn load(settings: &AwsSettings) -> SdkConfig {
    loader(settings).http_client(https_client()).load().await
}

/// A new HTTP client with a connection pool of its own.
pub fn https_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// The same for a Lambda function, at once and without a runtime: `region` is known, and credentials come from the variables
/// that Lambda sets (nothing else is asked, so a cold start waits for nobody). No retries, because the caller has its own, and
/// no stalled-stream protection, which takes a slow answer for a dead connection. Every call ends within `timeout`.
pub fn in_function(region: &str, endpoint_url: Option<&str>, http: SharedHttpClient, timeout: Duration) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT.min(timeout)).operation_timeout(timeout).build();
    let local = endpoint_url.is_some_and(is_loopback) && variable("AWS_ACCESS_KEY_ID").is_none();
    let credentials = if local {
        SharedCredentialsProvider::new(test_credentials())
    } else {
        SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new())
    };
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials)
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    builder.set_endpoint_url(endpoint_url.map(str::to_owned));
    builder.build()
}

/// Test credentials never go anywhere but to this machine, and only when there are no others.
fn loader(settings: &AwsSettings) -> ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    let local = settings.endpoint_url.as_deref().is_some_and(is_loopback);
    let region =
        settings.region.clone().or_else(|| local.then(|| variable("AWS_REGION").unwrap_or(LOCAL_REGION.into())));
    if let Some(region) = region {
        loader = loader.region(Region::new(region));
    }
    if local && variable("AWS_ACCESS_KEY_ID").is_none() && variable("AWS_PROFILE").is_none() {
        loader = loader.credentials_provider(test_credentials());
    }
    loader
}

fn test_credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "loopback")
}

/// A variable of the environment that is set and not empty.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
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
