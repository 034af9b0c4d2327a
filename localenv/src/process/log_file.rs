//! The file that takes a child's output, and its last lines for error messages.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};

/// More than any error message should quote.
const TAIL_BYTES: u64 = 64 * 1024;

/// Sends `command`'s standard output and error to the end of `log`.
pub fn connect(command: &mut Command, log: &Path) -> io::Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let output = OpenOptions::new().create(true).append(true).open(log)?;
    command.stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output);
    Ok(())
}

/// The last `lines` lines of `log`; a log that cannot be read says so in place of its lines.
pub fn tail(log: &Path, lines: usize) -> String {
    let text = match end_of(log) {
        Ok(text) => text,
        Err(error) => return format!("({}: {error})", log.display()),
    };
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn end_of(log: &Path) -> io::Result<String> {
    let mut file = fs::File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
