//! Apache Kafka's jars and the Java that runs them: from the cache folder, or fetched there once by Maven.

mod cache;
mod maven;
mod program;

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context;

pub use cache::{Lock, folder as cache_folder};

/// The newest release of Kafka 4.1.
pub const KAFKA_VERSION: &str = "4.1.2";

/// 54 MB on a slow line, or another process that is fetching them.
const FETCH_DEADLINE: Duration = Duration::from_secs(600);

/// A folder of jars and a Java to run them.
#[derive(Clone, Debug)]
pub struct Jars {
    folder: PathBuf,
    java: PathBuf,
}

impl Jars {
    /// Finds the jars in the cache (`$COMBOIO_CACHE`, else `$XDG_CACHE_HOME/comboio`, else `~/.cache/comboio`), or has
    /// Maven fetch them. Processes that do so at the same time wait for each other. Blocks, up to ten minutes.
    ///
    /// # Errors
    /// Java or Maven is missing, the cache cannot be written, or Maven fails.
    pub fn find() -> anyhow::Result<Self> {
        let java = program::find("java")?;
        let cache = cache::folder()?;
        let folder = cache.join(format!("kafka-{KAFKA_VERSION}"));
        if !folder.is_dir() {
            let _lock = Lock::take(&cache.join(format!("kafka-{KAFKA_VERSION}.lock")), FETCH_DEADLINE)?;
            if !folder.is_dir() {
                maven::fetch(&program::find("mvn")?, &folder, FETCH_DEADLINE)?;
            }
        }
        Ok(Self { folder, java })
    }

    /// The Java executable.
    #[must_use]
    pub fn java(&self) -> &Path {
        &self.java
    }

    /// All jars, in an order that is the same each time: a class archive is bound to it.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn class_path(&self) -> anyhow::Result<String> {
        let entries = std::fs::read_dir(&self.folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.with_context(|| format!("cannot read {}", self.folder.display()))?;
        let mut jars: Vec<String> = entries.iter().map(|entry| entry.path().display().to_string()).collect();
        jars.retain(|path| path.ends_with(".jar"));
        jars.sort();
        Ok(jars.join(":"))
    }

    /// Where an archive of loaded classes belongs that fits these jars and this Java.
    ///
    /// # Errors
    /// The Java executable has vanished.
    pub fn class_archive(&self) -> anyhow::Result<PathBuf> {
        let java = self.java.canonicalize()?;
        let about = java.metadata()?;
        let changed = about.modified()?.duration_since(UNIX_EPOCH)?.as_secs();
        Ok(self.folder.with_file_name(format!("kafka-{KAFKA_VERSION}-java-{changed:x}-{:x}.jsa", about.len())))
    }
}
