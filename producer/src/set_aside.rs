//! The local file for what cannot go to Kafka: one JSON line per event or line, with the reason.
//!
//! *In*: bad lines, events without a route, dead letters whose topic does not take them. *Out*: a file, appended to.
//! *Never*: loses a byte of a value (what is no UTF-8 is written as hex); writes to a file that is no longer found under its name.

mod begun;
mod watch;

use crate::disk_pulse::DiskPulse;
use begun::Lost;
use runtime::clock::SharedClock;
use runtime::health::Beat;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use watch::Watch;

/// One line of the file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SetAside<'a> {
    /// When, ms since the epoch.
    pub at_ms: i64,
    pub class: &'a str,
    pub reason: &'a str,
    pub detail: &'a str,
    /// Where it should have gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_ms: Option<i64>,
    /// The file and line that it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    pub key: Bytes<'a>,
    pub value: Bytes<'a>,
    /// The record's headers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(&'a str, Bytes<'a>)>,
}

/// Bytes as text when they are text, else `{"hex":"ff00"}`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Hex {
            hex: String,
        }
        match std::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Hex { hex: self.0.iter().map(|byte| format!("{byte:02x}")).collect() }.serialize(serializer),
        }
    }
}

/// The file; opened when the first line comes, so that a good run leaves none behind.
pub struct SetAsideFile {
    path: PathBuf,
    open: Mutex<Open>,
    /// `None` when nobody asks.
    pulse: Option<DiskPulse>,
}

#[derive(Default)]
struct Open {
    file: Option<File>,
    /// Tells the log and the health how it fares; `None` when nobody asks.
    watch: Option<Watch>,
}

impl SetAsideFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path, open: Mutex::default(), pulse: None }
    }

    /// One that says in the log and by `beat` when it cannot be written, and when it can again.
    pub fn watched(path: PathBuf, beat: Beat, clock: SharedClock) -> Self {
        let (pulse, watch) = (DiskPulse::new("the disk of dead_letter.file", clock.clone()), Watch::new(beat, clock));
        Self { path, open: Mutex::new(Open { file: None, watch: Some(watch) }), pulse: Some(pulse) }
    }

    /// Whether its disk answers.
    pub fn pulse(&self) -> Option<&DiskPulse> {
        self.pulse.as_ref()
    }

    /// Appends one line; it is with the operating system when this returns.
    ///
    /// # Errors
    /// The file cannot be opened or written; the caller must count what is in no place now.
    pub fn write(&self, what: &SetAside<'_>) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        let mut open = self.open();
        let written = self.during(|| self.opened(&mut open.file).and_then(|file| append(file, &line)));
        if let Some(watch) = &mut open.watch {
            watch.written(&self.path, written.as_ref().err(), line.len());
        }
        written
    }

    /// Tries a file that took no line once more, from time to time; called often.
    pub fn look(&self, now: Duration) {
        let mut open = self.open();
        let Some(bytes) = open.watch.as_mut().and_then(|watch| watch.trial(now)) else { return };
        if self.during(|| self.opened(&mut open.file).and_then(|file| trial(file, bytes))).is_ok()
            && let Some(watch) = &mut open.watch
        {
            watch.written(&self.path, None, bytes);
        }
    }

    /// Only who holds the lock asks, so that one at a time does.
    fn during<T>(&self, ask: impl FnOnce() -> T) -> T {
        match &self.pulse {
            Some(pulse) => pulse.during(ask),
            None => ask(),
        }
    }

    fn opened<'a>(&self, file: &'a mut Option<File>) -> std::io::Result<&'a mut File> {
        self.begin_anew(file)?;
        match file {
            Some(file) => Ok(file),
            None => {
                let fresh = begun::begin(&self.path)?;
                tracing::warn!(file = %self.path.display(), "events are set aside in a local file");
                Ok(file.insert(fresh))
            }
        }
    }

    /// A line in a file that nobody finds any more would be lost.
    fn begin_anew(&self, file: &mut Option<File>) -> std::io::Result<()> {
        let Some(open) = file else { return Ok(()) };
        let Some(lost) = Lost::of(open, &self.path)? else { return Ok(()) };
        *open = begun::begin(&self.path)?;
        let (file, earlier_lines) = (self.path.display(), lost.lines());
        tracing::warn!(%file, earlier_lines, "the set-aside file was moved or removed: a new one is begun");
        Ok(())
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn path(&self) -> &std::path::Path {
        &self.path
    }
}

/// What can be made shorter again.
trait Shortened: Write {
    fn length(&self) -> std::io::Result<u64>;
    fn shorten(&mut self, length: u64) -> std::io::Result<()>;
}

impl Shortened for File {
    fn length(&self) -> std::io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn shorten(&mut self, length: u64) -> std::io::Result<()> {
        self.set_len(length)
    }
}

/// Writes so many bytes and takes them back: lines of that size fit again.
fn trial(file: &mut impl Shortened, bytes: usize) -> std::io::Result<()> {
    let before = file.length()?;
    append(file, &vec![b'\n'; bytes])?;
    file.shorten(before)
}

