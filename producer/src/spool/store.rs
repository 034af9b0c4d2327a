//! The spool's file: an embedded database (redb) whose commits survive a kill and a power cut.

use super::file::{self, Identity};
use super::index::key_hash;
use super::{Schedule, Spooled};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use std::path::{Path, PathBuf};

const EVENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("events");
const SCHEDULE: TableDefinition<'_, (), &[u8]> = TableDefinition::new("schedule");
/// Empty but for a moment.
const TRIAL: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("trial");
const TRIAL_RECORD: usize = 256 << 10;
const FILE: &str = "spool.redb";

/// Why the spool cannot be used; each sentence follows the file's name.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("the spool {} cannot be used: {reason}: {advice}", file.display())]
    Disk { file: PathBuf, reason: String, advice: &'static str },
    #[error("an event in the spool cannot be read: {0}")]
    Unreadable(String),
}

/// Opens the database; again after an error.
pub type Opening = Box<dyn Fn() -> Result<Database, redb::DatabaseError> + Send>;

/// Events by number, in the order in which they came.
pub struct Store {
    /// As sentences name it.
    file: PathBuf,
    opening: Opening,
    /// `None` only after an error that even opening again did not mend.
    database: Option<Database>,
    /// Of the open file; `None` when there is no file behind it.
    identity: Option<Identity>,
    next_number: u64,
}

impl Store {
    pub fn open(folder: &Path) -> Result<Self, SpoolError> {
        let path = Self::file_in(folder);
        Self::of(path.clone(), Box::new(move || file::open(&path)))
    }

