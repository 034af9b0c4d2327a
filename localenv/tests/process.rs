//! Nothing outlives its owner: drop, panic, Ctrl-C and SIGKILL of the owner, each with real processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use localenv::process::Guarded;
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

const LONG_ENOUGH: Duration = Duration::from_secs(20);
const ROLE: &str = "LOCALENV_TEST_ROLE";
const PID_FILE: &str = "LOCALENV_TEST_PID_FILE";

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + LONG_ENOUGH;
    while !condition() {
        assert!(Instant::now() < end, "not within {LONG_ENOUGH:?}: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// True while the process runs. A zombie has ended: it waits for an init that may not care.
fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

fn sleeper(log: &Path) -> Guarded {
    let mut command = Command::new("sleep");
    command.arg("1000");
    Guarded::spawn("sleeper", command, log).unwrap()
}

/// A shell that starts another process in the same group and waits for it; gives both pids.
fn family(folder: &Path) -> (Guarded, u32) {
    let file = folder.join("child.pid");
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait", file.display()));
    let parent = Guarded::spawn("family", command, &folder.join("log")).unwrap();
    wait_until("the shell's child starts", || file.exists());
    (parent, fs::read_to_string(file).unwrap().trim().parse().unwrap())
}

#[test]
fn drop_kills_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let (parent, child) = family(folder.path());
    let leader = parent.pid();
    assert!(runs(leader) && runs(child));
    drop(parent);
    wait_until("both are gone", || !runs(leader) && !runs(child));
}

#[test]
fn what_an_ended_process_left_in_its_group_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut parent, child) = family(folder.path());
    parent.signal(Signal::SIGKILL).unwrap();
    let status = parent.wait_exit(LONG_ENOUGH).unwrap().expect("it was killed");
    assert!(!status.success());
    wait_until("the orphan is gone", || !runs(child));
    assert!(parent.signal(Signal::SIGTERM).is_err(), "signalled a process that has ended");
}

#[test]
fn stop_asks_first_and_kills_after_the_grace() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let script = |trap: &str| {
        let mut command = Command::new("sh");
        let path = ready.display();
        command.arg("-c").arg(format!("trap '{trap}' TERM; touch {path}; while :; do sleep 0.01; done"));
        command
    };
    let mut polite = Guarded::spawn("polite", script("echo bye; exit 7"), &folder.path().join("polite.log")).unwrap();
    wait_until("the trap is set", || ready.exists());
    assert_eq!(polite.wait_exit(Duration::ZERO).unwrap(), None);
    assert_eq!(polite.stop(LONG_ENOUGH).unwrap().code(), Some(7));
    assert_eq!(polite.log_tail(1), "bye");

    fs::remove_file(&ready).unwrap();
    let mut deaf = Guarded::spawn("deaf", script(""), &folder.path().join("deaf.log")).unwrap();
    wait_until("the trap is set", || ready.exists());
    assert_eq!(deaf.stop(Duration::from_millis(50)).unwrap().code(), None, "it was not killed by a signal");
}

#[test]
fn a_child_survives_the_thread_that_asked_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut child = thread::spawn(move || sleeper(&log)).join().unwrap();
    assert_eq!(child.wait_exit(Duration::from_millis(200)).unwrap(), None, "died with its thread");
}

#[test]
fn a_missing_program_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Guarded::spawn("broker 1", Command::new("/no/such/program"), &folder.path().join("log")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("broker 1") && text.contains("/no/such/program"), "{text}");
}

/// Not a test by itself: what the re-executed test binary does in the role of an owner.
#[test]
fn owner() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let file = std::env::var(PID_FILE).unwrap();
    let child = sleeper(&Path::new(&file).with_extension("log"));
    fs::write(format!("{file}.new"), child.pid().to_string()).unwrap();
    fs::rename(format!("{file}.new"), &file).unwrap();
    if role == "panic" {
        let go = Path::new(&file).with_extension("go");
        wait_until("told to go on", || go.exists());
        panic!("on purpose");
    }
    wait_until("killed from outside", || false);
}

/// Starts this test binary as an owner of one sleeper; returns both.
fn owner_of_a_sleeper(role: &str, pid_file: &Path) -> (Child, u32) {
    let owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "owner"])
        .env(ROLE, role)
        .env(PID_FILE, pid_file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the owner has its child", || pid_file.exists());
    (owner, fs::read_to_string(pid_file).unwrap().parse().unwrap())
}

fn nothing_is_left_after(signal: Signal) {
    let folder = tempfile::tempdir().unwrap();
    let (mut owner, child) = owner_of_a_sleeper("wait", &folder.path().join("pid"));
    assert!(runs(child));
    signal::kill(Pid::from_raw(owner.id().cast_signed()), signal).unwrap();
    owner.wait().unwrap();
    wait_until("the child is gone", || !runs(child));
}

#[test]
fn nothing_is_left_when_the_owner_is_killed() {
    nothing_is_left_after(Signal::SIGKILL);
}

#[test]
fn nothing_is_left_after_ctrl_c() {
    nothing_is_left_after(Signal::SIGINT);
}

#[test]
fn nothing_is_left_when_the_owner_panics() {
    let folder = tempfile::tempdir().unwrap();
    let (mut owner, child) = owner_of_a_sleeper("panic", &folder.path().join("pid"));
    assert!(runs(child));
    fs::write(folder.path().join("pid.go"), "").unwrap();
    assert!(!owner.wait().unwrap().success());
    wait_until("the child is gone", || !runs(child));
}
