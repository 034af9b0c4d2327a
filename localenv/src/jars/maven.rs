//! Has Maven resolve Kafka and copy its jars into a folder that appears only when complete.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::KAFKA_VERSION;
use crate::process::Guarded;

/// What Kafka's log calls (slf4j 1.7) are bound to. It needs no configuration file and starts faster than log4j.
const LOGGER: (&str, &str, &str) = ("org.slf4j", "slf4j-simple", "1.7.36");

/// Fetches the jars into `folder`, by way of a folder beside it.
///
/// # Errors
/// Maven fails or takes longer than `deadline`; its last lines are in the text.
pub fn fetch(mvn: &Path, folder: &Path, deadline: Duration) -> anyhow::Result<()> {
    let parent = folder.parent().context("the cache has no parent folder")?;
    let work = tempfile::Builder::new().prefix("fetching-").tempdir_in(parent)?;
    fs::write(work.path().join("pom.xml"), project())?;
    tracing::info!(version = KAFKA_VERSION, folder = %folder.display(), "fetching kafka with maven");
    let mut command = Command::new(mvn);
    command.args(["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"]).current_dir(work.path());
    let mut run = Guarded::spawn("maven", command, &work.path().join("log"))?;
    let status = run.wait_exit(deadline)?;
    if !status.is_some_and(|status| status.success()) {
        let ending = status.map_or_else(|| format!("did not end within {deadline:?}"), |status| status.to_string());
        bail!("maven could not fetch kafka {KAFKA_VERSION}: {ending}; its last lines:\n{}", run.log_tail(10));
    }
    fs::rename(work.path().join("jars"), folder).with_context(|| format!("cannot make {}", folder.display()))
}

fn project() -> String {
    let ours = ["kafka_2.13", "kafka-tools"].map(|artifact| ("org.apache.kafka", artifact, KAFKA_VERSION));
    let dependencies: String = ours.iter().chain([&LOGGER]).map(dependency).collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>comboio</groupId><artifactId>localenv-kafka</artifactId><version>1</version>\
         <dependencies>{dependencies}</dependencies></project>\n"
    )
}

fn dependency((group, artifact, version): &(&str, &str, &str)) -> String {
    format!(
        "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
    )
}
