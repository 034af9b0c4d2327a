//! The watchdog is fed while the process is live and only then.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runtime::clock::ManualClock;
use runtime::health::Health;
use runtime::systemd::Systemd;

const LIMIT: Duration = Duration::from_secs(5);

fn systemd(socket: &Path, micros: &str, pid: Option<String>) -> Systemd {
    Systemd::new(|name| match name {
        "NOTIFY_SOCKET" => Some(socket.display().to_string()),
        "WATCHDOG_USEC" => Some(micros.to_owned()),
        "WATCHDOG_PID" => pid.clone(),
        _ => None,
    })
}

/// Reads until nothing comes for `quiet`.
fn silent_for(manager: &UnixDatagram, quiet: Duration) -> bool {
    manager.set_read_timeout(Some(quiet)).unwrap();
    let started = Instant::now();
    let mut bytes = [0; 64];
    loop {
        match manager.recv(&mut bytes) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return true,
            outcome => assert!(outcome.is_ok()),
        }
        if started.elapsed() > Duration::from_secs(20) {
            return false;
        }
    }
}

fn hears(manager: &UnixDatagram, state: &str) {
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut bytes = [0; 64];
    let read = manager.recv(&mut bytes).expect("nothing was sent");
    assert_eq!(&bytes[..read], state.as_bytes());
}

#[test]
fn it_is_fed_only_while_every_component_progresses() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let clock = ManualClock::default();
    let health = Health::new(Arc::new(clock.clone()));
    let poll = health.component("poll", LIMIT);
    let watchdog = systemd(&path, "20000", Some(std::process::id().to_string())).watchdog(&health).unwrap();
    hears(&manager, "WATCHDOG=1");
    hears(&manager, "WATCHDOG=1");
    clock.advance(LIMIT * 2);
    assert!(silent_for(&manager, Duration::from_millis(300)), "a stuck process is still fed");
    poll.progress();
    hears(&manager, "WATCHDOG=1");
    drop(watchdog);
    assert!(silent_for(&manager, Duration::from_millis(300)), "a dropped watchdog still feeds");
}

#[test]
fn states_reach_a_path_and_an_abstract_socket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    systemd(&path, "", None).ready();
    hears(&manager, "READY=1");
    systemd(&path, "", None).stopping();
    hears(&manager, "STOPPING=1");
    let name = format!("comboio-notify-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = UnixDatagram::bind_addr(&address).unwrap();
    systemd(Path::new(&format!("@{name}")), "", None).ready();
    hears(&manager, "READY=1");
}

#[test]
fn without_systemd_or_for_another_process_nothing_is_watched() {
    let health = Health::new(Arc::new(ManualClock::default()));
    let nobody = Systemd::new(|_| None);
    nobody.ready();
    nobody.stopping();
    assert!(nobody.watchdog(&health).is_none());
    let directory = tempfile::tempdir().unwrap();
    assert!(systemd(directory.path(), "20000", Some("1".to_owned())).watchdog(&health).is_none());
    assert!(systemd(directory.path(), "0", None).watchdog(&health).is_none());
    assert!(systemd(directory.path(), "soon", None).watchdog(&health).is_none());
}
