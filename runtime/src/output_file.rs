//! A file that a run leaves behind: whole or not at all, and never in the place of a device, a pipe or a link.

mod kept;

pub use kept::{Kept, place};

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// Where an output goes in the end.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// Written beside it, then renamed. The links on the way are followed.
    File(PathBuf),
    /// Written to as it is: a character device, a pipe, or what standard output or standard error lead to.
    Stream,
}

/// How many links may lead to a file that does not exist yet.
const LINKS: usize = 16;

/// Looks whether `path` could be written, and changes nothing.
///
/// # Errors
/// A sentence for whoever named the path: it is a folder, a disk or a socket, or its folder does not exist.
pub fn check(path: &Path) -> Result<(), String> {
    target(path).map(drop).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// [`check`] for all outputs of a run, which must be different files and none of those that the run needs.
///
/// # Errors
/// As there, or the path that two outputs share, or the output that would take the place of something `kept`.
pub fn check_all(paths: &[&Path], kept: &[Kept]) -> Result<(), String> {
    let mut files = Vec::new();
    for path in paths {
        check(path)?;
        if regular(path).is_err() {
            continue;
        }
        let file = place(path);
        if let Some(kept) = kept.iter().find(|kept| kept.holds(&file)) {
            return Err(format!(
                "{} is named for an output, and {kept}: give the output a file of its own",
                path.display()
            ));
        }
        if files.contains(&file) {
            return Err(format!("{} is named for two outputs: give each a file of its own", path.display()));
        }
        files.push(file);
    }
    Ok(())
}

/// Writes an output: nobody ever sees half a file. A device or pipe gets it as it is written.
///
/// # Errors
/// As [`check`], nobody reads the pipe, or what the operating system says; a file that was there is as it was.
pub fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (target, file) = match target(path)? {
        Target::Stream => {
            let mut stream = BufWriter::new(stream(path)?);
            write(&mut stream)?;
            return stream.flush();
        }
        Target::File(target) => (beside(&target), target),
    };
    let written = File::create(&target).and_then(|created| {
        let mut created = BufWriter::new(created);
        write(&mut created)?;
        created.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&target, &file)
    });
    written.inspect_err(|_| {
        // Only half of it may be there; the reason is what counts.
        let _ = fs::remove_file(&target);
    })
}

/// Opens an output that is written bit by bit; a file is emptied.
///
/// # Errors
/// As [`replace`].
pub fn create(path: &Path) -> io::Result<File> {
    match target(path)? {
        Target::Stream => stream(path),
        Target::File(file) => File::create(file),
    }
}

/// The regular file, there already or not, that `path` leads to.
///
/// # Errors
/// As [`check`]; and for a device or a pipe.
pub fn regular(path: &Path) -> io::Result<PathBuf> {
    match target(path)? {
        Target::File(file) => Ok(file),
        Target::Stream => Err(refused("it is a device or a pipe, and a file is needed")),
    }
}

fn target(path: &Path) -> io::Result<Target> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return new_file(path.to_owned()).map(Target::File),
        Err(error) => return Err(error),
    };
    let kind = found.file_type();
    if kind.is_char_device() || kind.is_fifo() || is_standard(&found) {
        return Ok(Target::Stream);
    }
    if !kind.is_file() {
        return Err(refused(&format!("it is {}, name a file", described(kind))));
    }
    fs::canonicalize(path).map(Target::File)
}

/// A file that does not exist: at the end of the links that lead to it, in a folder that exists.
fn new_file(mut path: PathBuf) -> io::Result<PathBuf> {
    for _ in 0..LINKS {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let is_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if is_folder || path.file_name().is_none() || !folder.is_dir() {
            return Err(refused("name a file in a folder that exists"));
        }
        match fs::read_link(&path) {
            Ok(next) => path = folder.join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(refused("too many links lead to it"))
}

/// Replacing the file behind standard output would leave what was printed so far in a file without a name.
fn is_standard(found: &Metadata) -> bool {
    let same = |ours: &str| {
        fs::metadata(ours).is_ok_and(|standard| (standard.dev(), standard.ino()) == (found.dev(), found.ino()))
    };
    same("/proc/self/fd/1") || same("/proc/self/fd/2")
}

fn described(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_block_device() => "a disk",
        kind if kind.is_socket() => "a socket",
        _ => "no file",
    }
}

/// A pipe that nobody reads is an error, and not a wait without end.
fn stream(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new().append(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    let stream = opened.map_err(|error| match error.raw_os_error() {
        Some(code) if code == nix::errno::Errno::ENXIO as i32 => refused("nobody reads the pipe"),
        _ => error,
    })?;
    fcntl(&stream, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
    Ok(stream)
}

/// In the same folder, so that it can be renamed, and no other output's: `run.json` and `run.html` may be written at once.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn refused(sentence: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, sentence.to_owned())
}

#[cfg(test)]
mod tests;
