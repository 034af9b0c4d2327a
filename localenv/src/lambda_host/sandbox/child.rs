//! The process of a sandbox: started, watched until it ends, killed when dropped.

use crate::process::Guarded;
use anyhow::Context;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

/// A SIGCHLD that was merged with another one is made up for after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A running process; dropping it kills the process and what the process has started.
#[derive(Debug)]
pub struct Child {
    pid: u32,
    _process: Arc<Mutex<Guarded>>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Child {
    /// Starts `command`; its output is appended to `log`, or dropped.
    ///
    /// # Errors
    /// When the log cannot be opened or the command cannot be executed.
    pub fn spawn(name: &str, command: Command, log: Option<&Path>) -> anyhow::Result<Self> {
        // Before the process exists, so that its end cannot be missed.
        let signals = signal(SignalKind::child()).context("SIGCHLD")?;
        let process = Guarded::spawn(name, command, log.unwrap_or(Path::new("/dev/null")))?;
        let (pid, process) = (process.pid(), Arc::new(Mutex::new(process)));
        let (told, exit) = watch::channel(None);
        tokio::spawn(watch_over(Arc::downgrade(&process), signals, told));
        Ok(Self { pid, _process: process, exit })
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for its end: "exit status 3" or "signal: killed", `None` for a clean exit.
    pub async fn exited(&self) -> Option<String> {
        let mut exit = self.exit.clone();
        let status = exit.wait_for(Option::is_some).await.ok().and_then(|status| *status);
        status.and_then(describe)
    }

    /// Whether it has ended.
    pub fn has_exited(&self) -> bool {
        self.exit.borrow().is_some()
    }
}

/// Tells how the process ended, as soon as it does; ends with the process or with its owner.
async fn watch_over(process: Weak<Mutex<Guarded>>, mut signals: Signal, told: watch::Sender<Option<ExitStatus>>) {
    loop {
        let Some(status) = look(&process) else { return };
        if status.is_some() {
            told.send_replace(status);
            return;
        }
        tokio::select! {
            _ = signals.recv() => {}
            () = sleep(LOOK_AGAIN) => {}
            () = told.closed() => return,
        }
    }
}

/// How it ended, if it has; `None` when nobody owns it any more.
fn look(process: &Weak<Mutex<Guarded>>) -> Option<Option<ExitStatus>> {
    let process = process.upgrade()?;
    let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
    Some(process.exited().unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot see whether a function's process has ended");
        None
    }))
}

/// The words that AWS's supervisor, a Go program, has for the end of a process.
fn describe(status: ExitStatus) -> Option<String> {
    if let Some(number) = status.signal() {
        let name = match number {
            2 => "interrupt".to_owned(),
            6 => "aborted".to_owned(),
            7 => "bus error".to_owned(),
            9 => "killed".to_owned(),
            11 => "segmentation fault".to_owned(),
            15 => "terminated".to_owned(),
            other => format!("signal {other}"),
        };
        let core = if status.core_dumped() { " (core dumped)" } else { "" };
        return Some(format!("signal: {name}{core}"));
    }
    status.code().filter(|code| *code != 0).map(|code| format!("exit status {code}"))
}

#[cfg(test)]
mod tests {
    use super::describe;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    #[test]
    fn ends_are_told_in_the_words_of_aws() {
        assert_eq!(describe(ExitStatus::from_raw(0)), None);
        assert_eq!(describe(ExitStatus::from_raw(3 << 8)).as_deref(), Some("exit status 3"));
        assert_eq!(describe(ExitStatus::from_raw(9)).as_deref(), Some("signal: killed"));
    }
}
