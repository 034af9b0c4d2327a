//! A profile: a file that describes a load, and nothing of how it is sent.
//!
//! Two steps: what was written (`written`, unknown keys refused), then what is meant ([`Profile`]). loadgen-profiles/README.md
//! describes the format for people.

mod mix;
mod written;

pub use mix::{HotKey, InvalidKind, Late, Mix};

use crate::shape::Shape;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A load that can be generated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// What the load is good for, in one sentence.
    pub purpose: String,
    /// Same seed (with the same run and start), same bytes.
    pub seed: u64,
    pub duration: Duration,
    pub shape: Shape,
    pub codes: Codes,
    /// How many trucks drive.
    pub trucks: u32,
    /// How unequal they are: truck k of them has a weight of 1 / (k + 1)^zipf; 0 is all equal.
    pub zipf: f64,
    pub mix: Mix,
    pub expected: Expected,
}

/// Which codes there are, hottest first, and how unequal they are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Codes {
    /// `share` of the traffic comes from ...
    pub share: f64,
    /// ... this part of the codes.
    pub of: f64,
    /// Hottest first, no code twice.
    pub codes: Vec<u32>,
}

impl Codes {
    /// How many codes are the hottest `of`.
    pub fn hottest(&self) -> usize {
        (self.codes.len() as f64 * self.of).round() as usize
    }
}

/// What a run of the profile should end with; the report says whether it did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expected {
    /// For people: what to look at.
    pub result: String,
    /// The largest rate error of a whole second that is fine, for example 0.05.
    pub worst_second_error: Option<f64>,
    /// How far the measured share of the hottest codes may be from the profile's, for example 0.01.
    pub hottest_share_error: Option<f64>,
}

/// Why a profile cannot be used; names the file.
#[derive(Debug, thiserror::Error)]
#[error("profile {}: {reason}", path.display())]
pub struct ProfileError {
    pub path: PathBuf,
    pub reason: String,
}

impl Profile {
    /// Reads and checks a profile.
    ///
    /// # Errors
    /// File missing or unreadable, unknown key, value out of range: one sentence with the file's name.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let refused = |reason: String| ProfileError { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
        Self::parse(&text).map_err(refused)
    }

    /// Reads and checks the text of a profile.
    ///
    /// # Errors
    /// One sentence, without the file's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written: written::Written = toml::from_str(text).map_err(|error| sentence(text, &error))?;
        written.meant()
    }

    /// The same load with another peak rate (events/s) or another length; `None` keeps what the profile says.
    ///
    /// # Errors
    /// A rate that no shape may have, or no time at all.
    pub fn with(mut self, rate: Option<f64>, duration: Option<Duration>) -> Result<Self, String> {
        if let Some(rate) = rate {
            if !(rate > 0.0 && rate <= crate::shape::HIGHEST_RATE) {
                return Err(format!("--rate is {rate}, allowed is above 0 and up to 10,000,000 events/s"));
            }
            self.shape = self.shape.scaled_to(rate);
        }
        self.duration = duration.unwrap_or(self.duration);
        if self.duration.is_zero() {
            return Err("--duration is 0, allowed is a time above zero, for example 30s".into());
        }
        Ok(self)
    }

    /// How many events the whole run makes.
    pub fn events(&self) -> u64 {
        self.shape.curve().count(self.duration)
    }
}

/// The reader's message in one line, with the line of the file that it is about.
fn sentence(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    format!("line {line}: {}", error.message().replace('\n', " "))
}

#[cfg(test)]
mod tests;
