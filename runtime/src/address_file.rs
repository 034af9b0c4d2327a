//! The file that tells a bound address, for whoever must find port 0.

use crate::config::{ConfigError, Settings};
use crate::output_file;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A file with `127.0.0.1:41234` in it; dropping this removes it, unless another process has written it since.
#[derive(Debug)]
pub struct AddressFile {
    file: PathBuf,
    text: String,
}

/// The file that the setting `key` names; `None` when it names none.
///
/// # Errors
/// No file can be there: it is a device, a pipe or a folder, or its folder does not exist.
pub fn named(settings: &Settings, key: &str, path: &str) -> Result<Option<PathBuf>, ConfigError> {
    let path = Some(PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty());
    if let Some(Err(error)) = path.as_deref().map(output_file::regular) {
        return Err(settings.refuse(key, format!("allowed is a file in a folder that exists: {error}")));
    }
    Ok(path)
}

impl AddressFile {
    /// Writes the address; a reader sees the whole text or nothing.
    ///
    /// # Errors
    /// The file cannot be written, or is none: a device, a pipe, a folder.
    pub fn write(path: &Path, address: SocketAddr) -> io::Result<Self> {
        // Dropping this removes it: a device must never stand here.
        let file = output_file::regular(path)?;
        let text = format!("{address}\n");
        output_file::replace(&file, |out| out.write_all(text.as_bytes()))?;
        Ok(Self { file, text })
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        if fs::read_to_string(&self.file).is_ok_and(|text| text == self.text) {
            // It may be gone already.
            let _ = fs::remove_file(&self.file);
        }
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
        let other = AddressFile::write(&path, "127.0.0.1:41235".parse().unwrap()).unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "127.0.0.1:41235\n", "another's stays");
        drop(other);
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
        assert!(AddressFile::write(Path::new("/nowhere/address"), "127.0.0.1:1".parse().unwrap()).is_err());
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(AddressFile::write(&path, "127.0.0.1:1".parse().unwrap()).is_err() && path.is_symlink());
    }
}
