//! Objects on S3, or on a store that speaks its API: read when changed, written whole, each within a deadline.
//!
//! Objects here are small: a bundle of certificates, a file of dead letters. None is read beyond [`MOST_BYTES`].

/// What went wrong with an object: one sentence and a class.
mod fault;
/// The section that says how to reach the store.
mod settings;
/// The store for who has no tokio runtime.
mod desk;
/// `s3://bucket/key`.
mod uri;

pub use desk::ObjectDesk;
pub use fault::{ObjectError, ObjectFault};
pub use settings::{ObjectStoreRaw, ObjectStoreSettings};
pub use uri::{BadObjectUri, ObjectUri};

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_s3::primitives::ByteStream;

use crate::aws;

/// The largest object that is read.
pub const MOST_BYTES: usize = 4 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What a look at an object found.
#[derive(Clone, PartialEq, Eq)]
pub enum Sighting {
    /// It is still the one with the ETag that was given.
    Unchanged,
    /// Its bytes, and the ETag to give next time.
    Object { bytes: Vec<u8>, etag: String },
}

/// An object to be written.
#[derive(Clone)]
pub struct Upload {
    pub bytes: Vec<u8>,
    /// For example `application/x-ndjson`.
    pub content_type: &'static str,
    /// User metadata; names in lowercase letters and dashes, values in ASCII.
    pub metadata: Vec<(String, String)>,
}

/// A store; clones share its connections and credentials.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    client: Client,
    timeout: Duration,
}

impl ObjectStore {
    /// Reads region and credentials from the environment; nothing is sent yet. Needs a tokio runtime, as every call does.
    ///
    /// # Errors
    /// No region is known.
    pub async fn connect(settings: &ObjectStoreSettings) -> Result<Self, ObjectError> {
        let shared = aws::load(&settings.aws).await;
        if shared.region().is_none() {
            return Err(ObjectError::no_region());
        }
        let endpoint = settings.aws.endpoint_url.clone();
        // Read here as well as in the SDK, because a store that is not AWS's wants the bucket in the path.
        let elsewhere = endpoint.is_some() || shared.endpoint_url().is_some() || configured_elsewhere();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(settings.timeout)
            .operation_timeout(settings.timeout)
            .build();
        let mut builder = Builder::from(&shared)
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            // Every call has a deadline of its own here, body included.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(timeouts)
            .force_path_style(elsewhere);
        if endpoint.is_some() {
            builder.set_endpoint_url(endpoint);
        }
        Ok(Self { client: Client::from_conf(builder.build()), timeout: settings.timeout })
    }

    /// Reads an object unless it is still the one with `etag`.
    ///
    /// # Errors
    /// Missing, not allowed, not to be decrypted, too large, out of reach, or late.
    pub async fn get_if_changed(&self, uri: &ObjectUri, etag: Option<&str>) -> Result<Sighting, ObjectError> {
        let read = tokio::time::timeout(self.timeout, self.read(uri, etag)).await;
        read.unwrap_or_else(|_| Err(ObjectError::late(uri, self.timeout)))
    }

    /// Writes an object, in place of what was there.
    ///
    /// # Errors
    /// Not allowed, not to be encrypted, out of reach, or late (then it may have been written).
    pub async fn put(&self, uri: &ObjectUri, upload: Upload) -> Result<(), ObjectError> {
        let call = self.client.put_object().bucket(uri.bucket()).key(uri.key()).content_type(upload.content_type);
        let call =
            call.set_metadata(Some(upload.metadata.into_iter().collect())).body(ByteStream::from(upload.bytes)).send();
        match tokio::time::timeout(self.timeout, call).await {
            Ok(written) => written.map(|_| ()).map_err(|error| fault::of(uri, fault::Deed::Write, &error)),
            Err(_) => Err(ObjectError::late(uri, self.timeout)),
        }
    }

    async fn read(&self, uri: &ObjectUri, etag: Option<&str>) -> Result<Sighting, ObjectError> {
        let call = self.client.get_object().bucket(uri.bucket()).key(uri.key());
        let answer = match call.set_if_none_match(etag.map(str::to_owned)).send().await {
            Ok(answer) => answer,
            Err(error) if fault::is_not_modified(&error) => return Ok(Sighting::Unchanged),
            Err(error) => return Err(fault::of(uri, fault::Deed::Read, &error)),
        };
        let found = answer.e_tag().unwrap_or_default().to_owned();
        // A store that does not know the condition sends the object all the same.
        if !found.is_empty() && etag == Some(found.as_str()) {
            return Ok(Sighting::Unchanged);
        }
        Ok(Sighting::Object { bytes: collect(uri, answer.body).await?, etag: found })
    }
}

async fn collect(uri: &ObjectUri, mut body: ByteStream) -> Result<Vec<u8>, ObjectError> {
    let mut bytes = Vec::new();
    while let Some(part) = body.try_next().await.map_err(|error| ObjectError::cut(uri, &error))? {
        if bytes.len() + part.len() > MOST_BYTES {
            return Err(ObjectError::too_large(uri));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

fn configured_elsewhere() -> bool {
    ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].into_iter().any(|name| aws::variable(name).is_some())
}

/// Lengths, not bytes: an object may be a key.
impl std::fmt::Debug for Sighting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unchanged => f.write_str("Unchanged"),
            Self::Object { bytes, etag } => {
                f.debug_struct("Object").field("bytes", &bytes.len()).field("etag", etag).finish()
            }
        }
    }
}
