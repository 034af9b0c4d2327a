//! Finds the Python that holds the emulators, in the versions that this source names.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::jars::cache_folder;

/// `ci/setup` installs what stands there, and puts a copy beside it when all is done.
const LIST: &str = include_str!("requirements.txt");

/// # Errors
/// They are not installed, or not in these versions; the text says what to run.
pub fn python() -> anyhow::Result<PathBuf> {
    let version = LIST.lines().find_map(|line| line.strip_prefix("ministack==")).context("no ministack in the list")?;
    let folder = cache_folder()?.join(format!("aws-{version}"));
    let there = fs::read_to_string(folder.join("requirements.txt")).unwrap_or_default();
    ensure!(
        there == LIST,
        "the emulator of AWS is not installed in {} (or not in the versions of localenv/src/aws/requirements.txt): run `ci/setup aws`",
        folder.display()
    );
    Ok(folder.join("bin/python"))
}
