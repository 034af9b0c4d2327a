//! Where things are: topics, binaries, files of one run.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// The topics that carry events, with their partition counts.
pub const TOPICS: [(&str, i32); 3] = [("mt-c400", 24), ("mt-c300", 8), ("mt-priority", 4)];
/// Partitions of each dead-letter topic.
pub const DEAD_LETTER_PARTITIONS: i32 = 2;
/// The consumer group of the demo; other stories than kill have one each, whose name begins so.
pub const GROUP: &str = "mt-c400-consumer-group";
/// The function that consumers invoke.
pub const FUNCTION: &str = "comboio-dispatcher";

/// The programs of one build, all in one folder.
#[derive(Debug, Clone)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Looks beside the running program, where cargo puts the others too.
    ///
    /// # Errors
    /// When a program is missing, with the command that builds it.
    pub fn beside_this_one() -> Result<Self> {
        let here = std::env::current_exe().context("this program's own path is not known")?;
        let beside = here.parent().context("this program has no folder")?;
        // Test programs stand one level deeper, in `deps`.
        let folder = if beside.ends_with("deps") { beside.parent().unwrap_or(beside) } else { beside };
        let binaries = Self { folder: folder.to_owned() };
        for name in ["comboio-producer", "comboio-consumer", "bootstrap", "comboio-hasty-consumer"] {
            if !binaries.path(name).is_file() {
                bail!("{name} is not in {}: build it with `cargo build --workspace --bins`", folder.display());
            }
        }
        Ok(binaries)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The files of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// Makes the folder, without what an earlier run left in it.
    ///
    /// # Errors
    /// When the folder cannot be made or emptied.
    pub fn create(root: &Path) -> Result<Self> {
        let root = std::path::absolute(root).with_context(|| format!("no path: {}", root.display()))?;
        let run = root.join("run");
        if run.exists() {
            std::fs::remove_dir_all(&run).with_context(|| format!("cannot empty {}", run.display()))?;
        }
        std::fs::create_dir_all(&run).with_context(|| format!("cannot create {}", run.display()))?;
        Ok(Self { root: run })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// The load profile of the demo, from the checkout that this program was built in.
pub fn profile() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadgen-profiles/demo.toml")
}
