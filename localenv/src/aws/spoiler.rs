//! microburst in front of a service, AWS's or any other over HTTP: spoils requests and answers as it is told.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::fault::Rule;
use super::part::Part;
use super::{PROGRAMS, control};
use crate::ports::{self, Port};

/// See the head of the file; it ends with this value.
pub struct Spoiler {
    part: Part,
}

impl Spoiler {
    /// Starts it in front of `upstream` (`http://127.0.0.1:PORT`) and waits until it answers; its log goes to `folder`. Blocks, about a second.
    ///
    /// # Errors
    /// It is not installed (the text says how to), or it does not answer.
    pub fn start(upstream: &str, folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let port = ports::reserve(1)?.pop().context("no port")?;
        let mut spoiler = Self::begin(upstream, port, folder)?;
        spoiler.wait()?;
        Ok(spoiler)
    }

    pub(super) fn begin(upstream: &str, port: Port, folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(PROGRAMS.path("python")?);
        let number = port.number().to_string();
        command.args(["-m", "microburst", "--host", "127.0.0.1", "--upstream", upstream, "--port", &number]);
        Ok(Self { part: Part::start("microburst", command, port, folder)? })
    }

    pub(super) fn wait(&mut self) -> anyhow::Result<()> {
        self.part.wait("/_microburst/health")
    }

    /// Where the faults are, for example `http://127.0.0.1:20123`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.part.endpoint()
    }

    /// From now on these rules hold, in this order, and no others.
    ///
    /// # Errors
    /// microburst refuses them or does not answer.
    pub fn spoil(&self, rules: &[Rule]) -> anyhow::Result<()> {
        let body = serde_json::Value::from_iter(rules.iter().map(Rule::json)).to_string();
        let (status, said) = control::request(self.part.address(), "POST", "/_microburst/rules", &body)?;
        ensure!(status == 200, "microburst refuses the rules with {status}: {said}");
        Ok(())
    }

    /// How often each of the rules has struck, in their order.
    ///
    /// # Errors
    /// microburst does not answer.
    pub fn struck(&self) -> anyhow::Result<Vec<u64>> {
        let (_, said) = control::request(self.part.address(), "GET", "/_microburst/rules", "")?;
        let rules: Vec<serde_json::Value> = serde_json::from_str(&said).context("microburst's rules")?;
        Ok(rules.iter().map(|rule| rule["fired_count"].as_u64().unwrap_or_default()).collect())
    }

    pub(super) fn pid(&self) -> u32 {
        self.part.pid()
    }
}
