//! The real binary under a service manager: when it says that it is ready, that it lives, that it stops.

use crate::admin::{ask, status};
use crate::stage::{DEADLINE, SET_ASIDE, Stage};
use localenv::process::Guarded;
use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

/// A service that says nothing for so long is killed by its manager.
const WATCHDOG: Duration = Duration::from_secs(2);

/// The manager's end of NOTIFY_SOCKET.
struct Manager(UnixDatagram);

impl Manager {
    /// Starts the producer as a service.
    fn start(stage: &Stage, mut command: Command) -> (Self, Guarded) {
        let path = stage.path("notify");
        let manager = Self(UnixDatagram::bind(&path).unwrap());
        command.env("NOTIFY_SOCKET", path).env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
        (manager, stage.spawn(command))
    }

    /// What it says next.
    fn next(&self, within: Duration) -> Option<String> {
        let mut said = [0; 64];
        self.0.set_read_timeout(Some(within)).unwrap();
        let length = self.0.recv(&mut said).ok()?;
        Some(String::from_utf8(said[..length].to_vec()).unwrap())
    }

    /// Waits until it says this; true when it said nothing but that it lives meanwhile.
    fn says(&self, what: &str) -> bool {
        let end = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < end, "never said {what}");
            match self.next(DEADLINE) {
                Some(said) if said == what => return true,
                Some(said) if said == "WATCHDOG=1" => {}
                other => return other.is_none(),
            }
        }
    }

    /// Forgets what was said until now.
    fn forget(&self) {
        while self.next(Duration::from_millis(1)).is_some() {}
    }
}

#[test]
fn it_is_ready_when_kafka_has_answered_lives_as_long_as_it_moves_and_says_that_it_stops() {
    let stage = Stage::new();
    stage.all_brokers_down();
    let command = stage.command("[run]\nstart_deadline = \"60s\"", &["--duration", "10m"]);
    let (manager, mut producer) = Manager::start(&stage, command);
    stage.until(&mut producer, "its admin port", || stage.path("admin").exists().then_some(()));
    assert_eq!(manager.next(WATCHDOG), None, "nothing before Kafka has answered");

    stage.all_brokers_up();
    assert_eq!(manager.next(DEADLINE).as_deref(), Some("READY=1"), "{}", stage.log());
    let admin = stage.running(&mut producer);
    assert!(ask(&admin, "GET /readyz", "").starts_with("HTTP/1.1 200"));
    for _ in 0..4 {
        assert_eq!(manager.next(WATCHDOG).as_deref(), Some("WATCHDOG=1"), "{}", stage.log());
    }

    producer.terminate().unwrap();
    assert!(manager.says("STOPPING=1"), "{}", stage.log());
    assert_eq!(producer.wait_exit(DEADLINE).unwrap().expect("it ends").code(), Some(0), "{}", stage.log());
}

#[test]
fn it_says_that_it_stops_when_the_drain_begins() {
    let stage = Stage::new();
    let command = stage.command("[run]\nshutdown_deadline = \"600s\"", &["--duration", "10m"]);
    let (manager, mut producer) = Manager::start(&stage, command);
    let admin = stage.running(&mut producer);
    assert!(manager.says("READY=1"), "{}", stage.log());
    stage.all_brokers_down();
    let unanswered = || status(&admin)["queue"].as_u64().filter(|queue| *queue > 0);
    stage.until(&mut producer, "events without an answer", unanswered);
    producer.terminate().unwrap();
    assert!(manager.says("STOPPING=1"), "{}", stage.log());
    assert_eq!(status(&admin)["state"], "draining");
    producer.terminate().unwrap();
    assert!(producer.wait_exit(DEADLINE).unwrap().is_some(), "{}", stage.log());
}

/// A pipe without a reader in place of the set-aside file holds the flow, as a file system that hangs does.
#[test]
fn a_flow_that_hangs_is_not_called_alive_and_is_again_when_it_goes_on() {
    let stage = Stage::new();
    let event = |seq: u32| {
        format!(
            r#"{{"v":1,"id":"r-BR1-400-{seq}","codigo":400,"truck_id":"BR1","seq":{seq},"ts":1763701200000,"lat":-23.5,"lon":-46.6,"speed":8.4,"fuel":6.2,"odo":2.2}}"#
        )
    };
    let mut lines: Vec<String> = (1..=2_000).map(event).collect();
    lines.insert(100, "nonsense".into());
    let file = stage.write("in.ndjson", &lines.join("\n"));
    let source = format!("[source]\nkind = \"replay\"\npath = {file:?}\nrate = 20");
    let (manager, mut producer) = Manager::start(&stage, stage.command(&source, &[]));
    let admin = stage.running(&mut producer);
    // At the start it would be refused; five seconds later, when something is set aside, nobody looks.
    let pipe = stage.path(SET_ASIDE);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());

    let live = || ask(&admin, "GET /livez", "").starts_with("HTTP/1.1 200");
    stage.until(&mut producer, "a flow that hangs", || (!live()).then_some(()));
    manager.forget();
    assert_eq!(manager.next(WATCHDOG * 2), None, "what `/livez` denies, the watchdog must not hear");
    assert!(stage.log().contains("the watchdog is no longer fed"), "{}", stage.log());
    let before = status(&admin)["offered"].as_u64();

    let _reader = File::open(&pipe).unwrap();
    assert!(manager.says("WATCHDOG=1"), "{}", stage.log());
    assert!(live());
    stage.until(&mut producer, "more events", || (status(&admin)["offered"].as_u64() > before).then_some(()));
    assert_eq!(producer.stop(DEADLINE).unwrap().code(), Some(0), "{}", stage.log());
    let report = stage.report();
    assert_eq!((report.bad_lines, report.failed, report.acknowledged), (1, 0, report.offered), "{report}");
}
