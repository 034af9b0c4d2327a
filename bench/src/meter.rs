//! What a process used, measured from outside: the same way for every rival, whatever it says of itself.

use anyhow::{Context, Result, bail, ensure};
use localenv::process::Guarded;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// So many ticks make a second (USER_HZ, proc(5)).
const TICKS: f64 = 100.0;
/// How often the memory is looked at. The kernel keeps the highest value itself, so only the last look must not be missed.
const LOOK: Duration = Duration::from_millis(10);

/// What one process used from its start to its end, and what it said.
#[derive(Debug, Clone, PartialEq)]
pub struct Used {
    /// User and system time of all threads.
    pub cpu_seconds: f64,
    /// The highest resident memory.
    pub peak_bytes: u64,
    /// Standard output and error.
    pub output: String,
}

/// Runs a command to its end; its output goes to `log`. No other child of this process may end meanwhile.
///
/// # Errors
/// It cannot be started, takes longer than `deadline`, or fails: with its last lines.
pub fn run(name: &str, command: Command, log: &Path, deadline: Duration) -> Result<Used> {
    let before = children_cpu()?;
    let mut process = Guarded::spawn(name, command, log)?;
    let (mut peak_bytes, looks) = (0, deadline.as_millis() / LOOK.as_millis());
    for _ in 0..looks {
        peak_bytes = memory(process.pid(), "VmHWM:").unwrap_or(0).max(peak_bytes);
        let Some(status) = process.wait_exit(LOOK)? else { continue };
        if !status.success() {
            bail!("{name} ended with {status}; its last lines:\n{}", process.log_tail(8));
        }
        let output = fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
        return Ok(Used { cpu_seconds: children_cpu()? - before, peak_bytes, output });
    }
    bail!("{name} did not end within {deadline:?}; its last lines:\n{}", process.log_tail(8))
}

/// A program that was built beside this one.
///
/// # Errors
/// It is not there.
pub fn beside(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    ensure!(program.is_file(), "{} is missing: build the workspace's binaries first", program.display());
    Ok(program)
}

/// CPU seconds of all children that have ended and were waited for.
fn children_cpu() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
    sum_of_fields(&stat, 13).context("/proc/self/stat is not as expected")
}

/// CPU seconds of a process that runs; `None` when it has ended.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    sum_of_fields(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?, 11)
}

/// CPU seconds of those threads of a process whose names start with `name`.
pub fn threads_cpu_seconds(pid: u32, name: &str) -> f64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0.0 };
    let stats = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok());
    let named = |stat: &String| stat.split_once('(').is_some_and(|(_, rest)| rest.starts_with(name));
    stats.filter(named).filter_map(|stat| sum_of_fields(&stat, 11)).sum()
}

/// Two fields in a row, counted behind the command's name, which may hold spaces: user and system time.
fn sum_of_fields(stat: &str, first: usize) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(first);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS)
}

/// A line of /proc/PID/status in bytes, such as `VmRSS:`; `None` when the process has ended.
pub fn memory(pid: u32, line: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|found| found.strip_prefix(line))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::{run, sum_of_fields, threads_cpu_seconds};
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn cpu_and_memory_of_a_process_are_seen_from_outside() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut busy = Command::new("sh");
        busy.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done"]);
        let used = run("busy", busy, log.path(), Duration::from_secs(60)).unwrap();
        assert!(used.cpu_seconds > 0.02 && used.peak_bytes > 100_000, "{used:?}");
        assert_eq!(used.output, "done\n");
        let mut bad = Command::new("sh");
        bad.args(["-c", "echo why; exit 3"]);
        let error = run("bad", bad, log.path(), Duration::from_secs(60)).unwrap_err().to_string();
        assert!(error.contains("bad ended with exit status: 3") && error.contains("why"), "{error}");
    }

    #[test]
    fn threads_are_told_apart_by_their_names() {
        let busy = |name: &str| std::thread::Builder::new().name(name.into()).spawn(spin).unwrap();
        let (thread, pid) = (busy("meter-busy"), std::process::id());
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        while threads_cpu_seconds(pid, "meter-b") < 0.05 {
            assert!(std::time::Instant::now() < deadline, "no CPU was seen");
        }
        STOP.store(true, Ordering::Relaxed);
        assert_eq!(threads_cpu_seconds(pid, "nobody"), 0.0);
        thread.join().unwrap();
    }

    static STOP: AtomicBool = AtomicBool::new(false);

    fn spin() {
        while !STOP.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn the_fields_are_found_behind_a_name_with_spaces() {
        let stat = "7 (a b) c) S 1 1 1 0 -1 4194560 100 0 0 0 250 50 30 10 20 0 8 0 1 1 1";
        assert_eq!((sum_of_fields(stat, 11), sum_of_fields(stat, 13)), (Some(3.0), Some(0.4)));
    }
}
