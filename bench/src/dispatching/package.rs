//! One zip for AWS Lambda: how large it is, and what its `bootstrap` needs to run.

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A zip, and its `bootstrap` beside it in a folder of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Package {
    pub zip: PathBuf,
    pub zip_bytes: u64,
    pub bootstrap_bytes: u64,
    pub needs: Needs,
    #[serde(skip)]
    pub bootstrap: PathBuf,
}

/// What an ELF program says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// As AWS Lambda and cargo-lambda call it.
    pub architecture: &'static str,
    /// The newest glibc whose symbols it asks for: (2, 34) is 2.34.
    pub glibc: (u32, u32),
}

impl Package {
    /// Takes the zip apart into `folder`.
    ///
    /// # Errors
    /// It is no zip, holds no `bootstrap`, or that is no Linux program.
    pub fn open(zip: &Path, folder: &Path) -> Result<Self> {
        let zip_bytes = fs::metadata(zip).with_context(|| format!("no package {}", zip.display()))?.len();
        let unzip = Command::new("python3").args(["-m", "zipfile", "-e"]).arg(zip).arg(folder).output();
        let unzip = unzip.context("python3 takes packages apart, and cannot be started")?;
        let said = String::from_utf8_lossy(&unzip.stderr);
        ensure!(unzip.status.success(), "{}: {}", zip.display(), said.lines().last().unwrap_or("no zip"));
        let bootstrap = folder.join("bootstrap");
        let program = fs::read(&bootstrap).with_context(|| format!("{} holds no bootstrap", zip.display()))?;
        // Python's zipfile leaves the mode out.
        fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;
        let needs = Needs::of(&program).with_context(|| format!("the bootstrap of {}", zip.display()))?;
        Ok(Self { zip: zip.to_owned(), zip_bytes, bootstrap_bytes: program.len() as u64, needs, bootstrap })
    }

    /// Whether this machine can run it.
    pub fn runs_here(&self) -> bool {
        self.needs.architecture == Self::of_this_machine()
    }

    /// This machine's processor in the same words.
    pub fn of_this_machine() -> &'static str {
        if std::env::consts::ARCH == "aarch64" { "arm64" } else { std::env::consts::ARCH }
    }
}

impl Needs {
    /// Reads the head of the ELF file (e_machine, elf(5)) and looks through it for the versions of glibc's symbols.
    ///
    /// # Errors
    /// It is not ELF, or for another processor than Lambda's two.
    pub fn of(program: &[u8]) -> Result<Self> {
        ensure!(program.starts_with(b"\x7fELF"), "is no Linux program");
        let machine = program.get(18..20).map_or(0, |two| u16::from_le_bytes([two[0], two[1]]));
        let architecture = match machine {
            0x3e => "x86_64",
            0xb7 => "arm64",
            other => anyhow::bail!("is for processor {other:#x}, which Lambda does not have"),
        };
        const MARK: &[u8] = b"GLIBC_";
        let places = program.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
        let glibc = places.filter_map(|(place, _)| version(&program[place + MARK.len()..])).max().unwrap_or_default();
        Ok(Self { architecture, glibc })
    }
}

/// `2.34` at the beginning of `text`, up to a byte that belongs to no version.
fn version(text: &[u8]) -> Option<(u32, u32)> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
    let mut parts = std::str::from_utf8(&text[..end]).ok()?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Needs, Package};
    use std::process::Command;

    fn elf(machine: u16, rest: &[u8]) -> Vec<u8> {
        let mut program = b"\x7fELF\x02\x01\x01".to_vec();
        program.resize(18, 0);
        program.extend_from_slice(&machine.to_le_bytes());
        program.extend_from_slice(rest);
        program
    }

    #[test]
    fn the_newest_glibc_is_found() {
        let needs =
            Needs::of(&elf(0xb7, b"x\0GLIBC_2.17\0GLIBC_2.4\0GLIBC_PRIVATE\0GLIBC_2.34\0GLIBC_2.2.5\0")).unwrap();
        assert_eq!(needs, Needs { architecture: "arm64", glibc: (2, 34) });
        assert!(Needs::of(b"#!/bin/sh").is_err() && Needs::of(&elf(8, b"")).is_err());
    }

    #[test]
    fn a_zip_is_taken_apart() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("bootstrap.zip");
        let (inside, outside) = (folder.path().join("bootstrap"), folder.path().join("out"));
        std::fs::write(&inside, elf(0x3e, b"GLIBC_2.30\0")).unwrap();
        let zipped = Command::new("python3").args(["-m", "zipfile", "-c"]).arg(&zip).arg(&inside).status().unwrap();
        assert!(zipped.success());
        let package = Package::open(&zip, &outside).unwrap();
        assert_eq!((package.bootstrap_bytes, package.needs.glibc), (31, (2, 30)));
        assert_eq!(package.runs_here(), cfg!(target_arch = "x86_64"));
        std::fs::write(&zip, "no zip").unwrap();
        let refused = Package::open(&zip, &outside).unwrap_err().to_string();
        assert!(refused.ends_with("File is not a zip file"), "{refused}");
    }
}
