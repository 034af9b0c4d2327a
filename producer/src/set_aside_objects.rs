//! Set-aside lines as objects on S3: a few at a time, one object each time.
//!
//! *In*: lines that were set aside. *Out*: `<prefix>/<day>/<run>-<ms>-<n>.ndjson`, one JSON line per event as in the local
//! file. *Never*: says that something is kept before S3 has answered.

use crate::set_aside::SetAside;
use runtime::objects::{ObjectDesk, ObjectError, ObjectStoreSettings, ObjectUri, Upload};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes below one prefix; blocks the caller for as long as S3 takes, at most its timeout.
#[derive(Debug)]
pub struct SetAsideObjects {
    desk: ObjectDesk,
    prefix: ObjectUri,
    run: String,
    written: AtomicU64,
}

/// The lines are in no place now.
#[derive(Debug, thiserror::Error)]
pub enum SetAsideError {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error("a line cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl SetAsideObjects {
    /// `run` tells the objects of different runs apart.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(settings: ObjectStoreSettings, prefix: ObjectUri, run: &str) -> std::io::Result<Self> {
        Ok(Self { desk: ObjectDesk::start(settings)?, prefix, run: run.to_owned(), written: AtomicU64::new(0) })
    }

    /// Writes one object with all lines, and says where; S3 has it when this returns. `now_ms` is since the epoch.
    ///
    /// # Errors
    /// S3 did not take it; the caller must bring the lines to another place, or count them.
    pub fn write(&self, lines: &[SetAside<'_>], now_ms: i64) -> Result<ObjectUri, SetAsideError> {
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, line)?;
            bytes.push(b'\n');
        }
        let uri = self.prefix.below(&name(&self.run, now_ms, self.written.fetch_add(1, Ordering::Relaxed)));
        let metadata = [("comboio-run", self.run.clone()), ("comboio-lines", lines.len().to_string())];
        let metadata = metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.desk.put(&uri, Upload { bytes, content_type: "application/x-ndjson", metadata })?;
        Ok(uri)
    }
}

/// Sorted by time within a day, and never the same twice.
fn name(run: &str, now_ms: i64, number: u64) -> String {
    let (year, month, day) = date(now_ms.div_euclid(86_400_000));
    format!("{year:04}-{month:02}-{day:02}/{run}-{now_ms}-{number}.ndjson")
}

/// Year, month and day of a day since the epoch. A year is counted from March, so that the leap day is its last.
fn date(days: i64) -> (i64, i64, i64) {
    /// Days from 0000-03-01 to 1970-01-01, and of 400 years.
    const TO_EPOCH: i64 = 719_468;
    const ERA: i64 = 146_097;
    let days = days + TO_EPOCH;
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::{date, name};

    #[test]
    fn days_are_dates() {
        for (days, wanted) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (19_782, (2024, 2, 29)),
            (19_783, (2024, 3, 1)),
            (20_453, (2025, 12, 31)),
            (20_454, (2026, 1, 1)),
            (11_016, (2000, 2, 29)),
        ] {
            assert_eq!(date(days), wanted, "{days}");
        }
    }

    #[test]
    fn an_object_is_named_after_day_run_time_and_number() {
        assert_eq!(name("smoke", 1_763_701_200_123, 7), "2025-11-21/smoke-1763701200123-7.ndjson");
    }
}
