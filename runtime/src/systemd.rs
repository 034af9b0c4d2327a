//! Tells systemd: ready, stopping, alive (sd_notify(3)); silent without NOTIFY_SOCKET.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::health::Health;

/// The service is up: `READY=1`. Nothing without NOTIFY_SOCKET.
pub fn ready() {
    Systemd::from_env().ready();
}

/// The service drains: `STOPPING=1`. Nothing without NOTIFY_SOCKET.
pub fn stopping() {
    Systemd::from_env().stopping();
}

/// Sends `WATCHDOG=1` at half of WATCHDOG_USEC as long as `health` is live, from a thread of its own until the
/// process ends. Nothing without NOTIFY_SOCKET or WATCHDOG_USEC.
pub fn watchdog(health: &Health) {
    if let Some(watchdog) = Systemd::from_env().watchdog(health) {
        // The process's end stops it.
        std::mem::forget(watchdog);
    }
}

/// The connection to the service manager, as the environment describes it.
#[derive(Clone, Debug)]
pub struct Systemd {
    socket: Option<SocketAddr>,
    watchdog: Option<Duration>,
}

/// Feeds the watchdog until it is dropped.
#[derive(Debug)]
#[must_use = "the watchdog is fed only until this is dropped"]
pub struct Watchdog {
    _stop: mpsc::Sender<()>,
}

impl Systemd {
    /// From the process's environment.
    pub fn from_env() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// From NOTIFY_SOCKET (a path, or `@name` for an abstract socket), WATCHDOG_USEC and WATCHDOG_PID (when set, it
    /// must be ours) as `lookup` gives them.
    pub fn new(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let socket = lookup("NOTIFY_SOCKET").and_then(|name| address(&name).ok());
        let ours = lookup("WATCHDOG_PID").is_none_or(|pid| pid == process::id().to_string());
        let limit = lookup("WATCHDOG_USEC").and_then(|micros| micros.parse().ok()).filter(|micros| *micros > 0 && ours);
        Self { socket, watchdog: limit.map(Duration::from_micros) }
    }

    /// `READY=1`.
    pub fn ready(&self) {
        self.notify("READY=1");
    }

    /// `STOPPING=1`.
    pub fn stopping(&self) {
        self.notify("STOPPING=1");
    }

    /// Sends `WATCHDOG=1` now and at half of WATCHDOG_USEC as long as `health` is live; `None` when systemd watches
    /// nothing.
    pub fn watchdog(&self, health: &Health) -> Option<Watchdog> {
        self.socket.as_ref()?;
        let every = self.watchdog? / 2;
        let (systemd, health) = (self.clone(), health.clone());
        let (stop, stopped) = mpsc::channel();
        let feed = move || {
            let mut fed = true;
            loop {
                fed = systemd.feed(&health, fed);
                if stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        };
        match thread::Builder::new().name("watchdog".to_owned()).spawn(feed) {
            Ok(_) => Some(Watchdog { _stop: stop }),
            Err(error) => {
                tracing::error!(error = &error as &(dyn std::error::Error + 'static), "no thread for the watchdog");
                None
            }
        }
    }

    fn feed(&self, health: &Health, fed_before: bool) -> bool {
        let checkup = health.live();
        if checkup.ok {
            self.notify("WATCHDOG=1");
        } else if fed_before {
            tracing::error!(stuck = %checkup, "the watchdog is no longer fed");
        }
        checkup.ok
    }

    fn notify(&self, state: &str) {
        let Some(address) = &self.socket else {
            return;
        };
        let sent = UnixDatagram::unbound().and_then(|socket| {
            // A full queue of the service manager must not hold us.
            socket.set_nonblocking(true)?;
            socket.send_to_addr(state.as_bytes(), address)
        });
        if let Err(error) = sent {
            tracing::warn!(state, error = &error as &(dyn std::error::Error + 'static), "systemd cannot be told");
        }
    }
}

fn address(name: &str) -> io::Result<SocketAddr> {
    match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
}
