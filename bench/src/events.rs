//! The events that every rival sends, encoded before anybody is measured: one file of values, one of keys, line by line.

use anyhow::{Context, Result, ensure};
use domain::key::KeyStrategy;
use producer::chunk::{Chunk, Intent, Item, Room};
use producer::key;
use producer::profile::Profile;
use producer::source::{Generator, Run, Source};
use producer::ticket::Ticket;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many distinct events there are; a rival sends them in a circle. Far more than a batch holds, so that compression
/// never meets an event twice, and few enough that reading them is no part of the measurement.
pub const DISTINCT: usize = 100_000;

/// As many as the send stage gets at once from its own sources.
const CHUNK: Room = Room { events: 256, bytes: 256 * 1024 };

/// Where they are.
#[derive(Debug, Clone)]
pub struct EventFiles {
    pub values: PathBuf,
    pub keys: PathBuf,
}

/// The profile of the steady load, which is also the origin of these events.
pub fn profile() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadgen-profiles/steady-13k.toml")
}

/// Generates the events of the steady profile and writes them into `folder`.
///
/// # Errors
/// The profile or the folder cannot be used.
pub fn write(folder: &Path) -> Result<EventFiles> {
    let profile = Profile::load(&profile())?;
    let run = Run { id: "bench".into(), start_ms: 1_763_701_200_000 };
    let mut generator = Generator::new(&profile, run).map_err(anyhow::Error::msg)?;
    let (mut chunk, room) = (Chunk::default(), Room { events: DISTINCT, bytes: usize::MAX });
    generator.fill(profile.duration, room, &mut chunk)?;
    ensure!(chunk.len() == DISTINCT, "the profile makes only {} events", chunk.len());
    key::key(KeyStrategy::default(), &mut chunk);
    let files = EventFiles { values: folder.join("events.ndjson"), keys: folder.join("keys.txt") };
    for (path, text) in [(&files.values, lines(&chunk, |item| item.value)), (&files.keys, lines(&chunk, |item| item.key))]
    {
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(files)
}

fn lines(chunk: &Chunk, piece: fn(&Item) -> producer::chunk::Text) -> Vec<u8> {
    let mut text = Vec::new();
    for item in chunk.items() {
        text.extend_from_slice(chunk.text(piece(item)));
        text.push(b'\n');
    }
    text
}

/// Values and keys in memory.
#[derive(Debug, Default)]
pub struct Events {
    pub values: Vec<Vec<u8>>,
    pub keys: Vec<Vec<u8>>,
}

impl Events {
    /// # Errors
    /// A file cannot be read, or they do not belong together.
    pub fn read(files: &EventFiles) -> Result<Self> {
        let events = Self { values: read(&files.values)?, keys: read(&files.keys)? };
        ensure!(!events.values.is_empty() && events.values.len() == events.keys.len(), "as many keys as events");
        Ok(events)
    }

    /// The same as chunks that have passed route and key, with `ts` as event time (ms since the epoch); `series` and `seq`
    /// number them as a source would.
    pub fn chunks(&self, ts: i64) -> Vec<Chunk> {
        let all: Vec<_> = self.values.iter().zip(&self.keys).enumerate().collect();
        all.chunks(CHUNK.events).map(|events| chunk(events, ts)).collect()
    }
}

fn read(path: &Path) -> Result<Vec<Vec<u8>>> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
}

fn chunk(events: &[(usize, (&Vec<u8>, &Vec<u8>))], ts: i64) -> Chunk {
    let mut chunk = Chunk::default();
    for (number, (value, key)) in events {
        let value = chunk.write(|buffer| buffer.extend_from_slice(value));
        let key = chunk.write(|buffer| buffer.extend_from_slice(key));
        chunk.push(Item {
            due: Duration::ZERO,
            ts,
            codigo: 400,
            truck: key,
            value,
            series: *number as u32,
            seq: 1,
            invalid_id: None,
            ticket: Ticket::NONE,
            intent: Intent::Delivered,
            topic: 0,
            key,
        });
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::{DISTINCT, Events, write};

    #[test]
    fn every_event_is_distinct_and_has_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::read(&write(folder.path()).unwrap()).unwrap();
        assert_eq!(events.values.len(), DISTINCT);
        let distinct: std::collections::HashSet<_> = events.values.iter().collect();
        assert_eq!(distinct.len(), DISTINCT);
        let mean = events.values.iter().map(Vec::len).sum::<usize>() / DISTINCT;
        assert!((170..230).contains(&mean) && events.keys.iter().all(|key| key.len() == 16), "{mean} bytes");
        let chunks = events.chunks(7);
        let last = chunks.last().unwrap();
        let item = last.items().last().unwrap();
        assert_eq!(last.text(item.value), events.values.last().unwrap());
        assert_eq!(chunks.iter().map(|chunk| chunk.len()).sum::<usize>(), DISTINCT);
    }
}
