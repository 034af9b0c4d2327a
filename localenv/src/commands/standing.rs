//! What every subcommand does once it is up: says where, and stands until it is told to stop.

use anyhow::Context;
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// Prints the endpoint and, if asked to, writes it to a file at once, so that scripts can use port 0.
///
/// # Errors
/// When the file cannot be written.
pub fn announce(what: &str, endpoint: &str, file: Option<&Path>) -> anyhow::Result<()> {
    println!("{what} listens on {endpoint}");
    let Some(file) = file else { return Ok(()) };
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, endpoint)
        .and_then(|()| std::fs::rename(&fresh, file))
        .with_context(|| format!("address file {}", file.display()))
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// When signals cannot be listened to.
pub async fn until_stopped() -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate()).context("SIGTERM")?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("SIGINT"),
        _ = terminated.recv() => Ok(()),
    }
}
