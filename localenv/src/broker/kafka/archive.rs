//! An archive of the classes that a broker loads (class data sharing): made once per cache, it saves a third of each start.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use super::fleet;
use super::java::Java;
use super::node::{Node, Site};
use super::options::Speed;
use crate::authority::Authority;
use crate::jars::{Jars, Lock};

/// Another process that makes it needs one start and one stop of a broker.
const LOCK_DEADLINE: Duration = Duration::from_secs(180);

/// The archive that fits, made now if it is missing; `None` if that fails: brokers start without it, only later.
pub fn find(jars: &Jars) -> Option<PathBuf> {
    found_or_made(jars).inspect_err(|error| tracing::warn!(error = %format!("{error:#}"), "brokers start slowly")).ok()
}

fn found_or_made(jars: &Jars) -> anyhow::Result<PathBuf> {
    let path = jars.class_archive()?;
    if !path.is_file() {
        let _lock = Lock::take(&path.with_extension("jsa.lock"), LOCK_DEADLINE)?;
        if !path.is_file() {
            make(jars, &path).context("cannot make the class archive")?;
        }
    }
    Ok(path)
}

/// Runs a broker of its own until it is ready, and stops it cleanly: Java writes the archive as it ends.
fn make(jars: &Jars, path: &Path) -> anyhow::Result<()> {
    let parent = path.parent().context("the cache has no parent folder")?;
    let work = tempfile::Builder::new().prefix("recording-").tempdir_in(parent)?;
    let recorded = work.path().join("classes.jsa");
    let java = Java::new(jars, Speed::QuickStart)?.recording(recorded.clone());
    let authority = Authority::create(&work.path().join("certificates"))?;
    let mut nodes = [Node::new(1, work.path(), false)?];
    let site = Site::new(java, &authority, &nodes)?;
    fleet::start_new(&mut nodes, &site)?;
    nodes[0].stop()?;
    fs::rename(recorded, path).context("java wrote no archive")
}
