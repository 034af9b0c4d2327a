//! A host with the probe deployed, and a client of it.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::operation::invoke::{InvokeError, InvokeOutput};
use aws_sdk_lambda::primitives::Blob;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use localenv::lambda_host::{Function, FunctionStats, HostOptions, LambdaHost};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The name under which the probe is deployed.
pub const PROBE: &str = "probe";

/// Its timeout, if a test does not change it: long enough for a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// What the SDK's invoke returns.
pub type Invoked = Result<InvokeOutput, SdkError<InvokeError>>;

/// A host and a client.
pub struct Stage {
    pub host: LambdaHost,
    pub client: Client,
}

impl Stage {
    /// A host with the probe, changed by `change`.
    pub async fn with(options: HostOptions, change: impl FnOnce(&mut Function)) -> Self {
        let host = LambdaHost::start(options).await.unwrap();
        let mut function = Function { timeout: TIMEOUT, ..Function::new(PROBE, bootstrap()) };
        change(&mut function);
        host.deploy(function).unwrap();
        let client = client(&host.endpoint());
        Self { host, client }
    }

    /// A host with the probe as it is.
    pub async fn start() -> Self {
        Self::with(HostOptions::default(), |_| {}).await
    }

    /// Invokes the probe.
    pub async fn invoke(&self, payload: impl Into<Vec<u8>>) -> Invoked {
        self.client.invoke().function_name(PROBE).payload(Blob::new(payload)).send().await
    }

    /// Invokes the probe, which must succeed, and reads its answer.
    pub async fn answer(&self, payload: &str) -> Value {
        let output = self.invoke(payload).await.unwrap();
        assert_eq!(output.function_error(), None, "{}", text(&output));
        json(&output)
    }

    /// Invokes the probe, which must fail as a function, and reads errorType and errorMessage.
    pub async fn function_error(&self, payload: &str) -> (String, String) {
        let output = self.invoke(payload).await.unwrap();
        assert_eq!((output.status_code(), output.function_error()), (200, Some("Unhandled")), "{}", text(&output));
        let body = json(&output);
        let member = |name: &str| body[name].as_str().unwrap().to_owned();
        (member("errorType"), member("errorMessage"))
    }

    /// The probe's counts.
    pub fn stats(&self) -> FunctionStats {
        self.host.stats().functions[PROBE].clone()
    }

    /// Waits until the counts are as they should be.
    pub async fn until(&self, what: &str, good: impl Fn(&FunctionStats) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while !good(&self.stats()) {
            assert!(Instant::now() < deadline, "{what}: {:?}", self.stats());
            looks.tick().await;
        }
    }
}

/// The SDK as the consumer sets it up: one attempt, no stalled-stream protection.
pub fn client(endpoint: &str) -> Client {
    use aws_sdk_lambda::config::{StalledStreamProtectionConfig, retry::RetryConfig};
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let credentials = Credentials::new("local", "local", None, None, "test");
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    Client::from_conf(config)
}

/// The answer's bytes as text.
pub fn text(output: &InvokeOutput) -> String {
    let bytes = output.payload().map(|blob| blob.as_ref().to_vec()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The answer as JSON.
pub fn json(output: &InvokeOutput) -> Value {
    serde_json::from_str(&text(output)).unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

/// HTTP status and AWS error code of a refused invocation.
pub fn refusal(invoked: Invoked) -> (u16, String) {
    use aws_sdk_lambda::error::ProvideErrorMetadata;
    let error = invoked.expect_err("it was answered");
    let status = error.raw_response().map_or(0, |raw| raw.status().as_u16());
    (status, error.code().unwrap_or("none").to_owned())
}

/// The example `probe_bootstrap` of this crate.
pub fn bootstrap() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples/probe_bootstrap");
    assert!(path.exists(), "{} is missing: cargo build -p localenv --example probe_bootstrap", path.display());
    path
}
