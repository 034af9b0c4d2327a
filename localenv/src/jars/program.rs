//! Finds Java and Maven.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// Finds `name` in `$JAVA_HOME/bin` (Java only) or on the search path.
///
/// # Errors
/// It is in neither; the text says what to install.
pub fn find(name: &str) -> anyhow::Result<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = home.into_iter().collect();
    folders.extend(std::env::split_paths(&path));
    match folders.iter().map(|folder| folder.join(name)).find(|candidate| candidate.is_file()) {
        Some(program) => Ok(program),
        None => bail!(
            "`{name}` was not found, and real Kafka brokers need it: install openjdk-17-jre-headless and maven \
             (apt-get install openjdk-17-jre-headless maven), or use the embedded broker"
        ),
    }
}
