//! Section `[dead_letter]` as it is meant.

use super::DeadLetterRaw;
use runtime::config::{ConfigError, Settings};
use runtime::objects::{ObjectStoreSettings, ObjectUri};
use runtime::output_file;
use std::path::PathBuf;
use std::time::Duration;

/// Where dead letters go: the first place that takes them.
#[derive(Debug, Clone)]
pub struct DeadLetterConfig {
    /// Whether `<topic>.dlq` is tried first.
    pub topic: bool,
    /// Below this on S3.
    pub objects: Option<(ObjectUri, ObjectStoreSettings)>,
    pub file: PathBuf,
    /// How long a topic may be missing until its records become dead letters.
    pub topic_missing_for: Duration,
}

impl DeadLetterConfig {
    pub(super) fn validate(settings: &Settings, raw: &DeadLetterRaw) -> Result<Self, ConfigError> {
        // What goes there has no other place: a device or a pipe would lose it.
        let file = PathBuf::from(&raw.file);
        if let Err(error) = output_file::regular(&file) {
            return Err(
                settings.refuse("dead_letter.file", format!("allowed is a file in a folder that exists: {error}"))
            );
        }
        let topic_missing_for = raw.topic_missing_for.get();
        if !(Duration::from_secs(1)..=Duration::from_secs(3_600)).contains(&topic_missing_for) {
            return Err(settings.refuse("dead_letter.topic_missing_for", "allowed is \"1s\" to \"1h\""));
        }
        let store = ObjectStoreSettings::validate(settings, "dead_letter.s3", &raw.s3)?;
        let below =
            Some(&raw.objects).filter(|written| !written.is_empty()).map(|written| written.parse::<ObjectUri>());
        let below = below.transpose().map_err(|bad| settings.refuse("dead_letter.objects", bad.to_string()))?;
        Ok(Self { topic: raw.topic, objects: below.map(|below| (below, store)), file, topic_missing_for })
    }
}
