//! AWS on one machine: ministack plays the services, and microburst stands in front of it for those who shall meet faults.
//!
//! Both are Python programs that `ci/setup` installs; they listen on 127.0.0.1 only and end with this value.

mod control;
mod fault;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::installed::Programs;
use crate::ports::{self, Port};
use crate::process::Guarded;

pub use fault::{Fault, Rule};

const PROGRAMS: Programs = Programs {
    name: "aws",
    title: "the emulator of AWS",
    list: include_str!("aws/requirements.txt"),
    list_path: "localenv/src/aws/requirements.txt",
    first: "ministack",
};

/// A slow machine imports Python modules for a while.
const START_DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);
const LINES_IN_ERRORS: usize = 15;

/// The emulator and what spoils its answers.
pub struct Aws {
    emulator: Part,
    faults: Part,
}

struct Part {
    process: Guarded,
    port: Port,
}

impl Aws {
    /// Starts both and waits until they answer; their logs go to `folder`. Blocks, about a second.
    ///
    /// # Errors
    /// They are not installed (the text says how to), or they do not answer.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        let python = PROGRAMS.path("python")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut ports = ports::reserve(2)?.into_iter();
        let (first, second) = (ports.next().context("no port")?, ports.next().context("no port")?);

        let mut command = Command::new(&python);
        command.args(["-c", include_str!("aws/emulator.py")]);
        // Without the first of these it would listen on every interface.
        command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", first.number().to_string());
        command.env("TMPDIR", folder).env("HOME", folder);
        let emulator = Part::start("ministack", command, first, folder)?;

        let mut command = Command::new(&python);
        let (upstream, port) = (emulator.endpoint(), second.number().to_string());
        command.args(["-m", "microburst", "--host", "127.0.0.1", "--upstream", &upstream, "--port", &port]);
        let faults = Part::start("microburst", command, second, folder)?;

        let mut aws = Self { emulator, faults };
        aws.emulator.wait("/_ministack/health")?;
        aws.faults.wait("/_microburst/health")?;
        Ok(aws)
    }

    /// Where all goes well, for example `http://127.0.0.1:20123`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.emulator.endpoint()
    }

    /// The same services, with the faults of [`Aws::spoil`].
    #[must_use]
    pub fn faulty_endpoint(&self) -> String {
        self.faults.endpoint()
    }

    /// From now on these rules hold, in this order, and no others.
    ///
    /// # Errors
    /// microburst refuses them or does not answer.
    pub fn spoil(&self, rules: &[Rule]) -> anyhow::Result<()> {
        let body = serde_json::Value::from_iter(rules.iter().map(Rule::json)).to_string();
        let (status, said) = control::request(self.faults.port.address(), "POST", "/_microburst/rules", &body)?;
        ensure!(status == 200, "microburst refuses the rules with {status}: {said}");
        Ok(())
    }

    /// How often each of the rules has struck, in their order.
    ///
    /// # Errors
    /// microburst does not answer.
    pub fn struck(&self) -> anyhow::Result<Vec<u64>> {
        let (_, said) = control::request(self.faults.port.address(), "GET", "/_microburst/rules", "")?;
        let rules: Vec<serde_json::Value> = serde_json::from_str(&said).context("microburst's rules")?;
        Ok(rules.iter().map(|rule| rule["fired_count"].as_u64().unwrap_or_default()).collect())
    }

    /// The processes, for measuring: emulator and faults.
    #[must_use]
    pub fn pids(&self) -> [u32; 2] {
        [self.emulator.process.pid(), self.faults.process.pid()]
    }
}

impl Part {
    fn start(name: &str, mut command: Command, port: Port, folder: &Path) -> anyhow::Result<Self> {
        command.env("PYTHONUNBUFFERED", "1").current_dir(folder);
        let process = Guarded::spawn(name, command, &folder.join(format!("{name}.log")))?;
        Ok(Self { process, port })
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.port.address())
    }

    fn wait(&mut self, path: &str) -> anyhow::Result<()> {
        let end = Instant::now() + START_DEADLINE;
        loop {
            if let Ok((200, _)) = control::request(self.port.address(), "GET", path, "") {
                return Ok(());
            }
            let (name, ended) = (self.process.name().to_owned(), self.process.exited()?);
            if ended.is_some() || Instant::now() > end {
                let how =
                    ended.map_or(format!("does not answer within {START_DEADLINE:?}"), |how| format!("ended ({how})"));
                bail!("{name} {how}; its last lines:\n{}", self.process.log_tail(LINES_IN_ERRORS));
            }
            thread::sleep(PAUSE);
        }
    }
}
