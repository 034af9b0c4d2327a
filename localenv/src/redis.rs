//! A Redis server on 127.0.0.1 that keeps nothing on the disk and ends with its value.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::ports::{self, Port};
use crate::process::Guarded;

const START_DEADLINE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(10);
const LINES_IN_ERRORS: usize = 15;

/// See the head of the file.
pub struct Redis {
    process: Guarded,
    port: Port,
}

impl Redis {
    /// Starts it and waits until it takes connections; its log goes to `folder`. Blocks, some milliseconds.
    ///
    /// # Errors
    /// `redis-server` is not installed (Debian's package of that name, `ci/setup aws`), or it does not answer.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let port = ports::reserve(1)?.pop().context("no port")?;
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.number().to_string(), "--save", "", "--appendonly", "no"]);
        command.current_dir(folder);
        let process = Guarded::spawn("redis-server", command, &folder.join("redis.log"))
            .context("redis-server is missing: run ci/setup aws")?;
        let mut redis = Self { process, port };
        redis.wait()?;
        Ok(redis)
    }

    /// For example `redis://127.0.0.1:20123/0`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/0", self.port.address())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.port.address()
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + START_DEADLINE;
        while std::net::TcpStream::connect(self.port.address()).is_err() {
            let ended = self.process.exited()?;
            if ended.is_some() || Instant::now() > end {
                let how =
                    ended.map_or(format!("does not answer within {START_DEADLINE:?}"), |how| format!("ended ({how})"));
                bail!("redis-server {how}; its last lines:\n{}", self.process.log_tail(LINES_IN_ERRORS));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}
