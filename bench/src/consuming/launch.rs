//! How each rival is started, and what it says at its end.

use crate::consuming::no_op::Told;
use crate::consuming::rival::Rival;
use crate::consuming::settings::SettingsFiles;
use crate::figures::Run;
use crate::java;
use crate::meter::{self, Used};
use anyhow::{Context, Result, ensure};
use localenv::jars::Jars;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// librdkafka's own program, which the build made of its sources.
const PERFORMANCE: &str = env!("COMBOIO_BENCH_PERFORMANCE");
/// For one run, on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(300);

/// What all runs need.
pub struct Launcher<'a> {
    pub folder: &'a Path,
    pub topic: &'a str,
    pub settings: &'a SettingsFiles,
    pub jars: &'a Jars,
}

impl Launcher<'_> {
    /// Runs one rival once, in a group of its own that starts at the beginning of the topic.
    ///
    /// # Errors
    /// It cannot be started, fails, or took fewer records.
    pub fn run(&self, rival: Rival, run: u32, (round, records): (u32, u64)) -> Result<Run<Rival>> {
        let (group, log) = (format!("bench-{rival}-{run}"), self.folder.join(format!("consumer-{rival}-{run}.log")));
        let command = self.command(rival, &group, records)?;
        let used = meter::run(&format!("{rival} (run {run})"), command, &log, DEADLINE)?;
        let told = told(rival, &used).with_context(|| format!("{rival} said: {}", used.output))?;
        ensure!(told.records >= records, "{rival}: {} of {records} records came", told.records);
        let Used { cpu_seconds, peak_bytes, .. } = used;
        Ok(Run { rival, round, records: told.records, seconds: told.seconds, cpu_seconds, peak_bytes })
    }

    fn command(&self, rival: Rival, group: &str, records: u64) -> Result<Command> {
        match rival {
            Rival::C => Ok(self.c(group, records)),
            Rival::Java => self.java(group, records),
            Rival::NoOp | Rival::Unchecked | Rival::Collect => self.ours(rival, group, records),
        }
    }

    fn ours(&self, rival: Rival, group: &str, records: u64) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["rival", &rival.to_string(), "--group", group, "--records", &records.to_string()]);
        command.arg("--config").arg(&self.settings.ours);
        Ok(command)
    }

    /// The balanced consumer, one record a poll: batches of records (`-B`) are an API that we do not use.
    fn c(&self, group: &str, records: u64) -> Command {
        let mut command = Command::new(PERFORMANCE);
        command.args(["-G", group, "-t", self.topic, "-c", &records.to_string()]);
        command.arg("-X").arg(format!("file={}", self.settings.c.display()));
        command
    }

    fn java(&self, group: &str, records: u64) -> Result<Command> {
        let mut command = java::tool(self.jars, "ConsumerPerformance")?;
        let servers = std::fs::read_to_string(&self.settings.java)?;
        let servers = servers.lines().find_map(|line| line.strip_prefix("bootstrap.servers=")).unwrap_or_default();
        command.args(["--bootstrap-server", servers, "--topic", self.topic, "--group", group]);
        let fetch = self.settings.shared.iter().find(|(name, _)| name == "max.partition.fetch.bytes");
        command.args(["--fetch-size", fetch.map_or("1048576", |(_, bytes)| bytes)]);
        command.args(["--messages", &records.to_string(), "--timeout", "60000", "--consumer.config"]);
        command.arg(&self.settings.java);
        Ok(command)
    }
}

fn told(rival: Rival, used: &Used) -> Result<Told> {
    match rival {
        Rival::C => c_told(&used.output).context("no closing line"),
        Rival::Java => java_told(&used.output).context("no closing line"),
        Rival::NoOp | Rival::Unchecked | Rival::Collect => {
            Ok(serde_json::from_str(used.output.lines().last().unwrap_or_default())?)
        }
    }
}

/// `% 6000000 messages (1140000000 bytes) consumed in 9000ms: 666666 msgs/s (126.67 MB/s)`; the time begins with the first message.
fn c_told(output: &str) -> Option<Told> {
    let line = output.lines().rfind(|line| line.contains(" consumed in "))?;
    let records = line.trim_start_matches(['%', ' ']).split_once(" messages")?.0.parse().ok()?;
    let millis: f64 = line.split_once(" consumed in ")?.1.split_once("ms")?.0.parse().ok()?;
    Some(Told { records, seconds: millis / 1_000.0 })
}

/// `start, end, MB, MB/s, records, records/s, rebalance ms, fetch ms, MB/s, records/s`; the fetch time begins with the assignment.
fn java_told(output: &str) -> Option<Told> {
    let line = output.lines().rfind(|line| line.split(", ").count() == 10 && line.starts_with(char::is_numeric))?;
    let fields: Vec<&str> = line.split(", ").map(str::trim).collect();
    let millis: f64 = fields.get(7)?.parse().ok()?;
    Some(Told { records: fields.get(4)?.parse().ok()?, seconds: millis / 1_000.0 })
}

#[cfg(test)]
mod tests {
    use super::{c_told, java_told};

    #[test]
    fn the_closing_line_of_rdkafka_performance_is_read() {
        let output = "% Group rebalanced (COOPERATIVE): 12 new partition(s) assigned\n% 100 messages (9 bytes) consumed in 1ms: 1 msgs/s (1.0 MB/s)\n% 6000000 messages (1140000000 bytes) consumed in 8000ms: 750000 msgs/s (142.5 MB/s)\n% Average application fetch latency: 0us\n";
        let told = c_told(output).unwrap();
        assert_eq!((told.records, told.seconds), (6_000_000, 8.0));
        assert_eq!(c_told("% Failed to create Kafka consumer"), None);
    }

    #[test]
    fn the_closing_line_of_consumer_performance_is_read() {
        let output = "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n2025-11-22 00:30:00:000, 2025-11-22 00:30:09:000, 1087.0, 120.0, 6000120, 666666.0, 3000, 6000, 181.0, 1000020.0\n";
        let told = java_told(output).unwrap();
        assert_eq!((told.records, told.seconds), (6_000_120, 6.0));
        assert_eq!(java_told("Exception in thread \"main\""), None);
    }
}
