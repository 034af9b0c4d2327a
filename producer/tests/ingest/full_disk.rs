//! A disk that takes nothing more under the spool: a limit on the size of files stands for it.

use crate::sender::{REQUEST, Sender};
use crate::stage::{PRODUCER, Stage};
use std::process::Command;
use std::time::{Duration, Instant};

/// The producer, with files of up to 4 MiB: what goes beyond fails as it does on a full disk, with another number.
fn on_a_small_disk() -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -f 8192; exec \"$0\" \"$@\"", PRODUCER]);
    shell
}

#[test]
fn a_full_disk_fails_readiness_answers_503_and_loses_nothing_that_was_answered_202() {
    let stage = Stage::new();
    let spool = format!("[spool]\ndir = {:?}\nafter = \"500ms\"", stage.path("spool"));
    let mut producer = stage.start_by(on_a_small_disk(), "answer_within = \"1s\"", &spool);
    let mut sender = Sender::to(stage.address(&mut producer));
    assert_eq!(sender.send().status, 202, "Kafka is there");
    assert_eq!(stage.admin().get("/readyz").status, 200);

    stage.brokers(false);
    let refused = stage.until(&mut producer, "a full disk", || {
        let reply = sender.send();
        assert!([202, 503].contains(&reply.status), "{}", reply.json());
        (reply.reason() == "closed").then_some(reply.json())
    });
    let names_it = |why: &str| why.contains("spool.redb cannot be used") && why.contains("File too large");
    assert!(names_it(refused["error"].as_str().unwrap()), "{refused}");
    let unready = stage.until_unready(&mut producer);
    let wrong = &unready.json()["wrong"][0];
    assert!(wrong["component"] == "spool" && names_it(wrong["why"].as_str().unwrap()), "{wrong}");
    assert_eq!(stage.admin().get("/livez").status, 200, "it lives, and tries the disk again");
    // A small write that it takes now and then changes nothing.
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        assert_eq!((stage.admin().get("/readyz").status, sender.send().status), (503, 503));
    }
    // All requests but the first are on the disk alone.
    let spooled = (sender.accepted() - 1) * REQUEST;
    assert!(spooled > 0);

    producer.kill().unwrap();
    stage.brokers(true);
    let mut producer = stage.start("", &spool);
    sender.move_to(stage.address(&mut producer));
    assert_eq!(sender.send().status, 202, "there is room again");
    stage.until_empty(&mut producer);
    let report = stage.stop(&mut producer);
    assert!(report.adds_up() && report.recovered >= spooled, "{report}");
    assert_eq!((report.in_spool, report.failed, report.dead_lettered), (0, 0, 0), "{report}");
    sender.assert_delivered(&stage.read_all());
}
