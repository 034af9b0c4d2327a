//! A child process that never outlives the process that started it.
//!
//! Four ways out are covered: the owner drops it (panic included) and its whole process group is killed; the owner is
//! told to stop by Ctrl-C, ends, and the kernel kills the child (`PR_SET_PDEATHSIG`); the owner is killed by SIGKILL,
//! and the kernel does the same; the child ends by itself and what it left in its group is killed.

mod log_file;
mod spawner;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

const POLL: Duration = Duration::from_millis(10);

/// A running child process, leader of its own process group, with its output in a log file.
#[derive(Debug)]
pub struct Guarded {
    name: String,
    child: Child,
    log: PathBuf,
    status: Option<ExitStatus>,
}

impl Guarded {
    /// Starts `command`; standard output and error are appended to `log`, standard input is empty.
    ///
    /// # Errors
    /// The program is missing or not executable, or the log file cannot be opened; `name` and program are in the text.
    pub fn spawn(name: &str, mut command: Command, log: &Path) -> io::Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let told = |error: io::Error| io::Error::new(error.kind(), format!("cannot start {name} ({program}): {error}"));
        log_file::connect(&mut command, log).map_err(told)?;
        let child = spawner::spawn(command).map_err(told)?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned(), status: None })
    }

    /// The name given at the start, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id, which is the id of its process group too.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file that holds its output.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last `lines` lines of its output; empty if there is none.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        log_file::tail(&self.log, lines)
    }

    /// Sends a signal to the process alone.
    ///
    /// # Errors
    /// The process has been waited for already, or the kernel refuses.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        if self.status.is_some() {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("{} has ended", self.name)));
        }
        Ok(signal::kill(self.leader(), signal)?)
    }

    /// Stops it in its tracks (SIGSTOP): it keeps what it has, and answers nobody.
    ///
    /// # Errors
    /// As [`Guarded::signal`].
    pub fn freeze(&self) -> io::Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on where it stood (SIGCONT).
    ///
    /// # Errors
    /// As [`Guarded::signal`].
    pub fn thaw(&self) -> io::Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Asks it to stop (SIGTERM) and returns at once; [`Guarded::stop`] waits too.
    ///
    /// # Errors
    /// As [`Guarded::signal`].
    pub fn terminate(&self) -> io::Result<()> {
        self.signal(Signal::SIGTERM)
    }

    /// How it ended, or `None` while it runs. Does not wait.
    ///
    /// # Errors
    /// The kernel refuses to say.
    pub fn exited(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() && self.is_zombie()? {
            self.end_group()?;
        }
        Ok(self.status)
    }

    /// Waits until it ends, at most `deadline`; `None` if it still runs then.
    ///
    /// # Errors
    /// As [`Guarded::exited`].
    pub fn wait_exit(&mut self, deadline: Duration) -> io::Result<Option<ExitStatus>> {
        let end = Instant::now() + deadline;
        loop {
            let status = self.exited()?;
            if status.is_some() || Instant::now() >= end {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
    }

    /// Asks it to stop (SIGTERM), waits `grace`, then kills the group.
    ///
    /// # Errors
    /// As [`Guarded::exited`].
    pub fn stop(&mut self, grace: Duration) -> io::Result<ExitStatus> {
        if let Some(status) = self.exited()? {
            return Ok(status);
        }
        self.signal(Signal::SIGTERM)?;
        match self.wait_exit(grace)? {
            Some(status) => Ok(status),
            None => self.kill(),
        }
    }

    /// Kills the whole group (SIGKILL) and waits for the process.
    ///
    /// # Errors
    /// As [`Guarded::exited`].
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        match self.status {
            Some(status) => Ok(status),
            None => self.end_group(),
        }
    }

    fn leader(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// True once it has ended; it stays a zombie, so that its id (and its group's) cannot be given to anybody else yet.
    fn is_zombie(&self) -> io::Result<bool> {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        Ok(waitid(Id::Pid(self.leader()), flags)? != WaitStatus::StillAlive)
    }

    /// Kills what is left of the group while its id is still ours, then collects the process.
    fn end_group(&mut self) -> io::Result<ExitStatus> {
        // An error means that nobody is left to be killed.
        let _ = signal::killpg(self.leader(), Signal::SIGKILL);
        let status = self.child.wait()?;
        self.status = Some(status);
        Ok(status)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.kill();
    }
}
