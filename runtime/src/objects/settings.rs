//! The section that says how to reach the store; who uses a store puts it below a section of its own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aws::{AwsSettings, is_loopback};
use crate::config::{ConfigError, Settings, Span};

/// As written, for example `[kafka.tls.s3]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectStoreRaw {
    /// The buckets' region; empty: from the environment, the profile or the machine's metadata.
    pub region: String,
    /// Another endpoint than AWS's own; empty: AWS's, or what the environment says.
    pub endpoint_url: String,
    /// How long one read or write may take, retries included.
    pub timeout: Span,
}

/// As meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectStoreSettings {
    pub aws: AwsSettings,
    /// How long one read or write may take, retries included.
    pub timeout: Duration,
}

impl Default for ObjectStoreRaw {
    fn default() -> Self {
        Self { region: String::new(), endpoint_url: String::new(), timeout: Span::from_secs(10) }
    }
}

impl ObjectStoreSettings {
    /// Checks what was written under `section`.
    ///
    /// # Errors
    /// A region or an endpoint that is none, a timeout out of range.
    pub fn validate(settings: &Settings, section: &str, raw: &ObjectStoreRaw) -> Result<Self, ConfigError> {
        let key = |name: &str| format!("{section}.{name}");
        if !raw.region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            return Err(settings.refuse(&key("region"), "allowed is a region such as eu-west-1"));
        }
        let url = &raw.endpoint_url;
        let local = url.starts_with("http://") && is_loopback(url);
        if !(url.is_empty() || url.starts_with("https://") || local) {
            let sentence = "allowed is an https:// URL (http:// only on this machine), or nothing for AWS's own";
            return Err(settings.refuse(&key("endpoint_url"), sentence));
        }
        let timeout = raw.timeout.get();
        if timeout < Duration::from_millis(100) || timeout > Duration::from_secs(300) {
            return Err(settings.refuse(&key("timeout"), "allowed is \"100ms\" to \"300s\""));
        }
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Ok(Self { aws: AwsSettings { region: some(&raw.region), endpoint_url: some(url) }, timeout })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused_with_what_is_allowed() {
        let base = ObjectStoreRaw::default();
        for (raw, words) in [
            (ObjectStoreRaw { region: "EU West".into(), ..base.clone() }, "such as eu-west-1"),
            (ObjectStoreRaw { endpoint_url: "http://10.0.0.1:9000".into(), ..base.clone() }, "https://"),
            (ObjectStoreRaw { endpoint_url: "127.0.0.1:9000".into(), ..base.clone() }, "https://"),
            (ObjectStoreRaw { timeout: Span::from_millis(1), ..base.clone() }, "\"100ms\" to \"300s\""),
        ] {
            let error = ObjectStoreSettings::validate(&Settings::of(&raw), "dead_letter.s3", &raw).unwrap_err();
            assert!(error.to_string().starts_with("dead_letter.s3.") && error.to_string().contains(words), "{error}");
        }
        let raw = ObjectStoreRaw { endpoint_url: "http://127.0.0.1:9000".into(), ..base };
        let meant = ObjectStoreSettings::validate(&Settings::of(&raw), "kafka.tls.s3", &raw).unwrap();
        assert_eq!(meant.aws.endpoint_url.as_deref(), Some("http://127.0.0.1:9000"));
    }
}
