//! Files that no output may take the place of, and the place that a path leads to.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::new_file;

/// A file that is read, or written by somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    name: String,
    path: PathBuf,
    place: PathBuf,
    with_contents: bool,
}

impl Kept {
    /// `name` is the setting that names it, or what people call it.
    pub fn file(name: &str, path: &Path) -> Self {
        Self { name: name.to_owned(), path: path.to_owned(), place: place(path), with_contents: false }
    }

    /// As [`Kept::file`]; when it is a folder, with all that lies in it.
    pub fn tree(name: &str, path: &Path) -> Self {
        Self { with_contents: true, ..Self::file(name, path) }
    }

    /// Whether an output at this place (as [`place`] gives it) would be in the way.
    pub fn holds(&self, output: &Path) -> bool {
        output == self.place || (self.with_contents && output.starts_with(&self.place))
    }
}

impl fmt::Display for Kept {
    /// `it is source.profile as well (load.toml)`, to be put into a sentence about the output.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.with_contents && self.place.is_dir() { "lies in" } else { "is" };
        write!(f, "it {how} {} as well ({})", self.name, self.path.display())
    }
}

/// Where `path` leads: absolute, with all links followed, whether there is anything or not.
pub fn place(path: &Path) -> PathBuf {
    if let Ok(found) = fs::canonicalize(path) {
        return found;
    }
    let path = new_file(path.to_owned()).unwrap_or_else(|_| path.to_owned());
    let path = std::path::absolute(&path).unwrap_or(path);
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => place(folder).join(name),
        _ => path,
    }
}
