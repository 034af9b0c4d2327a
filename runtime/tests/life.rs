//! A whole service as a process (examples/small_service.rs): exit codes, error lines, admin port, signals, systemd.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const DEADLINE: Duration = Duration::from_secs(30);

fn service() -> Command {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/small_service");
    assert!(program.exists(), "{} is missing: run `cargo test -p runtime`, which builds it", program.display());
    let mut command = Command::new(program);
    command.env_remove("NOTIFY_SOCKET").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Killed when the test ends, whatever happened.
struct Running {
    child: Child,
    address_file: PathBuf,
    _directory: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address_file = directory.path().join("admin.address");
        let child = command.arg("run").env("COMBOIO_ADMIN__ADDRESS_FILE", &address_file).spawn().unwrap();
        let running = Self { child, address_file, _directory: directory };
        wait_for("the address file", || running.address_file.exists());
        running
    }

    fn get(&self, path: &str) -> String {
        get(&self.address_file, path)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    fn exit_code(&mut self) -> i32 {
        let mut status = None;
        wait_for("the exit", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap().code().expect("it was killed by a signal")
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < DEADLINE, "{what} did not come");
        std::thread::yield_now();
    }
}

fn get(address_file: &Path, path: &str) -> String {
    let mut stream = TcpStream::connect(fs::read_to_string(address_file).unwrap().trim()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn help_and_version_exit_0_and_a_wrong_command_line_64() {
    assert_eq!(ended(service().arg("--help")).0, 0);
    assert_eq!(ended(service().arg("--version")).0, 0);
    for wrong in [&["fly"][..], &[], &["run", "--speed"], &["check", "--config"]] {
        let (code, stdout, stderr) = ended(service().args(wrong));
        assert_eq!((code, stdout.as_str()), (64, ""), "{wrong:?}: {stderr}");
        assert!(!stderr.is_empty());
    }
}

#[test]
fn a_wrong_configuration_exits_64_with_one_plain_line() {
    let (code, _, stderr) = ended(service().arg("run").env("COMBOIO_TICK__EVERY", "5 parsecs"));
    let sentence =
        "error: tick.every is `5 parsecs` (COMBOIO_TICK__EVERY): allowed is a duration such as 250ms, 5s, 2m, 1h\n";
    assert_eq!((code, stderr.as_str()), (64, sentence));
    let (code, _, stderr) = ended(service().args(["check", "--config", "/nowhere.toml"]));
    assert_eq!((code, stderr.as_str()), (64, "error: configuration file /nowhere.toml cannot be read: no such file\n"));
    let (code, _, stderr) = ended(service().arg("check").env("COMBOIO_TICK__EVERY", "0"));
    assert_eq!(
        (code, stderr.as_str()),
        (64, "error: tick.every is `0s` (COMBOIO_TICK__EVERY): allowed is more than zero\n")
    );
}

#[test]
fn check_prints_every_setting_with_its_origin() {
    let (code, stdout, _) = ended(service().arg("check").env("COMBOIO_TICK__EVERY", "1s"));
    assert_eq!(code, 0);
    let rows: Vec<Vec<&str>> = stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.contains(&vec!["tick.every", "1s", "COMBOIO_TICK__EVERY"]), "{stdout}");
    assert!(rows.contains(&vec!["admin.listen", "127.0.0.1:0", "default"]), "{stdout}");
}

#[test]
fn a_failure_at_run_time_exits_1_with_one_json_line() {
    let (code, stdout, stderr) =
        ended(service().arg("run").env("COMBOIO_TICK__EVERY", "1ms").env("COMBOIO_TICK__FAIL_AFTER", "2"));
    assert_eq!((code, stdout.as_str()), (1, ""));
    let lines: Vec<serde_json::Value> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "error").collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    assert_eq!(errors[0]["error"], "the ticker broke after 2 ticks");
}

#[test]
fn a_text_log_ends_with_a_text_error() {
    let mut command = service();
    command
        .arg("run")
        .env("COMBOIO_LOGS__FORMAT", "text")
        .env("COMBOIO_TICK__EVERY", "1ms")
        .env("COMBOIO_TICK__FAIL_AFTER", "2");
    let (code, _, stderr) = ended(&mut command);
    assert_eq!((code, stderr.lines().last()), (1, Some("error: the ticker broke after 2 ticks")));
}

#[test]
fn it_answers_while_it_runs_and_sigterm_drains_it_and_removes_the_address_file() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut running = Running::start(&mut service());
        wait_for("readiness", || running.get("/readyz").starts_with("HTTP/1.1 200"));
        assert!(running.get("/livez").starts_with("HTTP/1.1 200"));
        assert!(running.get("/metrics").contains("# TYPE comboio_example_tick_ticks counter"));
        running.signal(signal);
        assert_eq!(running.exit_code(), 0);
        assert!(!running.address_file.exists());
        let stderr = running.stderr();
        assert!(stderr.contains(&format!("\"signal\":\"{}\"", signal.as_str())), "{stderr}");
        assert!(stderr.contains("\"message\":\"drained\""), "{stderr}");
    }
}

#[test]
fn systemd_hears_ready_alive_and_stopping() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let hear = || {
        let mut bytes = [0; 64];
        let read = manager.recv(&mut bytes).expect("systemd hears nothing");
        String::from_utf8(bytes[..read].to_vec()).unwrap()
    };
    let mut running = Running::start(service().env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "100000"));
    let mut heard = vec![hear(), hear(), hear()];
    running.signal(Signal::SIGTERM);
    while heard.last().unwrap() != "STOPPING=1" {
        heard.push(hear());
    }
    assert!(heard.contains(&"READY=1".to_owned()), "{heard:?}");
    assert!(heard.iter().filter(|state| *state == "WATCHDOG=1").count() >= 2, "{heard:?}");
    assert_eq!(running.exit_code(), 0);
}
