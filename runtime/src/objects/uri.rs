//! `s3://bucket/key`: where an object lies.

use std::fmt;
use std::str::FromStr;

/// Bucket and key of one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectUri {
    bucket: String,
    key: String,
}

/// Not the address of an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no object: allowed is s3://bucket/key, the bucket 3 to 63 of a-z, 0-9, '.' and '-'")]
pub struct BadObjectUri(String);

impl ObjectUri {
    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The object's key, without a slash in front.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// An object of the same bucket whose key is this one, a slash, and `name`.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        Self { bucket: self.bucket.clone(), key: format!("{}/{name}", self.key.trim_end_matches('/')) }
    }
}

impl FromStr for ObjectUri {
    type Err = BadObjectUri;

    fn from_str(text: &str) -> Result<Self, BadObjectUri> {
        let bad = || BadObjectUri(text.to_owned());
        let (bucket, key) = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or_else(bad)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
        let named = (3..=63).contains(&bucket.len()) && bucket.chars().all(plain);
        let steps_up = key.split('/').any(|step| matches!(step, "." | ".."));
        if !named || key.is_empty() || key.len() > 1_024 || steps_up || key.chars().any(char::is_control) {
            return Err(bad());
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl fmt::Display for ObjectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::ObjectUri;

    #[test]
    fn an_object_is_a_bucket_and_a_key() {
        let uri: ObjectUri = "s3://fleet-certs/producer/bundle.p12".parse().unwrap();
        assert_eq!((uri.bucket(), uri.key()), ("fleet-certs", "producer/bundle.p12"));
        assert_eq!(uri.to_string(), "s3://fleet-certs/producer/bundle.p12");
        let below: ObjectUri = "s3://fleet-certs/dead/".parse().unwrap();
        assert_eq!(below.below("a.ndjson").key(), "dead/a.ndjson");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "s3://", "s3://bucket", "s3://bucket/", "s3://Bucket/k", "s3://b/k", "https://b/k", "s3:///k"]
        {
            let error = text.parse::<ObjectUri>().unwrap_err().to_string();
            assert!(error.contains("allowed is s3://bucket/key"), "{text}: {error}");
        }
        assert!("s3://bucket/a/../b".parse::<ObjectUri>().is_err());
    }
}
