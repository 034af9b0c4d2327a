//! Reads files within a time limit: a network file system that hangs must not hold up who looks at them again and again.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::Duration;

/// No file of a bundle is longer.
const MOST_BYTES: u64 = 4 << 20;
/// How long one file may take.
const WITHIN: Duration = Duration::from_secs(5);

/// Reads files, each on a thread of its own that is left behind when it hangs; never more than one.
#[derive(Debug, Default)]
pub(super) struct Files {
    hanging: Option<(PathBuf, Receiver<io::Result<Vec<u8>>>)>,
}

impl Files {
    /// All bytes of a file.
    ///
    /// # Errors
    /// It cannot be read, is no regular file, is too large, or takes longer than 5 s.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.read_within(path, WITHIN, regular)
    }

    fn read_within(
        &mut self,
        path: &Path,
        within: Duration,
        read: fn(&Path) -> io::Result<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        if let Some((hanging, ended)) = self.hanging.take()
            && matches!(ended.try_recv(), Err(TryRecvError::Empty))
        {
            let error = io::Error::other(format!("{} has been read for long, without an end", hanging.display()));
            self.hanging = Some((hanging, ended));
            return Err(error);
        }
        let (tell, told) = channel();
        let owned = path.to_owned();
        thread::Builder::new().name("certificate".to_owned()).spawn(move || {
            // Nobody listens any more when it was too late.
            let _ = tell.send(read(&owned));
        })?;
        match told.recv_timeout(within) {
            Ok(read) => read,
            Err(RecvTimeoutError::Timeout) => {
                self.hanging = Some((path.to_owned(), told));
                Err(io::Error::other(format!("it could not be read within {} s", within.as_secs_f32())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("reading it ended with a panic")),
        }
    }
}

/// To open a pipe would wait for somebody who writes to it.
fn regular(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other(format!("it is larger than {MOST_BYTES} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Files, regular};
    use std::fs::{self, File};
    use std::io::{self, Read, Write};
    use std::path::Path;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(20);

    fn pipe(path: &Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    fn any(path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn a_pipe_and_a_folder_are_refused_at_once_and_a_file_in_their_place_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let (path, mut files) = (dir.path().join("client.pem"), Files::default());
        pipe(&path);
        for place in [path.as_path(), dir.path()] {
            let refused = files.read_within(place, LONG, regular).unwrap_err().to_string();
            assert_eq!(refused, "it is no regular file");
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, "pem").unwrap();
        assert_eq!(files.read(&path).unwrap(), b"pem");
    }

    #[test]
    fn a_read_that_hangs_is_left_behind_and_does_not_hang_the_next_one_for_good() {
        let dir = tempfile::tempdir().unwrap();
        let (hangs, file, mut files) = (dir.path().join("hangs"), dir.path().join("file"), Files::default());
        pipe(&hangs);
        fs::write(&file, "pem").unwrap();
        let late = files.read_within(&hangs, Duration::from_millis(20), any).unwrap_err().to_string();
        assert!(late.contains("within 0.02 s"), "{late}");
        let still = files.read_within(&file, LONG, any).unwrap_err().to_string();
        assert!(still.contains("hangs has been read for long"), "{still}");
        // It ends once somebody writes.
        File::options().write(true).open(&hangs).unwrap().write_all(b"x").unwrap();
        let ended = std::time::Instant::now() + LONG;
        let read = std::iter::repeat_with(|| files.read_within(&file, LONG, any));
        let read = read.take_while(|_| std::time::Instant::now() < ended).find_map(Result::ok);
        assert_eq!(read.unwrap(), b"pem");
    }
}
