//! One Python program with a port of its own: started, waited for, and ended with its value.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;

use super::control;
use crate::ports::Port;
use crate::process::Guarded;

/// A slow machine imports Python modules for a while.
const START_DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);
const LINES_IN_ERRORS: usize = 15;

pub(super) struct Part {
    process: Guarded,
    port: Port,
}

impl Part {
    pub(super) fn start(name: &str, mut command: Command, port: Port, folder: &Path) -> anyhow::Result<Self> {
        command.env("PYTHONUNBUFFERED", "1").current_dir(folder);
        let process = Guarded::spawn(name, command, &folder.join(format!("{name}.log")))?;
        Ok(Self { process, port })
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.port.address())
    }

    pub(super) fn wait(&mut self, path: &str) -> anyhow::Result<()> {
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

    pub(super) fn address(&self) -> SocketAddr {
        self.port.address()
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }
}
