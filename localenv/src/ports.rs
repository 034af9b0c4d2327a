//! Free TCP ports of the loopback interface, kept for their owner.
//!
//! Kafka must be told its ports before it starts, so "0" is no choice there. The ports lie below the range from which
//! Linux takes ephemeral ones (32768 and up), so no outgoing connection can take them, and each is claimed by a locked
//! file, so tests that run in parallel (even in other processes) never get the same one.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port that nobody else gets from [`reserve`] while this value lives.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: File,
}

impl Port {
    /// The port number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

/// Reserves `count` ports on which nobody listens now.
///
/// # Errors
/// The folder of claims cannot be written, or no port is left.
pub fn reserve(count: usize) -> anyhow::Result<Vec<Port>> {
    let folder = claims_folder()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let start = RandomState::new().build_hasher().finish() % u64::from(COUNT);
    let start = u16::try_from(start).unwrap_or_default();
    let candidates = (0..COUNT).map(|step| FIRST + (start + step) % COUNT);
    let mut ports = Vec::with_capacity(count);
    for number in candidates {
        if ports.len() == count {
            break;
        }
        ports.extend(claim(&folder, number)?);
    }
    if ports.len() < count {
        bail!("no {count} free ports between {FIRST} and {}", FIRST + COUNT - 1);
    }
    Ok(ports)
}

fn claim(folder: &Path, number: u16) -> anyhow::Result<Option<Port>> {
    let path = folder.join(number.to_string());
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let claim = opened.with_context(|| format!("cannot open {}", path.display()))?;
    let free = claim.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok();
    Ok(free.then_some(Port { number, _claim: claim }))
}

/// One folder a user: files of another user could not be locked.
fn claims_folder() -> anyhow::Result<PathBuf> {
    let owner = fs::metadata("/proc/self").context("/proc is needed")?.uid();
    Ok(std::env::temp_dir().join(format!("comboio-ports-{owner}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_or_reserved_is_not_given_again() {
        let ports = reserve(3).unwrap();
        let folder = claims_folder().unwrap();
        for port in &ports {
            assert!(claim(&folder, port.number()).unwrap().is_none(), "reserved port given again");
        }
        let number = ports[0].number();
        let listener = TcpListener::bind(ports[0].address()).unwrap();
        drop(ports);
        assert!(claim(&folder, number).unwrap().is_none(), "port in use given away");
        drop(listener);
        assert!(claim(&folder, number).unwrap().is_some());
    }
}
