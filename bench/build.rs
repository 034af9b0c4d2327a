//! Builds the C rival: one program, linked to the very librdkafka that the rest of the workspace uses.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

const SOURCE: &str = "c/sender.c";
/// What librdkafka itself was linked with.
const LIBRARIES: [&str; 6] = ["-lssl", "-lcrypto", "-lz", "-lm", "-ldl", "-lpthread"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={SOURCE}");
    println!("cargo:rerun-if-env-changed=CC");
    let librdkafka = PathBuf::from(std::env::var("DEP_RDKAFKA_ROOT")?);
    let program = PathBuf::from(std::env::var("OUT_DIR")?).join("comboio-bench-sender");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    // As optimised as librdkafka is; its header alone would make warnings.
    let status = Command::new(&compiler)
        .args(["-O3", "-Wall", "-o"])
        .arg(&program)
        .arg("-isystem")
        .arg(librdkafka.join("include"))
        .arg(SOURCE)
        .arg(librdkafka.join("lib/librdkafka.a"))
        .args(LIBRARIES)
        .status()
        .map_err(|error| format!("{compiler} cannot be started: {error}"))?;
    if !status.success() {
        return Err(format!("{compiler} cannot build {SOURCE}").into());
    }
    println!("cargo:rustc-env=COMBOIO_BENCH_SENDER={}", program.display());
    Ok(())
}
