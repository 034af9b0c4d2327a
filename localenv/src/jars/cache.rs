//! The folder that outlives a checkout, and locks in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

const POLL: Duration = Duration::from_millis(50);

/// `$COMBOIO_CACHE`, else `$XDG_CACHE_HOME/comboio`, else `~/.cache/comboio`; made if missing.
///
/// # Errors
/// None of the variables (nor `HOME`) is set, or the folder cannot be made.
pub fn folder() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("COMBOIO_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("comboio")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/comboio")))
        .context("no cache folder: set COMBOIO_CACHE")?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the cache folder {}", folder.display()))?;
    Ok(folder)
}

/// A lock between processes; it ends with this value, or with the process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock that `path` stands for, waiting at most `deadline`.
    ///
    /// # Errors
    /// The file cannot be opened, or another process keeps the lock for longer.
    pub fn take(path: &Path, deadline: Duration) -> anyhow::Result<Self> {
        let end = Instant::now() + deadline;
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        let file = opened.with_context(|| format!("cannot open {}", path.display()))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(POLL),
                Err(TryLockError::WouldBlock) => {
                    bail!("another process has held {} for {deadline:?}", path.display())
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", path.display()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_given_up_on_drop() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::take(&path, Duration::ZERO).unwrap();
        assert!(Lock::take(&path, Duration::ZERO).is_err());
        drop(first);
        Lock::take(&path, Duration::ZERO).unwrap();
    }
}
