//! One broker: its ports, its folder, its process.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::Signal;

use super::java::Java;
use super::properties::{self, Settings};
use crate::authority::{Authority, Identity};
use crate::broker::admin::{Admin, client_config};
use crate::ports::{self, Port};
use crate::process::Guarded;

const FORMAT_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const TRY: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
const LINES_IN_ERRORS: usize = 15;

/// What all brokers of a cluster share.
pub struct Site {
    pub java: Java,
    pub admin: Identity,
    key_store: PathBuf,
    ca: PathBuf,
    voters: String,
    brokers: usize,
}

impl Site {
    /// Issues the brokers' and the administrator's certificates.
    pub fn new(java: Java, authority: &Authority, nodes: &[Node]) -> anyhow::Result<Self> {
        let voter = |node: &Node| format!("{}@{}", node.id, node.ports.controller.address());
        Ok(Self {
            java,
            admin: authority.issue("admin")?,
            key_store: authority.issue_server("broker")?,
            ca: authority.ca(),
            voters: nodes.iter().map(voter).collect::<Vec<_>>().join(","),
            brokers: nodes.len(),
        })
    }
}

struct Ports {
    clients: Port,
    controller: Port,
    plaintext: Option<Port>,
}

/// A broker; it runs while it has a process.
pub struct Node {
    id: usize,
    folder: PathBuf,
    ports: Ports,
    process: Option<Guarded>,
}

impl Node {
    /// Reserves ports and makes a folder below `parent`.
    pub fn new(id: usize, parent: &Path, plaintext: bool) -> anyhow::Result<Self> {
        let folder = parent.join(format!("broker-{id}"));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let plaintext = if plaintext { Some(one_port()?) } else { None };
        let ports = Ports { clients: one_port()?, controller: one_port()?, plaintext };
        Ok(Self { id, folder, ports, process: None })
    }

    /// Its mutual TLS listener.
    pub fn address(&self) -> String {
        self.socket_address().to_string()
    }

    /// As [`Node::address`].
    pub fn socket_address(&self) -> SocketAddr {
        self.ports.clients.address()
    }

    /// Its listener without TLS.
    pub fn plaintext_address(&self) -> Option<String> {
        self.ports.plaintext.as_ref().map(|port| port.address().to_string())
    }

    /// True from start to kill or stop.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Guarded::pid)
    }

    /// Takes new ports for clients; the controllers' port stays, because the other controllers know it.
    pub fn move_to_new_ports(&mut self) -> anyhow::Result<()> {
        let (clients, plaintext) = (one_port()?, self.ports.plaintext.is_some());
        self.ports.clients = clients;
        if plaintext {
            self.ports.plaintext = Some(one_port()?);
        }
        Ok(())
    }

    /// Writes its settings and prepares its data folder, once.
    pub fn format(&self, site: &Site) -> anyhow::Result<()> {
        self.write_settings(site)?;
        let name = format!("formatter of broker {}", self.id);
        let mut run =
            Guarded::spawn(&name, site.java.formatter(&self.settings_file()), &self.folder.join("format.log"))?;
        let status = run.wait_exit(FORMAT_DEADLINE)?;
        let done = status.is_some_and(|status| status.success());
        ensure!(done, "{name} failed ({status:?}); its last lines:\n{}", run.log_tail(LINES_IN_ERRORS));
        Ok(())
    }

    /// Starts the process; [`Node::wait_ready`] waits for it.
    pub fn start(&mut self, site: &Site) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "broker {} runs already", self.id);
        self.write_settings(site)?;
        let command = site.java.broker(&self.settings_file());
        let process = Guarded::spawn(&format!("broker {}", self.id), command, &self.folder.join("broker.log"))?;
        self.process = Some(process);
        Ok(())
    }

    /// Waits until this broker says that all of `addresses` are brokers in service; `stop` ends the wait early.
    pub fn wait_ready(
        &mut self,
        site: &Site,
        addresses: &[SocketAddr],
        deadline: Duration,
        stop: impl Fn() -> bool,
    ) -> anyhow::Result<()> {
        let admin = self.administrator(site)?;
        let end = Instant::now() + deadline;
        loop {
            self.check()?;
            let reason = match missing(&admin, addresses) {
                Ok(None) => return Ok(()),
                Ok(Some(address)) => format!("it does not know the broker at {address} yet"),
                Err(error) => error.to_string(),
            };
            if Instant::now() > end || stop() {
                bail!("broker {} was not ready within {deadline:?}: {reason}; {}", self.id, self.last_lines());
            }
            thread::sleep(PAUSE);
        }
    }

    /// An administrator's client of this broker.
    pub fn administrator(&self, site: &Site) -> anyhow::Result<Admin> {
        Admin::connect(&client_config(&self.address(), Some(&site.admin)))
    }

    /// An error if it should run but has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        let status = self.process.as_mut().map(Guarded::exited).transpose()?.flatten();
        match status {
            None => Ok(()),
            Some(status) => bail!("broker {} ended by itself ({status}); {}", self.id, self.last_lines()),
        }
    }

    /// SIGKILL: nothing is flushed, nobody is told.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.take()?.kill()?;
        Ok(())
    }

    /// SIGTERM: leadership is handed over first.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.take()?.stop(STOP_DEADLINE)?;
        Ok(())
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let process = self.process.as_ref().with_context(|| format!("broker {} does not run", self.id))?;
        Ok(process.signal(signal)?)
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let pid = self.pid().with_context(|| format!("broker {} does not run", self.id))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }

    fn take(&mut self) -> anyhow::Result<Guarded> {
        self.process.take().with_context(|| format!("broker {} does not run", self.id))
    }

    fn last_lines(&self) -> String {
        let process = self.process.as_ref();
        process.map_or_else(String::new, |process| {
            format!("the last lines of {}:\n{}", process.log().display(), process.log_tail(LINES_IN_ERRORS))
        })
    }

    fn settings_file(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    fn write_settings(&self, site: &Site) -> anyhow::Result<()> {
        let text = properties::render(&Settings {
            id: self.id,
            brokers: site.brokers,
            address: &self.address(),
            plaintext: self.plaintext_address().as_deref(),
            controller: &self.ports.controller.address().to_string(),
            voters: &site.voters,
            key_store: &site.key_store,
            ca: &site.ca,
            data: &self.folder.join("data"),
        });
        let path = self.settings_file();
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The first of `addresses` that is not among the brokers which this one knows.
fn missing(admin: &Admin, addresses: &[SocketAddr]) -> anyhow::Result<Option<SocketAddr>> {
    let metadata = admin.metadata(None, TRY)?;
    let known: Vec<String> =
        metadata.brokers().iter().map(|broker| format!("{}:{}", broker.host(), broker.port())).collect();
    Ok(addresses.iter().find(|address| !known.contains(&address.to_string())).copied())
}

fn one_port() -> anyhow::Result<Port> {
    ports::reserve(1)?.pop().context("no port")
}
