//! The file under the spool: made in one piece, known again, and what to do when it cannot be used.

use redb::{Database, DatabaseError, Error, StorageError};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Pages kept in memory; events are written once and read once.
const CACHE: usize = 16 * 1024 * 1024;

pub(super) const ROOM_AND_RIGHTS: &str = "check free space and rights";

/// Device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

/// Which file lies there, if one does.
pub(super) fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|found| Identity(found.dev(), found.ino()))
}

/// Opens the database. One that is not there is made beside its place and then put there, so that a file in that place is
/// always whole, and an empty one a damage.
pub(super) fn open(path: &Path) -> Result<Database, DatabaseError> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    match fs::metadata(path) {
        Ok(found) if found.len() == 0 => Err(StorageError::Corrupted("the file is empty".to_owned()).into()),
        Ok(_) => builder.create(path),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let (folder, beside) = (path.parent().unwrap_or(Path::new(".")), path.with_extension("new"));
            fs::create_dir_all(folder)?;
            match fs::remove_file(&beside) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            let database = builder.create(&beside)?;
            fs::rename(&beside, path)?;
            File::open(folder)?.sync_all()?;
            Ok(database)
        }
        Err(error) => Err(error.into()),
    }
}

/// The next step for whoever reads of the error.
pub(super) fn advice(error: &Error) -> &'static str {
    match error {
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => "check that no other producer uses it",
        Error::Corrupted(_) | Error::UpgradeRequired(_) | Error::RepairAborted | Error::TableTypeMismatch { .. } => {
            DAMAGED
        }
        Error::Io(error) if error.kind() == ErrorKind::InvalidData => DAMAGED,
        _ => ROOM_AND_RIGHTS,
    }
}

const DAMAGED: &str = "it is damaged or no spool: move it away to start with an empty one, or put a sound copy there; what only it holds is not sent";
