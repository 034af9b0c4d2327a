//! The file that tells a bound address, for whoever must find port 0.

use crate::output_file;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A file with `127.0.0.1:41234` in it; dropping this removes it.
#[derive(Debug)]
pub struct AddressFile(PathBuf);

impl AddressFile {
    /// Writes the address; a reader sees the whole text or nothing.
    ///
    /// # Errors
    /// The file cannot be written, or is none: a device, a pipe, a folder.
    pub fn write(path: &Path, address: SocketAddr) -> io::Result<Self> {
        // Dropping this removes it: a device must never stand here.
        let file = output_file::regular(path)?;
        output_file::replace(&file, |text| writeln!(text, "{address}"))?;
        Ok(Self(file))
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_the_address_as_long_as_it_lives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("address");
        let file = AddressFile::write(&path, "127.0.0.1:41234".parse().unwrap()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "127.0.0.1:41234\n");
        drop(file);
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
        assert!(AddressFile::write(Path::new("/nowhere/address"), "127.0.0.1:1".parse().unwrap()).is_err());
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(AddressFile::write(&path, "127.0.0.1:1".parse().unwrap()).is_err() && path.is_symlink());
    }
}
