//! Builds the C rivals, linked to the very librdkafka that the rest of the workspace uses: our own sender, and librdkafka's
//! rdkafka_performance from the sources that librdkafka itself was built of.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

const SENDER: &str = "c/sender.c";
/// What librdkafka itself was linked with.
const LIBRARIES: [&str; 6] = ["-lssl", "-lcrypto", "-lz", "-lm", "-ldl", "-lpthread"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={SENDER}");
    println!("cargo:rerun-if-env-changed=CC");
    let built = PathBuf::from(std::env::var("DEP_RDKAFKA_ROOT")?);
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    let sender = folder.join("comboio-bench-sender");
    compile(Path::new(SENDER), &[built.join("include")], (&built, &sender))?;
    println!("cargo:rustc-env=COMBOIO_BENCH_SENDER={}", sender.display());
    let sources = sources(&built)?;
    let performance = folder.join("comboio-bench-performance");
    // It uses headers of librdkafka's own, and one of them asks for `../config.h`, which CMake has made.
    let includes = [built.join("build/generated/dummy"), sources.join("src")];
    compile(&sources.join("examples/rdkafka_performance.c"), &includes, (&built, &performance))?;
    println!("cargo:rustc-env=COMBOIO_BENCH_PERFORMANCE={}", performance.display());
    Ok(())
}

/// The sources that librdkafka was built of, as CMake remembers them.
fn sources(built: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let cache = built.join("build/CMakeCache.txt");
    let text = std::fs::read_to_string(&cache).map_err(|error| format!("{}: {error}", cache.display()))?;
    let home = text.lines().find_map(|line| line.strip_prefix("CMAKE_HOME_DIRECTORY:INTERNAL="));
    Ok(home.ok_or_else(|| format!("{} does not name the sources", cache.display()))?.into())
}

/// As optimised as librdkafka is; its headers alone would make warnings.
fn compile(source: &Path, includes: &[PathBuf], (built, program): (&Path, &Path)) -> Result<(), Box<dyn Error>> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new(&compiler);
    command.args(["-O3", "-Wall", "-o"]).arg(program);
    for folder in includes {
        command.arg("-isystem").arg(folder);
    }
    let status = command
        .arg(source)
        .arg(built.join("lib/librdkafka.a"))
        .args(LIBRARIES)
        .status()
        .map_err(|error| format!("{compiler} cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{compiler} cannot build {}", source.display()).into()) }
}
