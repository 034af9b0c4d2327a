//! What a command says on standard output: all of it, or a sentence why not.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::exit::Failure;

/// Writes `text` as it is. Whoever closes the pipe early (`| head`) has seen enough: that is no failure.
///
/// # Errors
/// Standard output cannot be written, for example because a disk is full.
pub fn say(text: impl Display) -> Result<(), Failure> {
    written(write(&mut io::stdout().lock(), text))
}

fn write(out: &mut impl Write, text: impl Display) -> io::Result<()> {
    write!(out, "{text}")?;
    out.flush()
}

fn written(done: io::Result<()>) -> Result<(), Failure> {
    match done {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full disk, or a closed pipe.
    struct Refusing(ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_a_failure_and_a_closed_pipe_is_none() {
        let said = |kind| written(write(&mut Refusing(kind), "text")).map_err(|failure| failure.to_string());
        assert_eq!(said(ErrorKind::BrokenPipe), Ok(()));
        assert!(said(ErrorKind::StorageFull).unwrap_err().starts_with("standard output cannot be written: "));
    }
}