    /// The file of a spool in `folder`.
    pub fn file_in(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    /// A store on whatever `opening` opens; `file` is its name in sentences.
    pub fn of(file: PathBuf, opening: Opening) -> Result<Self, SpoolError> {
        let mut store = Self { file, opening, database: None, identity: None, next_number: 1 };
        store.reopen()?;
        Ok(store)
    }

    /// Opens the file anew.
    pub fn reopen(&mut self) -> Result<(), SpoolError> {
        if self.stay()? {
            return Ok(());
        }
        // The old handle holds the file's lock.
        self.database = None;
        self.database = Some((self.opening)().map_err(|error| self.disk(error))?);
        self.identity = file::identity(&self.file);
        self.next_number = self.prepare()?;
        Ok(())
    }

    /// A file that was removed while it was in use is written anew, for the open handle still has all of it; true when that was done.
    pub fn stay(&mut self) -> Result<bool, SpoolError> {
        let found = file::identity(&self.file);
        if self.identity.is_none() || self.database.is_none() || found == self.identity {
            return Ok(false);
        }
        if found.is_some() {
            let reason = "another file was put in its place".to_owned();
            let advice = "put that one elsewhere, and the spool is written anew with everything that is in it";
            return Err(SpoolError::Disk { file: self.file.clone(), reason, advice });
        }
        let fresh = (self.opening)().map_err(|error| self.disk(error))?;
        self.copy_to(&fresh)?;
        self.database = Some(fresh);
        self.identity = file::identity(&self.file);
        Ok(true)
    }

    fn copy_to(&self, fresh: &Database) -> Result<(), SpoolError> {
        let read = self.database()?.begin_read().map_err(|error| self.disk(error))?;
        let write = fresh.begin_write().map_err(|error| self.disk(error))?;
        {
            let mut table = write.open_table(EVENTS).map_err(|error| self.disk(error))?;
            let events = read.open_table(EVENTS).map_err(|error| self.disk(error))?;
            for entry in events.iter().map_err(|error| self.disk(error))? {
                let (number, bytes) = entry.map_err(|error| self.disk(error))?;
                table.insert(number.value(), bytes.value()).map_err(|error| self.disk(error))?;
            }
            let mut table = write.open_table(SCHEDULE).map_err(|error| self.disk(error))?;
            let schedule = read.open_table(SCHEDULE).map_err(|error| self.disk(error))?;
            if let Some(kept) = schedule.get(()).map_err(|error| self.disk(error))? {
                table.insert((), kept.value()).map_err(|error| self.disk(error))?;
            }
        }
        write.commit().map_err(|error| self.disk(error))
    }

    /// Makes the tables, which also shows that the disk takes writes; the first free number.
    fn prepare(&self) -> Result<u64, SpoolError> {
        let write = self.database()?.begin_write().map_err(|error| self.disk(error))?;
        let last = {
            write.open_table(SCHEDULE).map_err(|error| self.disk(error))?;
            let events = write.open_table(EVENTS).map_err(|error| self.disk(error))?;
            events.last().map_err(|error| self.disk(error))?.map_or(0, |(number, _)| number.value())
        };
        write.commit().map_err(|error| self.disk(error))?;
        Ok(self.next_number.max(last + 1))
    }

    /// Writes events behind the others; the number of the first, and the bytes that each takes.
    pub fn append(&mut self, events: &[Spooled]) -> Result<(u64, Vec<u64>), SpoolError> {
        let encoded = events.iter().map(Spooled::encode).collect::<Result<Vec<_>, _>>()?;
        let write = self.database()?.begin_write().map_err(|error| self.disk(error))?;
        {
            let mut table = write.open_table(EVENTS).map_err(|error| self.disk(error))?;
            for (number, bytes) in (self.next_number..).zip(&encoded) {
                table.insert(number, bytes.as_slice()).map_err(|error| self.disk(error))?;
            }
        }
        write.commit().map_err(|error| self.disk(error))?;
        let first = self.next_number;
        self.next_number += encoded.len() as u64;
        Ok((first, encoded.iter().map(|bytes| bytes.len() as u64).collect()))
    }

    /// Up to `most` events from number `from` on.
    pub fn read(&self, from: u64, most: usize) -> Result<Vec<(u64, Spooled)>, SpoolError> {
        let read = self.database()?.begin_read().map_err(|error| self.disk(error))?;
        let table = read.open_table(EVENTS).map_err(|error| self.disk(error))?;
        let range = table.range(from..).map_err(|error| self.disk(error))?;
        let event = |entry: Result<_, redb::StorageError>| {
            let (number, bytes): (redb::AccessGuard<'_, u64>, redb::AccessGuard<'_, &[u8]>) =
                entry.map_err(|error| self.disk(error))?;
            Ok((number.value(), Spooled::decode(bytes.value())?))
        };
        range.take(most).map(event).collect()
    }

    /// Shows every event with its number and size.
    pub fn each(&self, mut see: impl FnMut(u64, &Spooled, u64)) -> Result<(), SpoolError> {
        let read = self.database()?.begin_read().map_err(|error| self.disk(error))?;
        let table = read.open_table(EVENTS).map_err(|error| self.disk(error))?;
        for entry in table.iter().map_err(|error| self.disk(error))? {
            let (number, bytes) = entry.map_err(|error| self.disk(error))?;
            see(number.value(), &Spooled::decode(bytes.value())?, bytes.value().len() as u64);
        }
        Ok(())
    }

    /// Removes events; the number, the hash of the key and the size of each that was there.
    pub fn remove(&mut self, numbers: &[u64]) -> Result<Vec<(u64, u64, u64)>, SpoolError> {
        let write = self.database()?.begin_write().map_err(|error| self.disk(error))?;
        let mut removed = Vec::with_capacity(numbers.len());
        {
            let mut table = write.open_table(EVENTS).map_err(|error| self.disk(error))?;
            for number in numbers {
                if let Some(bytes) = table.remove(number).map_err(|error| self.disk(error))? {
                    let key = Spooled::decode(bytes.value())?.key;
                    removed.push((*number, key_hash(&key), bytes.value().len() as u64));
                }
            }
        }
        write.commit().map_err(|error| self.disk(error))?;
        Ok(removed)
    }

    pub fn schedule(&self) -> Result<Schedule, SpoolError> {
        let read = self.database()?.begin_read().map_err(|error| self.disk(error))?;
        let table = read.open_table(SCHEDULE).map_err(|error| self.disk(error))?;
        let kept = table.get(()).map_err(|error| self.disk(error))?;
        let decode = |bytes: redb::AccessGuard<'_, &[u8]>| postcard::from_bytes(bytes.value());
        let schedule = kept.map(decode).transpose();
        schedule.map(Option::unwrap_or_default).map_err(|error| SpoolError::Unreadable(error.to_string()))
    }

    pub fn keep_schedule(&mut self, schedule: &Schedule) -> Result<(), SpoolError> {
        let bytes = postcard::to_stdvec(schedule).map_err(|error| SpoolError::Unreadable(error.to_string()))?;
        let write = self.database()?.begin_write().map_err(|error| self.disk(error))?;
        write
            .open_table(SCHEDULE)
            .map_err(|error| self.disk(error))?
            .insert((), bytes.as_slice())
            .map_err(|error| self.disk(error))?;
        write.commit().map_err(|error| self.disk(error))
    }

    /// Writes so many bytes, and removes them.
    pub fn trial(&mut self, bytes: u64) -> Result<(), SpoolError> {
        let write = self.database()?.begin_write().map_err(|error| self.disk(error))?;
        {
            let mut table = write.open_table(TRIAL).map_err(|error| self.disk(error))?;
            let record = vec![0xa5; TRIAL_RECORD];
            for number in 0..bytes.div_ceil(TRIAL_RECORD as u64) {
                let rest = (bytes - number * TRIAL_RECORD as u64).min(TRIAL_RECORD as u64) as usize;
                table.insert(number, &record[..rest]).map_err(|error| self.disk(error))?;
            }
        }
        write.commit().map_err(|error| self.disk(error))?;
        let write = self.database()?.begin_write().map_err(|error| self.disk(error))?;
        write.delete_table(TRIAL).map_err(|error| self.disk(error))?;
        write.commit().map_err(|error| self.disk(error))
    }

    /// Gives the disk back what an empty spool does not need.
    pub fn shrink(&mut self) -> Result<(), SpoolError> {
        let Some(database) = self.database.as_mut() else { return Ok(()) };
        database.compact().map(drop).map_err(|error| self.disk(error))
    }

    fn database(&self) -> Result<&Database, SpoolError> {
        self.database.as_ref().ok_or_else(|| {
            let reason = "it is closed after an error".to_owned();
            SpoolError::Disk { file: self.file.clone(), reason, advice: file::ROOM_AND_RIGHTS }
        })
    }

    fn disk(&self, error: impl Into<redb::Error>) -> SpoolError {
        let error = error.into();
        SpoolError::Disk { file: self.file.clone(), reason: error.to_string(), advice: file::advice(&error) }
    }
}
