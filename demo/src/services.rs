//! The services as processes: start, readiness, status, kill, freeze, stop.

use crate::layout::RunFolder;
use anyhow::{Context, Result, bail};
use localenv::process::Guarded;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// One running service with an admin port.
pub struct Service {
    process: Guarded,
    address_file: PathBuf,
    http: reqwest::Client,
    frozen: bool,
}

const STATUS: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Service {
    /// Starts `program run --config <config> <more>`; its log is `<name>.log`. The configuration must name
    /// [`address_file`] as the file for the admin port's address.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(run: &RunFolder, name: &str, program: &Path, more: &[&str]) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("run").arg("--config").arg(run.file(&format!("{name}.toml"))).args(more);
        let process = Guarded::spawn(name, command, &run.file(&format!("{name}.log")))
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { process, address_file: address_file(run, name), http: http()?, frozen: false })
    }

    pub fn name(&self) -> &str {
        self.process.name()
    }

    /// Waits until /readyz says yes.
    ///
    /// # Errors
    /// When the process ends before or the deadline passes, with the end of its log.
    pub async fn wait_ready(&mut self, deadline: Duration) -> Result<()> {
        let until = Instant::now() + deadline;
        while !self.answers("/readyz").await {
            if let Some(status) = self.exited()? {
                bail!("{} ended with {status} before it was ready: {}", self.name(), self.process.log_tail(3));
            }
            if Instant::now() > until {
                bail!("{} was not ready within {deadline:?}: {}", self.name(), self.process.log_tail(3));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    async fn answers(&self, path: &str) -> bool {
        self.get(path).await.is_ok_and(|answer| answer.status().is_success())
    }

    /// What it says of itself; `None` while it does not answer, and at once while it is frozen.
    pub async fn status(&self) -> Option<Value> {
        if self.frozen {
            return None;
        }
        let answer = self.get("/status").await.ok()?;
        serde_json::from_slice(&answer.bytes().await.ok()?).ok()
    }

    async fn get(&self, path: &str) -> Result<reqwest::Response> {
        let address = std::fs::read_to_string(&self.address_file)?;
        Ok(self.http.get(format!("http://{}{path}", address.trim())).send().await?)
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.process.exited()?)
    }

    /// Sends `body` to a control of its admin port.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn put(&self, path: &str, body: &Value) -> Result<()> {
        let address = std::fs::read_to_string(&self.address_file)?;
        let request = self.http.put(format!("http://{}{path}", address.trim())).body(body.to_string());
        let answer = request.send().await.with_context(|| format!("{} does not answer {path}", self.name()))?;
        let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
        if !status.is_success() {
            bail!("{} refuses {path} {body} with {status}: {text}", self.name());
        }
        Ok(())
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// When the process cannot be signalled.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill().with_context(|| "cannot kill a consumer".to_owned())?;
        Ok(())
    }

    /// SIGSTOP: it keeps its connections and everything it holds, and does nothing.
    ///
    /// # Errors
    /// When the process cannot be signalled.
    pub fn freeze(&mut self) -> Result<()> {
        self.process.freeze().with_context(|| format!("cannot freeze {}", self.process.name()))?;
        self.frozen = true;
        Ok(())
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// When the process cannot be signalled.
    pub fn thaw(&mut self) -> Result<()> {
        self.process.thaw().with_context(|| format!("cannot thaw {}", self.process.name()))?;
        self.frozen = false;
        Ok(())
    }

    /// SIGTERM, without waiting for what follows; [`Self::ended`] does.
    ///
    /// # Errors
    /// When the process cannot be signalled.
    pub fn terminate(&self) -> Result<()> {
        self.process.terminate().with_context(|| format!("cannot stop {}", self.process.name()))
    }

    /// Waits until it has ended by itself with 0, for at most `grace`.
    ///
    /// # Errors
    /// Any other end, with the end of its log.
    pub async fn ended(mut self, grace: Duration) -> Result<()> {
        let until = Instant::now() + grace;
        loop {
            match self.exited()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    bail!("{} ended with {status} after SIGTERM: {}", self.name(), self.process.log_tail(3))
                }
                None if Instant::now() > until => {
                    bail!("{} runs {grace:?} after SIGTERM: {}", self.name(), self.process.log_tail(3));
                }
                None => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// The last lines of its log.
    pub fn log_tail(&self, lines: usize) -> String {
        self.process.log_tail(lines)
    }
}

/// Where a service of this name writes the address of its admin port.
pub fn address_file(run: &RunFolder, name: &str) -> PathBuf {
    run.file(&format!("{name}.address"))
}

fn http() -> Result<reqwest::Client> {
    // The client wants a TLS provider even for plain HTTP; a second call finds the first one's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(STATUS).build().context("cannot make an HTTP client")
}
