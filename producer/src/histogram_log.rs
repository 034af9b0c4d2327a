//! The histogram log of a run: one interval histogram a second, in HdrHistogram's log format, for its standard tools.
//!
//! *In*: the seconds that the answers hand over. *Out*: lines of a file, written by a thread of its own.
//! *Never*: makes an answer wait for the disk.

use crate::answers::Answers;
use crate::latency::Interval;
use crossbeam_channel::{Receiver, bounded};
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::IntervalLogWriterBuilder;
use runtime::output_file;
use std::fs::File;
use std::io::{self, LineWriter, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// So many seconds may wait for the disk.
const WAITING: usize = 8;

/// A log that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the histogram log {} cannot be written: {reason}", path.display())]
pub struct HistogramLogError {
    pub path: PathBuf,
    pub reason: String,
}

/// A file that is open and empty.
pub struct HistogramLog {
    path: PathBuf,
    file: File,
}

/// A log that is being written.
pub struct Writing {
    path: PathBuf,
    thread: JoinHandle<Result<(), String>>,
}

impl HistogramLog {
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: &Path) -> Result<Self, HistogramLogError> {
        let failed = |error: io::Error| HistogramLogError { path: path.to_owned(), reason: error.to_string() };
        Ok(Self { path: path.to_owned(), file: output_file::create(path).map_err(failed)? })
    }

    /// Takes the seconds of `answers` until they are taken out; the run started at `start_ms` since the epoch.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(self, start_ms: i64, answers: &Answers) -> Result<Writing, HistogramLogError> {
        let (log, intervals) = bounded(WAITING);
        let (path, file) = (self.path, self.file);
        let thread = std::thread::Builder::new()
            .name("histograms".into())
            .spawn(move || write(file, start_ms, &intervals))
            .map_err(|error| HistogramLogError { path: path.clone(), reason: error.to_string() })?;
        answers.log_latency(log);
        Ok(Writing { path, thread })
    }
}

impl Writing {
    /// Waits for the last line. The outcome of the answers must have been taken, else the log has no end.
    ///
    /// # Errors
    /// The file could not be written.
    pub fn finish(self) -> Result<(), HistogramLogError> {
        let ended = self.thread.join().unwrap_or_else(|_| Err("its thread ended with a panic".into()));
        ended.map_err(|reason| HistogramLogError { path: self.path, reason })
    }
}

fn write(file: File, start_ms: i64, intervals: &Receiver<Interval>) -> Result<(), String> {
    // Written line by line: a crash costs at most the second that runs.
    let (mut file, mut serializer) = (LineWriter::new(file), V2DeflateSerializer::new());
    let start = SystemTime::UNIX_EPOCH + Duration::from_millis(start_ms.max(0).unsigned_abs());
    let mut lines = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(
            "[Acknowledgement latency from the due time: values in microseconds, Interval_Max in milliseconds]",
        )
        .with_start_time(start)
        .with_base_time(start)
        .with_max_value_divisor(1_000.0)
        .begin_log_with(&mut file, &mut serializer)
        .map_err(|error| error.to_string())?;
    for Interval { start, length, histogram } in intervals {
        lines.write_histogram(&histogram, start, length, None).map_err(|error| error.to_string())?;
    }
    file.flush().map_err(|error| error.to_string())
}
