//! Finds the programs that `ci/setup` installs into the cache as Python packages, in the versions that this source names.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::jars::cache_folder;

/// Programs that are installed together.
#[derive(Debug, Clone, Copy)]
pub struct Programs {
    /// As `ci/setup` calls them, for example `aws`.
    pub name: &'static str,
    /// What they are, with an article: the beginning of a sentence.
    pub title: &'static str,
    /// The list's text; `ci/setup` installs what stands there, and puts a copy beside it when all is done.
    pub list: &'static str,
    /// Where the list stands in the checkout.
    pub list_path: &'static str,
    /// Its package whose version names the folder.
    pub first: &'static str,
}

impl Programs {
    /// The path of one of them.
    ///
    /// # Errors
    /// They are not installed, or not in these versions; the text says what to run.
    pub fn path(&self, program: &str) -> anyhow::Result<PathBuf> {
        let Self { name, title, list, list_path, first } = self;
        let version = |line: &'static str| line.strip_prefix(first)?.strip_prefix("==");
        let version = list.lines().find_map(version).with_context(|| format!("no {first} in {list_path}"))?;
        let folder = cache_folder()?.join(format!("{name}-{version}"));
        let there = fs::read_to_string(folder.join("requirements.txt")).unwrap_or_default();
        ensure!(
            there == *list,
            "{title} is not installed in {} (or not in the versions of {list_path}): run `ci/setup {name}`",
            folder.display()
        );
        Ok(folder.join("bin").join(program))
    }
}

#[cfg(test)]
mod tests {
    use super::Programs;

    #[test]
    fn what_is_not_installed_is_named_with_the_command_that_installs_it() {
        let list = "# Comment.\nother==2\nnothing==0.0.0\n";
        let programs =
            Programs { name: "nowhere", title: "nothing", list, list_path: "some/list.txt", first: "nothing" };
        let refused = programs.path("program").unwrap_err().to_string();
        assert!(refused.starts_with("nothing is not installed in "), "{refused}");
        assert!(refused.contains("nowhere-0.0.0 (or not in the versions of some/list.txt)"), "{refused}");
        assert!(refused.ends_with(": run `ci/setup nowhere`"), "{refused}");
    }
}