/// All of it or nothing: half a line would spoil the next one too.
fn append(file: &mut impl Shortened, line: &[u8]) -> std::io::Result<()> {
    let before = file.length()?;
    let written = file.write_all(line);
    if written.is_err() {
        // To give room back works on a full disk too; if it does not, the first reason is still the one to tell.
        let _ = file.shorten(before);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::{Bytes, SetAside, SetAsideFile, Shortened, append, trial};
    use runtime::clock::ManualClock;
    use runtime::health::Health;
    use std::io::Write;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn lines_are_appended_and_every_byte_survives() {
        let dir = tempfile::tempdir().unwrap();
        let file = SetAsideFile::new(dir.path().join("aside.ndjson"));
        assert!(!file.path().exists());
        for value in [&b"{\"a\":1}"[..], &b"\xff\x00"[..]] {
            // As two runs would: the second keeps what the first wrote.
            let file = SetAsideFile::new(file.path().into());
            let what = SetAside { class: "rejected", reason: "schema", value: Bytes(value), ..SetAside::default() };
            file.write(&what).unwrap();
        }
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["value"], "{\"a\":1}");
        assert_eq!(lines[1]["value"]["hex"], "ff00");
    }

    /// Takes so many bytes, and then no more.
    struct Full {
        bytes: Vec<u8>,
        room: usize,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let taken = bytes.len().min(self.room - self.bytes.len());
            self.bytes.extend_from_slice(&bytes[..taken]);
            if taken == 0 { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Shortened for Full {
        fn length(&self) -> std::io::Result<u64> {
            Ok(self.bytes.len() as u64)
        }

        fn shorten(&mut self, length: u64) -> std::io::Result<()> {
            self.bytes.truncate(length as usize);
            Ok(())
        }
    }

    #[test]
    fn half_a_line_is_taken_back() {
        let mut full = Full { bytes: Vec::new(), room: 8 };
        assert!(append(&mut full, b"{\"a\"}\n").is_ok());
        assert!(append(&mut full, b"{\"b\"}\n").is_err());
        assert!(trial(&mut full, 6).is_err() && trial(&mut full, 2).is_ok());
        assert_eq!(full.bytes, b"{\"a\"}\n");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_an_error() {
        let file = SetAsideFile::new("/nowhere/aside.ndjson".into());
        assert!(file.write(&SetAside::default()).is_err());
    }

    #[test]
    fn a_file_that_takes_no_line_fails_readiness_until_it_can_be_written() {
        let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::starting_at(0));
        let health = Health::new(Arc::new(clock.clone()));
        let beat = health.component("set-aside", Duration::from_secs(1));
        let path = dir.path().join("later/aside.ndjson");
        let file = SetAsideFile::watched(path.clone(), beat, Arc::new(clock.clone()));
        clock.advance(Duration::from_secs(60));
        assert!(health.ready().ok && health.live().ok, "without a line there is nothing to be seen");
        assert!(file.write(&SetAside::default()).is_err());
        let why = health.ready().wrong[0].why.clone();
        assert!(why.contains("later/aside.ndjson cannot be written: No such file"), "{why}");
        clock.advance(Duration::from_secs(5));
        file.look(Duration::from_secs(65));
        assert!(!health.ready().ok);
        std::fs::create_dir(dir.path().join("later")).unwrap();
        file.look(Duration::from_secs(66));
        assert!(!health.ready().ok, "not tried all the time");
        file.look(Duration::from_secs(70));
        assert!(health.ready().ok && std::fs::read(&path).unwrap().is_empty(), "a trial leaves nothing behind");
        assert!(file.write(&SetAside::default()).is_ok());
    }

    fn line(detail: &str) -> SetAside<'_> {
        SetAside { class: "rejected", reason: "schema", detail, ..SetAside::default() }
    }

    fn details(path: &std::path::Path) -> Vec<String> {
        let text = std::fs::read_to_string(path).unwrap();
        let detail =
            |line: &str| Some(serde_json::from_str::<serde_json::Value>(line).ok()?["detail"].as_str()?.into());
        text.lines().map(|line| detail(line).unwrap_or_else(|| format!("no line: {line}"))).collect()
    }

    #[test]
    fn a_file_that_is_removed_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let file = SetAsideFile::new(dir.path().join("aside.ndjson"));
        file.write(&line("a")).unwrap();
        std::fs::remove_file(file.path()).unwrap();
        file.write(&line("b")).unwrap();
        file.write(&line("c")).unwrap();
        assert_eq!(details(file.path()), ["b", "c"]);
    }

    #[test]
    fn a_file_that_is_renamed_keeps_its_lines_and_takes_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let (file, old) = (SetAsideFile::new(dir.path().join("aside.ndjson")), dir.path().join("aside.ndjson.1"));
        file.write(&line("a")).unwrap();
        std::fs::rename(file.path(), &old).unwrap();
        file.write(&line("b")).unwrap();
        // As logrotate's `create` does: another file stands there already.
        let (newer, older) = (file.path(), dir.path().join("aside.ndjson.2"));
        std::fs::rename(newer, &older).unwrap();
        std::fs::write(newer, "").unwrap();
        file.write(&line("c")).unwrap();
        assert_eq!([details(&old), details(&older), details(newer)], [["a"], ["b"], ["c"]]);
    }

    #[test]
    fn a_file_that_went_with_its_folder_is_an_error_until_the_folder_is_back() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, file) = (dir.path().join("a"), SetAsideFile::new(dir.path().join("a/aside.ndjson")));
        std::fs::create_dir(&folder).unwrap();
        file.write(&line("a")).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(file.write(&line("b")).is_err());
        std::fs::create_dir(&folder).unwrap();
        file.write(&line("c")).unwrap();
        assert_eq!(details(file.path()), ["c"]);
    }

    #[test]
    fn half_a_line_of_an_earlier_run_spoils_none_of_this_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aside.ndjson");
        for (before, found) in [("", &[][..]), ("{\"detail\":\"a\"}\n", &["a"]), ("{\"det", &["no line: {\"det"])] {
            std::fs::write(&path, before).unwrap();
            let file = SetAsideFile::new(path.clone());
            file.write(&line("b")).unwrap();
            file.write(&line("c")).unwrap();
            assert_eq!(details(&path), [found, &["b", "c"]].concat());
        }
    }
}
