//! AWS on one machine: ministack plays the services, and microburst stands in front of it for those who shall meet faults.
//!
//! Both are Python programs that `ci/setup` installs; they listen on 127.0.0.1 only and end with this value.

mod control;
mod fault;
/// One program of the environment.
mod part;
/// What spoils answers.
mod spoiler;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::installed::Programs;
use crate::ports;
use part::Part;

pub use fault::{Fault, Rule};
pub use spoiler::Spoiler;

const PROGRAMS: Programs = Programs {
    name: "aws",
    title: "the emulator of AWS",
    list: include_str!("aws/requirements.txt"),
    list_path: "localenv/src/aws/requirements.txt",
    first: "ministack",
};

/// The emulator and what spoils its answers.
pub struct Aws {
    emulator: Part,
    faults: Spoiler,
}

impl Aws {
    /// Starts both and waits until they answer; their logs go to `folder`. Blocks, about a second.
    ///
    /// # Errors
    /// They are not installed (the text says how to), or they do not answer.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        Self::start_with(folder, &[])
    }

    /// The same, and every request needs a right: roles and their policies are enforced (signatures are not).
    ///
    /// # Errors
    /// See [`Aws::start`].
    pub fn guarded(folder: &Path) -> anyhow::Result<Self> {
        Self::start_with(folder, &[("AUTH", "true")])
    }

    fn start_with(folder: &Path, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let python = PROGRAMS.path("python")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut ports = ports::reserve(2)?.into_iter();
        let (first, second) = (ports.next().context("no port")?, ports.next().context("no port")?);

        let mut command = Command::new(&python);
        command.args(["-c", include_str!("aws/emulator.py")]);
        // Without the first of these it would listen on every interface.
        command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", first.number().to_string());
        command.env("TMPDIR", folder).env("HOME", folder).envs(variables.iter().copied());
        let emulator = Part::start("ministack", command, first, folder)?;

        let mut aws = Self { faults: Spoiler::begin(&emulator.endpoint(), second, folder)?, emulator };
        aws.emulator.wait("/_ministack/health")?;
        aws.faults.wait()?;
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

    /// See [`Spoiler::spoil`].
    ///
    /// # Errors
    /// microburst refuses the rules or does not answer.
    pub fn spoil(&self, rules: &[Rule]) -> anyhow::Result<()> {
        self.faults.spoil(rules)
    }

    /// See [`Spoiler::struck`].
    ///
    /// # Errors
    /// microburst does not answer.
    pub fn struck(&self) -> anyhow::Result<Vec<u64>> {
        self.faults.struck()
    }

    /// The processes, for measuring: emulator and faults.
    #[must_use]
    pub fn pids(&self) -> [u32; 2] {
        [self.emulator.pid(), self.faults.pid()]
    }
}
