//! Where one part of a bundle lies: a file, or an object on S3.

use runtime::objects::{BadObjectUri, ObjectUri};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A path, or `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    Object(ObjectUri),
}

/// Neither a path nor an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlace {
    #[error(transparent)]
    Object(#[from] BadObjectUri),
    #[error("allowed is a path, or s3://bucket/key")]
    Scheme,
    #[error("it is the text of a PEM file: allowed is the file's path, or s3://bucket/key")]
    Pem,
}

impl Place {
    /// The name that sentences and facts give it.
    pub fn name(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Object(uri) => PathBuf::from(uri.to_string()),
        }
    }
}

impl FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        if text.starts_with("s3://") {
            return Ok(Self::Object(text.parse()?));
        }
        if text.contains("-----BEGIN") {
            return Err(BadPlace::Pem);
        }
        if text.contains("://") {
            return Err(BadPlace::Scheme);
        }
        Ok(Self::File(PathBuf::from(text)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Object(uri) => write!(f, "{uri}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_a_path_or_an_object_and_no_other_address() {
        assert!(matches!("/etc/comboio/ca.pem".parse(), Ok(Place::File(_))));
        assert!(matches!("s3://fleet-certs/ca.pem".parse(), Ok(Place::Object(_))));
        let pem = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n";
        for wrong in ["s3://fleet-certs", "https://example.com/ca.pem", "file:///etc/ca.pem", pem] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
