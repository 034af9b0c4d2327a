//! How Java is called.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::options::Speed;
use crate::jars::Jars;

/// Sixteen bytes (they read `comboio-localenv`) in the form that Kafka wants.
const CLUSTER_ID: &str = "Y29tYm9pby1sb2NhbGVudg";

/// What is done with an archive of loaded classes (class data sharing), which saves a third of the start time.
#[derive(Clone, Debug)]
enum Archive {
    None,
    Use(PathBuf),
    Record(PathBuf),
}

/// Java, its class path and its flags.
#[derive(Clone, Debug)]
pub struct Java {
    program: PathBuf,
    class_path: String,
    speed: Speed,
    archive: Archive,
}

impl Java {
    /// Without an archive.
    pub fn new(jars: &Jars, speed: Speed) -> anyhow::Result<Self> {
        let program = jars.java().to_owned();
        Ok(Self { program, class_path: jars.class_path()?, speed, archive: Archive::None })
    }

    /// Takes classes from `archive`, if there is one. The JVM ignores one that does not fit.
    pub fn with_archive(mut self, archive: Option<PathBuf>) -> Self {
        self.archive = archive.map_or(Archive::None, Archive::Use);
        self
    }

    /// Writes `archive` when a broker ends cleanly.
    pub fn recording(mut self, archive: PathBuf) -> Self {
        self.archive = Archive::Record(archive);
        self
    }

    /// Runs a broker.
    pub fn broker(&self, properties: &Path) -> Command {
        let mut command = self.virtual_machine();
        command.args(match self.speed {
            Speed::QuickStart => ["-Xms64m", "-Xmx384m"],
            Speed::Throughput => ["-Xms384m", "-Xmx512m"],
        });
        if let Archive::Record(path) = &self.archive {
            command.arg(flag("-XX:ArchiveClassesAtExit=", path));
        }
        command.args([
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
        ]);
        command.args(["-cp", &self.class_path, "kafka.Kafka"]).arg(properties);
        command
    }

    /// Prepares the data folder of a broker that has never run.
    pub fn formatter(&self, properties: &Path) -> Command {
        let mut command = self.virtual_machine();
        command.args(["-Xmx128m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", &self.class_path]);
        command.args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]).arg(properties);
        command
    }

    fn virtual_machine(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-XX:+UseSerialGC", "-XX:-UsePerfData"]);
        if self.speed == Speed::QuickStart {
            command.arg("-XX:TieredStopAtLevel=1");
        }
        if let Archive::Use(path) = &self.archive {
            command.arg(flag("-XX:SharedArchiveFile=", path));
        }
        command
    }
}

fn flag(name: &str, value: &Path) -> std::ffi::OsString {
    let mut flag = std::ffi::OsString::from(name);
    flag.push(value);
    flag
}
