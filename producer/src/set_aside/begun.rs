//! The file as it is begun: at a new line, and anew when the one that is open has lost its name.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Opens it to append whole lines.
pub(super) fn begin(path: &Path) -> Result<File> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let found = file.metadata()?;
    if found.is_file() && found.len() > 0 && !ends_a_line(path).unwrap_or(false) {
        // A run that was killed left half a line; one that may not be read is taken for such: an empty line spoils nothing.
        file.write_all(b"\n")?;
    }
    Ok(file)
}

fn ends_a_line(path: &Path) -> Result<bool> {
    let (mut file, mut last) = (File::open(path)?, [0]);
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// What became of an open file that is no longer found under its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It has another name.
    Moved,
    /// It has none.
    Removed,
}

impl Lost {
    /// `None` when the file is where it was opened.
    ///
    /// # Errors
    /// That cannot be seen.
    pub(super) fn of(file: &File, path: &Path) -> Result<Option<Self>> {
        let open = file.metadata()?;
        match std::fs::metadata(path) {
            Ok(there) if (there.dev(), there.ino()) == (open.dev(), open.ino()) => return Ok(None),
            Err(error) if !is_gone(&error) => return Err(error),
            Ok(_) | Err(_) => {}
        }
        Ok(Some(if open.nlink() == 0 { Self::Removed } else { Self::Moved }))
    }

    /// What can be said about the lines in it.
    pub(super) fn lines(self) -> &'static str {
        match self {
            Self::Moved => "kept under the other name",
            Self::Removed => "not known to be kept: the file has no name any more",
        }
    }
}

fn is_gone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::{Lost, begin};

    #[test]
    fn a_file_that_was_moved_is_told_from_one_that_was_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("aside.ndjson"), dir.path().join("other"));
        let file = begin(&path).unwrap();
        assert_eq!(Lost::of(&file, &path).unwrap(), None);
        std::fs::rename(&path, &other).unwrap();
        assert_eq!(Lost::of(&file, &path).unwrap(), Some(Lost::Moved));
        std::fs::write(&path, "").unwrap();
        assert_eq!(Lost::of(&file, &path).unwrap(), Some(Lost::Moved));
        std::fs::remove_file(&other).unwrap();
        assert_eq!(Lost::of(&file, &path).unwrap(), Some(Lost::Removed));
        assert_eq!(Lost::of(&file, &path.join("below")).unwrap(), Some(Lost::Removed));
    }
}
