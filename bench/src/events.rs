//! The events that every rival sends, encoded before anybody is measured: one file of values, one of keys, line by line.

use anyhow::{Context, Result, ensure};
use domain::key::KeyStrategy;
use producer::chunk::{Chunk, Intent, Item, Room};
use producer::key;
use producer::profile::Profile;
use producer::source::{Generator, Run, Source};
use producer::ticket::Ticket;
use std::fs;
use std::ops::Range;
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
    for (path, text) in
        [(&files.values, lines(&chunk, |item| item.value)), (&files.keys, lines(&chunk, |item| item.key))]
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
#[derive(Debug)]
pub struct Events {
    values: Lines,
    keys: Lines,
}

/// The lines of a file, in one piece.
#[derive(Debug)]
struct Lines {
    text: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Events {
    /// # Errors
    /// A file cannot be read, or they do not belong together.
    pub fn read(files: &EventFiles) -> Result<Self> {
        let events = Self { values: read(&files.values)?, keys: read(&files.keys)? };
        let same = events.values.places.len() == events.keys.places.len();
        ensure!(!events.is_empty() && same, "there must be as many keys as events");
        Ok(events)
    }

    pub fn len(&self) -> usize {
        self.values.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.places.is_empty()
    }

    /// Value and key of event `number`, which is below [`Events::len`].
    pub fn get(&self, number: usize) -> (&[u8], &[u8]) {
        (&self.values.text[self.values.places[number].clone()], &self.keys.text[self.keys.places[number].clone()])
    }

    /// The same as chunks that have passed route and key, with `ts` as event time (ms since the epoch); `series` and `seq`
    /// number them as a source would.
    pub fn chunks(&self, ts: i64) -> Vec<Chunk> {
        let starts = (0..self.len()).step_by(CHUNK.events);
        starts.map(|start| self.chunk(start..(start + CHUNK.events).min(self.len()), ts)).collect()
    }

    /// Some of the events as one chunk.
    pub fn chunk(&self, numbers: Range<usize>, ts: i64) -> Chunk {
        let mut chunk = Chunk::default();
        for number in numbers {
            let (value, key) = self.get(number);
            push((value, key), (number as u32, ts), &mut chunk);
        }
        chunk
    }
}

fn read(path: &Path) -> Result<Lines> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(end, _)| end);
    let mut start = 0;
    let places = ends.map(|end| std::mem::replace(&mut start, end + 1)..end).collect();
    Ok(Lines { text, places })
}

fn push((value, key): (&[u8], &[u8]), (series, ts): (u32, i64), chunk: &mut Chunk) {
    let value = chunk.write(|buffer| buffer.extend_from_slice(value));
    let key = chunk.write(|buffer| buffer.extend_from_slice(key));
    chunk.push(Item {
        due: Duration::ZERO,
        ts,
        codigo: 400,
        truck: key,
        value,
        series,
        seq: 1,
        invalid_id: None,
        ticket: Ticket::NONE,
        intent: Intent::Delivered,
        topic: 0,
        key,
    });
}

#[cfg(test)]
mod tests {
    use super::{DISTINCT, Events, write};

    #[test]
    fn every_event_is_distinct_and_has_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::read(&write(folder.path()).unwrap()).unwrap();
        assert_eq!(events.len(), DISTINCT);
        let all: Vec<_> = (0..DISTINCT).map(|number| events.get(number)).collect();
        let distinct: std::collections::HashSet<_> = all.iter().map(|(value, _)| value).collect();
        assert_eq!(distinct.len(), DISTINCT);
        let mean = all.iter().map(|(value, _)| value.len()).sum::<usize>() / DISTINCT;
        assert!((170..230).contains(&mean) && all.iter().all(|(_, key)| key.len() == 16), "{mean} bytes");
        let chunks = events.chunks(7);
        let last = chunks.last().unwrap();
        let item = last.items().last().unwrap();
        assert_eq!((last.text(item.value), last.text(item.key)), events.get(DISTINCT - 1));
        assert_eq!(chunks.iter().map(|chunk| chunk.len()).sum::<usize>(), DISTINCT);
    }
}
