//! A disk under the spool, or under the set-aside file, that hangs: a frozen file system takes what is asked of it, and never answers. Needs the right to mount one.

use crate::client::Client;
use crate::real_disk::{Disk, disk, run};
use crate::sender::{REQUEST, Sender};
use crate::stage::{DEADLINE, Stage};
use crate::{event, lines};
use localenv::process::Guarded;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// More than the deadline of the shutdown (1 s), and less than anybody's patience.
const END: Duration = Duration::from_secs(15);
const SAYS: &str = "the spool's disk has not answered for ";
const FILE_SAYS: &str = "the disk of dead_letter.file has not answered for ";
const DEADLINE_OF_THE_END: &str = "[run]\nshutdown_deadline = \"1s\"";

/// As long as this lives nobody gets an answer of the disk. Made after the producer, so that it ends before it also in a panic:
/// no process can end while the kernel holds one of its threads.
struct Frozen<'a>(&'a Path);

impl<'a> Frozen<'a> {
    fn new(disk: &'a Disk) -> Self {
        run(Command::new("fsfreeze").arg("-f").arg(&disk.at)).unwrap();
        Self(&disk.at)
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        let _ = run(Command::new("fsfreeze").arg("-u").arg(self.0));
    }
}

/// The kernel keeps the process until its disk answers: what it says comes before.
fn says(stage: &Stage, producer: &mut Guarded, what: &str, begin: Instant) {
    while !stage.log().contains(what) {
        assert!(begin.elapsed() < END, "{what} never came:\n{}", stage.log());
        producer.wait_exit(Duration::from_millis(20)).unwrap();
    }
}

fn names_it(why: &Value) -> bool {
    why.as_str().is_some_and(|why| why.contains(SAYS))
}

fn is_told(stage: &Stage, producer: &mut Guarded, sender: &mut Sender) {
    let waited = sender.send();
    assert_eq!((waited.status, waited.reason().as_str()), (503, "no-answer-in-time"), "{}", waited.json());
    let refused = sender.send();
    assert_eq!((refused.status, refused.reason().as_str()), (503, "closed"), "{}", refused.json());
    assert!(names_it(&waited.json()["error"]) && names_it(&refused.json()["error"]), "{}", waited.json());
    let unready = stage.until_unready(producer);
    let wrong = &unready.json()["wrong"][0];
    assert!(wrong["component"] == "spool-disk" && names_it(&wrong["why"]), "{wrong}");
}

/// The report comes although the disk does not answer; then it does.
fn ends(stage: &Stage, producer: &mut Guarded, frozen: Frozen<'_>) -> Option<i32> {
    let begin = Instant::now();
    producer.terminate().unwrap();
    while !stage.path("report.json").exists() {
        assert!(begin.elapsed() < END, "no report:\n{}", stage.log());
        producer.wait_exit(Duration::from_millis(20)).unwrap();
    }
    drop(frozen);
    let code = producer.wait_exit(DEADLINE).unwrap().expect("it ends").code();
    assert!(stage.report().adds_up(), "{}", stage.report());
    code
}

#[test]
fn a_disk_that_hangs_when_the_spool_is_closed_does_not_hold_the_end() {
    let stage = Stage::new();
    let Some(disk) = disk(&stage) else { return };
    let spool = format!("{DEADLINE_OF_THE_END}\n[spool]\ndir = {:?}", disk.at.join("spool"));
    let mut producer = stage.start("", &spool);
    let mut sender = Sender::to(stage.address(&mut producer));
    assert_eq!(sender.send().status, 202);
    let frozen = Frozen::new(&disk);
    assert_eq!(sender.send().status, 202, "nothing of it needs the disk");
    assert_eq!(ends(&stage, &mut producer, frozen), Some(0), "{}", stage.log());
    let report = stage.report();
    assert_eq!((report.acknowledged, report.failed, report.in_spool), (2 * REQUEST, 0, 0), "{report}");
    assert!(stage.log().contains(SAYS), "{}", stage.log());
    sender.assert_delivered(&stage.read_all());
}

#[test]
fn a_disk_under_the_set_aside_file_that_hangs_is_told_and_does_not_hold_the_end() {
    let stage = Stage::new();
    let Some(disk) = disk(&stage) else { return };
    std::os::unix::fs::symlink(disk.at.join("aside.ndjson"), stage.path("aside.ndjson")).unwrap();
    let mut producer = stage.start("answer_within = \"60s\"", DEADLINE_OF_THE_END);
    let mut client = Client::to(stage.address(&mut producer));
    let without_route = |seq| lines(&[event("BR7", 999, seq)]);
    assert_eq!(client.post(&without_route(1)).status, 202, "it is in the file");
    let frozen = Frozen::new(&disk);
    let told = client.post(&without_route(2)).json();
    assert!(told["error"].as_str().is_some_and(|why| why.starts_with(FILE_SAYS)), "{told}");
    let unready = stage.until_unready(&mut producer);
    let wrong = unready.json()["wrong"].clone();
    assert!(wrong.as_array().unwrap().iter().any(|wrong| wrong["component"] == "set-aside-disk"), "{wrong}");
    ends(&stage, &mut producer, frozen);
}

#[test]
fn a_disk_that_hangs_is_told_and_holds_neither_senders_nor_the_end() {
    let stage = Stage::new();
    let Some(disk) = disk(&stage) else { return };
    let spool =
        format!("[run]\nshutdown_deadline = \"1s\"\n[spool]\ndir = {:?}\nafter = \"500ms\"", disk.at.join("spool"));
    let mut producer = stage.start("answer_within = \"60s\"", &spool);
    let mut sender = Sender::to(stage.address(&mut producer));
    assert_eq!(sender.send().status, 202, "Kafka is there");
    stage.brokers(false);
    assert_eq!(sender.send().status, 202, "the spool has it");

    let frozen = Frozen::new(&disk);
    is_told(&stage, &mut producer, &mut sender);
    drop(frozen);
    stage.until(&mut producer, "readiness", || (stage.admin().get("/readyz").status == 200).then_some(()));
    assert_eq!(sender.send().status, 202, "it answers again");

    let frozen = Frozen::new(&disk);
    is_told(&stage, &mut producer, &mut sender);
    let begin = Instant::now();
    producer.terminate().unwrap();
    says(&stage, &mut producer, "events are neither in Kafka nor known to be on a disk", begin);
    let report = stage.report();
    assert!(report.adds_up() && report.ended == "stopped: SIGTERM", "{report}");
    assert!(report.failed > 0 && report.in_spool >= REQUEST, "{report}");
    drop(frozen);
    assert_eq!(producer.wait_exit(DEADLINE).unwrap().expect("it ends").code(), Some(1), "{}", stage.log());

    stage.brokers(true);
    let mut producer = stage.start("", &spool);
    sender.move_to(stage.address(&mut producer));
    assert_eq!(sender.send().status, 202);
    stage.until_empty(&mut producer);
    stage.stop(&mut producer);
    sender.assert_delivered(&stage.read_all());
}
