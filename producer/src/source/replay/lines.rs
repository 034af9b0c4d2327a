//! Lines of several files, one after the other, each in bounded memory.

use super::super::BadLine;
use super::ReplayError;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The longest line that is taken as an event.
const LONGEST: usize = 1 << 20;
/// Some editors begin a file with it; it belongs to no line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the next line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Read,
    TooLong,
    End,
}

pub(super) struct Lines {
    waiting: VecDeque<PathBuf>,
    open: Option<BufReader<File>>,
    path: PathBuf,
    number: u64,
    buffer: Vec<u8>,
}

/// The files that `path` means: itself, or the `*.ndjson` files of a directory in the order of their names.
///
/// # Errors
/// Nothing there, not readable, or a directory without such a file.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let refused = |reason: String| ReplayError { path: path.to_owned(), reason };
    let unreadable = |error: std::io::Error| refused(format!("cannot be read: {error}"));
    if !path.is_dir() {
        return File::open(path).map(|_| vec![path.to_owned()]).map_err(unreadable);
    }
    let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
    let is_ndjson = |path: &PathBuf| path.extension().is_some_and(|end| end == "ndjson") && path.is_file();
    let mut files: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).filter(is_ndjson).collect();
    files.sort();
    if files.is_empty() {
        return Err(refused("the directory holds no *.ndjson file".into()));
    }
    Ok(files)
}

pub(super) fn too_long() -> String {
    format!("longer than {LONGEST} bytes")
}

impl Lines {
    pub(super) fn new(files: Vec<PathBuf>) -> Self {
        Self { waiting: files.into(), open: None, path: PathBuf::new(), number: 0, buffer: Vec::new() }
    }

    /// Goes on to the next line that is not empty.
    pub(super) fn next(&mut self) -> Result<Line, ReplayError> {
        loop {
            let Some(file) = &mut self.open else {
                match self.waiting.pop_front() {
                    Some(path) => self.start(path)?,
                    None => return Ok(Line::End),
                }
                continue;
            };
            let read = read_line(file, &mut self.buffer);
            let found = read.map_err(|error| ReplayError {
                path: self.path.clone(),
                reason: format!("cannot be read on after line {}: {error}", self.number),
            })?;
            match found {
                Line::End => self.open = None,
                Line::TooLong => {
                    self.number += 1;
                    return Ok(Line::TooLong);
                }
                Line::Read => {
                    self.number += 1;
                    if self.number == 1 && self.buffer.starts_with(BYTE_ORDER_MARK) {
                        self.buffer.drain(..BYTE_ORDER_MARK.len());
                    }
                    if !self.buffer.trim_ascii().is_empty() {
                        return Ok(Line::Read);
                    }
                }
            }
        }
    }

    fn start(&mut self, path: PathBuf) -> Result<(), ReplayError> {
        let file = File::open(&path)
            .map_err(|error| ReplayError { path: path.clone(), reason: format!("cannot be read: {error}") })?;
        self.open = Some(BufReader::with_capacity(256 * 1024, file));
        self.path = path;
        self.number = 0;
        Ok(())
    }

    /// The line without its end.
    pub(super) fn current(&self) -> &[u8] {
        &self.buffer
    }

    /// The current line as a bad one, with the first `kept` bytes of it.
    pub(super) fn bad(&self, reason: &'static str, detail: String, kept: usize) -> BadLine {
        let value = self.buffer.get(..kept).unwrap_or(&self.buffer).to_vec();
        BadLine { file: self.path.display().to_string(), line: self.number, reason, detail, value }
    }
}

/// Reads one line into `buffer`, without its end; of a line that is too long only its beginning.
fn read_line(file: &mut BufReader<File>, buffer: &mut Vec<u8>) -> std::io::Result<Line> {
    buffer.clear();
    let limit = LONGEST as u64 + 2;
    if file.by_ref().take(limit).read_until(b'\n', buffer)? == 0 {
        return Ok(Line::End);
    }
    let ended = buffer.last() == Some(&b'\n');
    if ended {
        buffer.pop();
        buffer.pop_if(|byte| *byte == b'\r');
    }
    if buffer.len() <= LONGEST {
        return Ok(Line::Read);
    }
    if !ended {
        skip_line(file)?;
    }
    buffer.truncate(LONGEST);
    Ok(Line::TooLong)
}

fn skip_line(file: &mut BufReader<File>) -> std::io::Result<()> {
    loop {
        let piece = file.fill_buf()?;
        let end = piece.iter().position(|byte| *byte == b'\n');
        let (length, done) = (end.map_or(piece.len(), |end| end + 1), end.is_some() || piece.is_empty());
        file.consume(length);
        if done {
            return Ok(());
        }
    }
}
