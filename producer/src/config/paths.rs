//! The files that a configuration names: none that is written is one that is read.

use super::{Overrides, Raw, SourceKind};
use crate::spool::Store;
use runtime::config::{ConfigError, Loaded};
use runtime::output_file::{Kept, place};
use std::path::{Path, PathBuf};

/// What a run reads, and what it writes by its configuration: nothing that the command line names may take its place.
pub fn kept(loaded: &Loaded<Raw>, overrides: &Overrides) -> Vec<Kept> {
    let written = written(&loaded.raw);
    let mut kept = read(loaded, overrides);
    kept.extend(written.iter().map(|(key, path)| Kept::file(key, path)));
    kept
}

/// Whether each file that the configuration has written is a file of its own.
pub(super) fn check(loaded: &Loaded<Raw>, overrides: &Overrides) -> Result<(), ConfigError> {
    let mut kept = read(loaded, overrides);
    for (key, path) in written(&loaded.raw) {
        let place = place(path);
        if let Some(kept) = kept.iter().find(|kept| kept.holds(&place)) {
            return Err(loaded.settings.refuse(key, format!("{kept}: name a file of its own")));
        }
        kept.push(Kept::file(key, path));
    }
    Ok(())
}

/// Files that the process makes, changes or removes; never empty paths.
fn written(raw: &Raw) -> Vec<(&'static str, &Path)> {
    let ingest = if raw.source.kind == SourceKind::Ingest { raw.ingest.address_file.as_str() } else { "" };
    let all = [
        ("dead_letter.file", raw.dead_letter.file.as_str()),
        ("admin.address_file", raw.admin.address_file.as_str()),
        ("ingest.address_file", ingest),
    ];
    all.into_iter().filter(|(_, path)| !path.is_empty()).map(|(key, path)| (key, Path::new(path))).collect()
}

/// What is there before the run and must be there afterwards.
fn read(loaded: &Loaded<Raw>, overrides: &Overrides) -> Vec<Kept> {
    let raw = &loaded.raw;
    let mut kept: Vec<Kept> =
        loaded.settings.file().map(|file| Kept::file("the configuration", file)).into_iter().collect();
    kept.extend(source(raw, overrides));
    kept.extend(
        files(raw).into_iter().filter(|(_, path)| is_local(path)).map(|(key, path)| Kept::file(key, Path::new(path))),
    );
    if !raw.spool.dir.is_empty() {
        let dir = Path::new(&raw.spool.dir);
        kept.extend([Kept::file("spool.dir", dir), Kept::file("the spool's file", &Store::file_in(dir))]);
    }
    kept
}

fn source(raw: &Raw, overrides: &Overrides) -> Option<Kept> {
    let (key, path) = match raw.source.kind {
        SourceKind::Generator => {
            ("source.profile", overrides.profile.clone().unwrap_or_else(|| PathBuf::from(&raw.source.profile)))
        }
        SourceKind::Replay => ("source.path", PathBuf::from(&raw.source.path)),
        SourceKind::Ingest => return None,
    };
    // A folder is replayed with all that lies in it.
    (!path.as_os_str().is_empty()).then(|| Kept::tree(key, &path))
}

fn files(raw: &Raw) -> [(&'static str, &str); 10] {
    let (kafka, ingest) = (&raw.kafka.tls, &raw.ingest.tls);
    [
        ("kafka.tls.ca", &kafka.ca),
        ("kafka.tls.certificate", &kafka.certificate),
        ("kafka.tls.key", &kafka.key),
        ("kafka.tls.bundle", &kafka.bundle),
        ("kafka.tls.bundle_password_file", &kafka.bundle_password_file),
        ("ingest.tls.certificate", &ingest.certificate),
        ("ingest.tls.key", &ingest.key),
        ("ingest.tls.client_ca", &ingest.client_ca),
        ("ingest.token_file", &raw.ingest.token_file),
        ("admin.token_file", &raw.admin.token_file),
    ]
}

/// No object on S3, and no text of a certificate where its path belongs.
fn is_local(path: &str) -> bool {
    !path.is_empty() && !path.contains("://") && !path.contains("-----BEGIN")
}
