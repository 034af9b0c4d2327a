//! Programs that play a Lambda function: the real dispatcher, and one that ends while it has an event.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The dispatcher, built with everything else.
pub fn bootstrap() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("bootstrap");
    assert!(path.is_file(), "{} is missing: cargo build --workspace --bins", path.display());
    path
}

/// Takes its first event from the Runtime API and ends, as a function does that crashes: `END` says how.
const CRASHES: &str = r#"#!/bin/bash
exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}"
printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: runtime\r\n\r\n' >&3
read -r -n 1 <&3
eval "$END"
"#;

/// Writes the program that crashes.
pub fn crashes(folder: &Path) -> PathBuf {
    let path = folder.join("crashes");
    std::fs::write(&path, CRASHES).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}
