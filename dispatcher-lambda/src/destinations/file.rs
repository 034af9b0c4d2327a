//! Destination `file`: appends one event a line (NDJSON) to a file that several processes may share.
//!
//! Each batch is one write on a file opened for appending, so batches of several processes never mix (Linux locks the inode
//! for one write). When a write stops half-way (a full disk), the next one starts a new line: a reader sees one broken line
//! and then the whole batch again.

use super::batching::{BatchRaw, Limits};
use super::{Destination, Failure, Outcome, Parcel};
use crate::together::BoxFuture;
use domain::failure::FailureClass;
use runtime::config::{ConfigError, Settings};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// `[destinations.NAME.file]` as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileRaw {
    /// The file; it is made when it is not there, its directory is not.
    pub path: String,
    pub sync: SyncPolicy,
    pub batch: BatchRaw,
}

/// When a batch counts as held by the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncPolicy {
    /// The operating system has it: it survives the process, not the machine.
    #[default]
    Never,
    /// The disk has it (fsync): it survives the machine.
    EachBatch,
}

/// One file.
pub struct FileDestination {
    target: Arc<Target>,
    limits: Limits,
}

struct Target {
    path: PathBuf,
    sync: SyncPolicy,
    /// The last write stopped half-way.
    torn: AtomicBool,
}

impl FileDestination {
    /// Checks the section `section`, and that the file can be opened.
    ///
    /// # Errors
    /// A file that cannot be opened for appending, a limit of zero.
    pub fn build(section: &str, raw: &FileRaw, settings: &Settings) -> Result<Self, ConfigError> {
        let refuse = |key: &str, sentence: &str| settings.refuse(&format!("{section}.{key}"), sentence);
        if raw.path.is_empty() {
            return Err(refuse("path", "allowed is the path of a file to append to"));
        }
        let limits = raw.batch.limits().map_err(|(key, sentence)| refuse(&format!("batch.{key}"), sentence))?;
        let path = PathBuf::from(&raw.path);
        open(&path).map_err(|error| refuse("path", &format!("the file cannot be opened for appending: {error}")))?;
        let target = Arc::new(Target { path, sync: raw.sync, torn: AtomicBool::new(false) });
        Ok(Self { target, limits })
    }
}

impl Destination for FileDestination {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn deliver<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        let (target, lines) = (Arc::clone(&self.target), parcel.ndjson());
        Box::pin(async move {
            match tokio::task::spawn_blocking(move || target.append(&lines)).await {
                Ok(Ok(())) => Outcome::Delivered,
                Ok(Err(error)) => Outcome::Failed(Failure::new(FailureClass::Transient, error.to_string())),
                Err(error) => Outcome::Failed(Failure::new(FailureClass::Transient, error.to_string())),
            }
        })
    }
}

impl Target {
    /// Opens the file anew each time, so that it may be moved away while the process runs.
    fn append(&self, lines: &[u8]) -> io::Result<()> {
        let mut file = open(&self.path)?;
        if self.torn.swap(false, Ordering::AcqRel) {
            file.write_all(b"\n")?;
        }
        let written = write_once(&mut file, lines);
        if written.is_err() {
            self.torn.store(true, Ordering::Release);
        }
        written?;
        match self.sync {
            SyncPolicy::Never => Ok(()),
            SyncPolicy::EachBatch => file.sync_data(),
        }
    }
}

/// One `write`; what it leaves over (a signal, a nearly full disk) is written after it.
fn write_once(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let count = match file.write(lines) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
        count => count?,
    };
    file.write_all(&lines[count..])
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::{FileDestination, FileRaw, SyncPolicy};
    use crate::destinations::parcels::{entries, parcel};
    use crate::destinations::{BatchRaw, Destination, Outcome};
    use domain::failure::FailureClass;
    use runtime::config::Settings;
    use std::sync::atomic::Ordering;

    fn destination(path: &std::path::Path, sync: SyncPolicy) -> FileDestination {
        let raw = FileRaw { path: path.display().to_string(), sync, batch: BatchRaw::default() };
        FileDestination::build("destinations.a.file", &raw, &Settings::default()).unwrap()
    }

    #[tokio::test]
    async fn batches_are_appended_line_by_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.ndjson");
        for sync in [SyncPolicy::Never, SyncPolicy::EachBatch] {
            let destination = destination(&path, sync);
            let entries = entries(&["{\"a\":1}", "{\"b\":2}"]);
            assert_eq!(destination.deliver(parcel(&entries)).await, Outcome::Delivered);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"a\":1}\n{\"b\":2}\n{\"a\":1}\n{\"b\":2}\n");
    }

    #[tokio::test]
    async fn after_a_torn_write_the_next_batch_starts_a_new_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.ndjson");
        let destination = destination(&path, SyncPolicy::Never);
        std::fs::write(&path, "{\"a\":").unwrap();
        destination.target.torn.store(true, Ordering::Release);
        destination.deliver(parcel(&entries(&["{}"]))).await;
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":\n{}\n");
    }

    #[tokio::test]
    async fn a_file_that_goes_away_is_transient() {
        let dir = tempfile::tempdir().unwrap();
        let destination = destination(&dir.path().join("events.ndjson"), SyncPolicy::Never);
        dir.close().unwrap();
        let outcome = destination.deliver(parcel(&entries(&["{}"]))).await;
        assert!(matches!(outcome, Outcome::Failed(failure) if failure.class == FailureClass::Transient));
    }

    #[test]
    fn a_path_that_cannot_be_opened_is_refused_by_name() {
        let raw = FileRaw { path: "/no/such/directory/x".into(), ..FileRaw::default() };
        let refused = FileDestination::build("destinations.a.file", &raw, &Settings::of(&raw)).err().unwrap();
        assert!(refused.to_string().starts_with("destinations.a.file.path is "), "{refused}");
    }
}
