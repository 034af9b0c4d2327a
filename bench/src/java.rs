//! How Kafka's own tools are called, and the one file in which Java wants key and certificate.

use crate::properties::{key_store, put};
use anyhow::{Context, Result};
use localenv::authority::Identity;
use localenv::jars::Jars;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What Kafka's own start script gives to its performance tools, but twice the heap: a producer's buffer is as large as our queue, and
/// half a GiB is not enough for both.
const JVM: [&str; 6] = [
    "-Xmx1g",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
];

/// A tool of `org.apache.kafka.tools`, without its arguments.
///
/// # Errors
/// The jars cannot be listed.
pub fn tool(jars: &Jars, name: &str) -> Result<Command> {
    let mut command = Command::new(jars.java());
    command.args(JVM).args(["-cp", &jars.class_path()?, &format!("org.apache.kafka.tools.{name}")]);
    Ok(command)
}

/// Writes key and certificate into the one file that Java wants, see [`key_store`].
///
/// # Errors
/// A file cannot be read or written.
pub fn join(identity: &Identity) -> Result<()> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let both = read(&identity.key)? + &read(&identity.certificate)?;
    put(&key_store(identity), &both)
}
