//! How each rival is started, and what it says at its end.

use crate::events::EventFiles;
use crate::figures::Run;
use crate::java;
use crate::meter::{self, Used};
use crate::producing::rival::Rival;
use crate::producing::send_stage::Told;
use crate::producing::settings::SettingsFiles;
use anyhow::{Context, Result, ensure};
use localenv::jars::Jars;
use producer::report::Report;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The C program that the build made.
pub const SENDER: &str = env!("COMBOIO_BENCH_SENDER");
/// Records of one call.
const BATCH: &str = "256";
/// For one run, on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(300);
/// What all runs need.
pub struct Launcher<'a> {
    pub folder: &'a Path,
    pub topic: &'a str,
    pub settings: &'a SettingsFiles,
    pub events: &'a EventFiles,
    pub jars: &'a Jars,
}

impl Launcher<'_> {
    /// Runs one rival once.
    ///
    /// # Errors
    /// It cannot be started, fails, or says that a record was not acknowledged.
    pub fn run(&self, rival: Rival, round: u32, records: u64) -> Result<Run<Rival>> {
        let file = |ending: &str| self.folder.join(format!("{rival}-{round}-{records}.{ending}"));
        let command = self.command(rival, records, &file("json"))?;
        let used = meter::run(&format!("{rival} (round {round})"), command, &file("log"), DEADLINE)?;
        let told = told(rival, &used, &file("json")).with_context(|| format!("{rival} said: {}", used.output))?;
        ensure!(told.acknowledged == records, "{rival}: {} of {records} records were acknowledged", told.acknowledged);
        let Used { cpu_seconds, peak_bytes, .. } = used;
        Ok(Run { rival, round, records, seconds: told.seconds, cpu_seconds, peak_bytes })
    }

    fn command(&self, rival: Rival, records: u64, report: &Path) -> Result<Command> {
        match rival {
            Rival::SendStage => self.ours(rival, &self.settings.ours, records),
            Rival::Plaintext => self.ours(rival, &self.settings.plaintext, records),
            Rival::Futures => self.ours(rival, &self.settings.ours, records),
            Rival::WholePath => self.whole_path(records, report),
            Rival::C => Ok(self.c(records)),
            Rival::CBatch => {
                let mut command = self.c(records);
                command.arg(BATCH);
                Ok(command)
            }
            Rival::Java => self.java(records),
        }
    }

    fn ours(&self, rival: Rival, config: &Path, records: u64) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["rival", &rival.to_string(), "--records", &records.to_string(), "--config"]).arg(config);
        command.arg("--values").arg(&self.events.values).arg("--keys").arg(&self.events.keys);
        Ok(command)
    }

    /// All events are due within a second, which is far too much: so they go out as fast as they can.
    fn whole_path(&self, records: u64, report: &Path) -> Result<Command> {
        let mut command = Command::new(producer()?);
        command.args(["run", "--rate", &records.to_string(), "--duration", "1s", "--config"]);
        command
            .arg(&self.settings.ours)
            .arg("--report")
            .arg(report)
            .arg("--ledger")
            .arg(report.with_extension("ledger"));
        Ok(command)
    }

    fn c(&self, records: u64) -> Command {
        let mut command = Command::new(SENDER);
        command.arg(&self.settings.c).arg(self.topic).arg(records.to_string());
        command.arg(&self.events.values).arg(&self.events.keys);
        command
    }

    fn java(&self, records: u64) -> Result<Command> {
        let mut command = java::tool(self.jars, "ProducerPerformance")?;
        command.args(["--topic", self.topic, "--num-records", &records.to_string(), "--throughput", "-1"]);
        command.arg("--payload-file").arg(&self.events.values).arg("--producer.config").arg(&self.settings.java);
        Ok(command)
    }
}

/// The producer's program, built beside ours.
///
/// # Errors
/// It is not there.
pub fn producer() -> Result<PathBuf> {
    meter::beside("comboio-producer")
}

fn told(rival: Rival, used: &Used, report: &Path) -> Result<Told> {
    match rival {
        Rival::WholePath => {
            let report: Report = serde_json::from_str(&std::fs::read_to_string(report)?)?;
            Ok(Told { acknowledged: report.acknowledged, seconds: report.acknowledged_seconds })
        }
        Rival::Java => java_told(&used.output).context("no closing line"),
        Rival::SendStage | Rival::C | Rival::CBatch | Rival::Futures | Rival::Plaintext => {
            Ok(serde_json::from_str(used.output.lines().last().unwrap_or_default())?)
        }
    }
}

/// `1000000 records sent, 398883.1 records/sec (76.08 MB/sec), ..., 3 ms 99.9th.`; an error of a record has a line of its own.
fn java_told(output: &str) -> Option<Told> {
    let line = output.lines().rfind(|line| line.contains(" records sent, ") && line.contains("99.9th"))?;
    let (records, rest) = line.split_once(" records sent, ")?;
    let rate: f64 = rest.split_once(" records/sec")?.0.trim().parse().ok()?;
    let failed = output.lines().filter(|line| line.contains("Exception")).count() as u64;
    let records: u64 = records.trim().parse().ok()?;
    Some(Told { acknowledged: records.saturating_sub(failed), seconds: records as f64 / rate.max(f64::MIN_POSITIVE) })
}

#[cfg(test)]
mod tests {
    use super::java_told;

    #[test]
    fn java_s_closing_line_is_read() {
        let line = "500000 records sent, 100000.0 records/sec (19.07 MB/sec), 2.1 ms avg latency, 9.0 ms max latency, 1 ms 50th, 2 ms 95th, 3 ms 99th, 4 ms 99.9th.";
        let told =
            java_told(&format!("something\n250 records sent, 50.0 records/sec (1 MB/sec), x\n{line}\n")).unwrap();
        assert_eq!((told.acknowledged, told.seconds), (500_000, 5.0));
        let told = java_told(&format!("org.apache.kafka.common.errors.TimeoutException: late\n{line}\n")).unwrap();
        assert_eq!(told.acknowledged, 499_999);
        assert_eq!(java_told("Exception in thread \"main\""), None);
    }
}
