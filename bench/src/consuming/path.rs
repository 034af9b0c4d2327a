//! The whole consumer, `comboio-consumer run`, against the stand-in.

use crate::consuming::flow::seen;
use crate::consuming::flow_figures::{Path as Figures, Seen};
use crate::consuming::stand_in::StandIn;
use crate::meter;
use anyhow::{Context, Result, ensure};
use localenv::process::Guarded;
use runtime::clock;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// After the first answer, until it counts: its connections are made, its pages touched.
const SETTLE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(40);
/// Milliseconds that the function takes, and the lanes of a partition that carry as many records a second then.
const SHORT: (u64, u32) = (20, 1);
const LONG: (u64, u32) = (100, 5);

/// A consumer and the stand-in that it calls.
pub struct Whole {
    process: Guarded,
    stand_in: StandIn,
}

impl Whole {
    /// Starts both; the consumer is alone in `group`, with so many lanes a partition.
    ///
    /// # Errors
    /// A program is missing, or there is no port.
    pub fn start(config: &Path, group: &str, latency: Duration, lanes: u32) -> Result<Self> {
        let stand_in = StandIn::start(latency)?;
        let mut command = Command::new(meter::beside("comboio-consumer")?);
        command.arg("run").arg("--config").arg(config).env("COMBOIO_CONSUMER__GROUP", group);
        // No measurement may ask anybody but this machine.
        command.env("COMBOIO_FUNCTION__ENDPOINT_URL", stand_in.endpoint()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("COMBOIO_CONSUMER__LANES", lanes.to_string());
        let log = config.with_file_name(format!("{group}.log"));
        let process = Guarded::spawn(group, command, &log)?;
        Ok(Self { process, stand_in })
    }

    /// Waits for the first answer, and a little longer.
    ///
    /// # Errors
    /// The consumer ends, or gets no record in time.
    pub fn settle(&mut self) -> Result<()> {
        let clock = clock::system();
        let start = clock.now();
        while self.stand_in.tally.answered().calls == 0 {
            ensure!(clock.now() - start < PATIENCE, "no call came:\n{}", self.process.log_tail(8));
            self.pause(LOOK)?;
        }
        self.pause(SETTLE)
    }

    /// Looks at it for so long.
    ///
    /// # Errors
    /// The consumer ends.
    pub fn watch(&mut self, span: Duration) -> Result<Seen> {
        let (clock, pid) = (clock::system(), self.process.pid());
        let cpu = || meter::cpu_seconds(pid).context("the consumer has ended");
        let (before, cpu_before, from) = (self.stand_in.tally.answered(), cpu()?, clock.now());
        self.pause(span)?;
        let (after, cpu_after, until) = (self.stand_in.tally.answered(), cpu()?, clock.now());
        Ok(seen(&before, &after, (until - from).as_secs_f64(), cpu_after - cpu_before))
    }

    /// Ends it as an operator does; its highest resident memory.
    ///
    /// # Errors
    /// It does not end well.
    pub fn end(mut self) -> Result<u64> {
        let peak = meter::memory(self.process.pid(), "VmHWM:").context("the consumer has ended")?;
        let status = self.process.stop(GRACE)?;
        ensure!(status.success(), "the consumer ended with {status}:\n{}", self.process.log_tail(8));
        Ok(peak)
    }

    fn pause(&mut self, span: Duration) -> Result<()> {
        match self.process.wait_exit(span)? {
            None => Ok(()),
            Some(status) => anyhow::bail!("the consumer ended with {status}:\n{}", self.process.log_tail(8)),
        }
    }
}

/// CPU and throughput over a backlog.
///
/// # Errors
/// The consumer fails.
pub fn run(config: &Path, (latency_ms, lanes): (u64, u32), seconds: u64) -> Result<Figures> {
    let group = format!("bench-path-{latency_ms}");
    let mut whole = Whole::start(config, &group, Duration::from_millis(latency_ms), lanes)?;
    whole.settle()?;
    let seen = whole.watch(Duration::from_secs(seconds))?;
    Ok(Figures { latency_ms, lanes, seen, peak_bytes: whole.end()? })
}

/// At 20 and at 100 ms, with as many records a second: five times as many calls wait then.
///
/// # Errors
/// The consumer fails.
pub fn runs(config: &Path, seconds: u64) -> Result<Vec<Figures>> {
    [SHORT, LONG].into_iter().map(|how| run(config, how, seconds)).collect()
}
