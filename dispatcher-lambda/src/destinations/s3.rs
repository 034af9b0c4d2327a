//! Destination `s3`: each parcel becomes one object of one event a line (NDJSON), plain or gzip.
//!
//! The same records make the same object under the same key, so a repeat changes nothing.

mod key;

use super::batching::{BatchRaw, Limits};
use super::{Destination, Failure, Outcome, Parcel};
use crate::aws::{Aws, Place, failure_of, is_name};
use crate::together::BoxFuture;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use domain::failure::FailureClass;
use flate2::write::GzEncoder;
use key::Template;
use runtime::config::{ConfigError, Settings};
use serde::{Deserialize, Serialize};
use std::io::Write;

/// `[destinations.NAME.s3]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3Raw {
    pub bucket: String,
    /// The object's key with `{topic}`, `{partition}`, `{first}`, `{last}` and `{digest}`, all of them.
    pub key: String,
    pub compression: Compression,
    pub region: String,
    /// With an endpoint of one's own the bucket stands in the path.
    pub endpoint_url: String,
    pub batch: BatchRaw,
}

impl Default for S3Raw {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            key: "{topic}/{partition}/{first}-{last}-{digest}.ndjson".to_owned(),
            compression: Compression::default(),
            region: String::new(),
            endpoint_url: String::new(),
            batch: BatchRaw::default(),
        }
    }
}

/// How an object is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    #[default]
    None,
    /// `.gz` is put behind the key. There is no content encoding: a client that knows it would unpack what is called packed.
    Gzip,
}

/// One bucket.
pub struct S3Destination {
    client: Client,
    bucket: String,
    key: Template,
    compression: Compression,
    limits: Limits,
}

impl S3Destination {
    /// Checks the section `section` and builds the client; touches no network.
    ///
    /// # Errors
    /// No bucket's name, a key that does not tell objects apart, a limit of zero, no region.
    pub fn build(section: &str, raw: &S3Raw, aws: &Aws, settings: &Settings) -> Result<Self, ConfigError> {
        let refuse = |key: &str, sentence: &str| settings.refuse(&format!("{section}.{key}"), sentence);
        if !is_name(&raw.bucket, ".-", 3..=63) {
            return Err(refuse("bucket", "allowed is a bucket's name, 3 to 63 letters, digits, dots and hyphens"));
        }
        let key = Template::parse(&raw.key).map_err(|sentence| refuse("key", &sentence))?;
        let limits = raw.batch.limits().map_err(|(key, sentence)| refuse(&format!("batch.{key}"), sentence))?;
        let (region, endpoint_url) = (&raw.region, &raw.endpoint_url);
        let sdk = aws.sdk(Place { section, region, endpoint_url, told: None, timeout: limits.timeout }, settings)?;
        let config = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(!endpoint_url.is_empty());
        let client = Client::from_conf(config.build());
        Ok(Self { client, bucket: raw.bucket.clone(), key, compression: raw.compression, limits })
    }

    async fn put(&self, parcel: Parcel<'_>) -> Outcome {
        let lines = parcel.ndjson();
        let mut key = self.key.of(&parcel, &lines);
        let (body, kind) = match self.compression {
            Compression::None => (lines, "application/x-ndjson"),
            Compression::Gzip => {
                key.push_str(".gz");
                match tokio::task::spawn_blocking(move || gzip(&lines)).await {
                    Ok(Ok(packed)) => (packed, "application/gzip"),
                    Ok(Err(error)) => return unpacked(&error.to_string()),
                    Err(error) => return unpacked(&error.to_string()),
                }
            }
        };
        let request = self.client.put_object().bucket(&self.bucket).key(key).content_type(kind);
        match request.body(ByteStream::from(body)).send().await {
            Ok(_) => Outcome::Delivered,
            Err(error) => Outcome::Failed(failure_of(error)),
        }
    }
}

fn unpacked(why: &str) -> Outcome {
    Outcome::Failed(Failure::new(FailureClass::Transient, format!("the object could not be packed: {why}")))
}

/// Without a time stamp: the same lines always make the same bytes.
fn gzip(lines: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(lines.len() / 4), flate2::Compression::default());
    encoder.write_all(lines)?;
    encoder.finish()
}

impl Destination for S3Destination {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn deliver<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(self.put(parcel))
    }
}

#[cfg(test)]
mod tests;
