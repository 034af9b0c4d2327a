//! A profile as it is written, and how it becomes what is meant.

use super::{Codes, Expected, Mix, Profile};
use crate::shape::Shape;
use runtime::config::Span;
use serde::Deserialize;
use std::collections::HashSet;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    purpose: String,
    seed: u64,
    duration: Span,
    shape: Shape,
    codes: WrittenCodes,
    fleet: Fleet,
    #[serde(default)]
    mix: Mix,
    #[serde(default)]
    expected: Expected,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCodes {
    share: f64,
    of: f64,
    groups: Vec<Group>,
}

/// `count` codes from `first` on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    first: u32,
    count: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fleet {
    trucks: u32,
    #[serde(default)]
    zipf: f64,
}

const MOST_CODES: usize = 10_000;
const MOST_KEYS: u64 = 10_000_000;
const STEEPEST_ZIPF: f64 = 3.0;

impl Written {
    pub(super) fn meant(self) -> Result<Profile, String> {
        self.shape.validate().map_err(|error| error.to_string())?;
        let codes = self.codes.meant()?;
        self.fleet.check(codes.codes.len())?;
        self.mix.check(self.fleet.trucks, &codes.codes)?;
        if self.duration.get().is_zero() {
            return Err("duration is 0, allowed is a time above zero, for example \"30s\"".into());
        }
        Ok(Profile {
            purpose: self.purpose,
            seed: self.seed,
            duration: self.duration.get(),
            shape: self.shape,
            codes,
            trucks: self.fleet.trucks,
            zipf: self.fleet.zipf,
            mix: self.mix,
            expected: self.expected,
        })
    }
}

impl WrittenCodes {
    fn meant(self) -> Result<Codes, String> {
        if !(self.of > 0.0 && self.of < 1.0) {
            return Err(format!("codes.of is {}, allowed is above 0 and below 1", self.of));
        }
        if !(self.share >= self.of && self.share < 1.0) {
            return Err(format!("codes.share is {}, allowed is codes.of ({}) up to below 1", self.share, self.of));
        }
        let codes = self.codes()?;
        let hottest = codes.len() as f64 * self.of;
        if (hottest - hottest.round()).abs() > 1e-6 || hottest.round() < 1.0 {
            let count = codes.len();
            return Err(format!(
                "codes.of is {} of {count} codes, which is no whole number of codes: change of or count",
                self.of
            ));
        }
        Ok(Codes { share: self.share, of: self.of, codes })
    }

    fn codes(&self) -> Result<Vec<u32>, String> {
        let total: u64 = self.groups.iter().map(|group| u64::from(group.count)).sum();
        if total == 0 || total > MOST_CODES as u64 {
            return Err(format!("codes.groups hold {total} codes, allowed is 1 to {MOST_CODES}"));
        }
        let mut seen = HashSet::new();
        let mut codes = Vec::new();
        for group in &self.groups {
            for code in (0..group.count).map(|step| group.first.saturating_add(step)) {
                if !seen.insert(code) {
                    return Err(format!("codes.groups hold code {code} twice"));
                }
                codes.push(code);
            }
        }
        Ok(codes)
    }
}

impl Fleet {
    fn check(&self, codes: usize) -> Result<(), String> {
        let keys = u64::from(self.trucks) * codes as u64;
        if self.trucks == 0 || keys > MOST_KEYS {
            return Err(format!(
                "fleet.trucks is {}, allowed is 1 to {} (trucks times codes is at most {MOST_KEYS})",
                self.trucks,
                MOST_KEYS / codes.max(1) as u64
            ));
        }
        if !(0.0..=STEEPEST_ZIPF).contains(&self.zipf) {
            return Err(format!("fleet.zipf is {}, allowed is 0 (all trucks equal) to {STEEPEST_ZIPF}", self.zipf));
        }
        Ok(())
    }
}
