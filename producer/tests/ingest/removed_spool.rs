//! Somebody removes the spool's folder while it is in use, and then the producer is killed.

use crate::sender::{REQUEST, Sender};
use crate::stage::Stage;

#[test]
fn a_spool_that_is_removed_in_use_is_written_anew_and_loses_nothing() {
    let stage = Stage::new();
    let folder = stage.path("spool");
    let spool = format!("[spool]\ndir = {folder:?}\nafter = \"500ms\"");
    let mut producer = stage.start("answer_within = \"5s\"", &spool);
    let mut sender = Sender::to(stage.address(&mut producer));
    assert_eq!(sender.send().status, 202, "Kafka is there");
    stage.brokers(false);
    let spooled = || stage.admin().get("/status").json()["spool"]["events"].as_u64().unwrap();
    stage.until(&mut producer, "an event in the spool", || {
        sender.send();
        (spooled() > 0).then_some(())
    });

    std::fs::remove_dir_all(&folder).unwrap();
    let file = folder.join("spool.redb");
    stage.until(&mut producer, "the file to be there again", || file.exists().then_some(()));
    assert_eq!(sender.send().status, 202);
    assert!(stage.log().contains("was removed while it was in use"), "{}", stage.log());
    producer.kill().unwrap();

    stage.brokers(true);
    let mut producer = stage.start("", &spool);
    sender.move_to(stage.address(&mut producer));
    assert_eq!(sender.send().status, 202);
    stage.until_empty(&mut producer);
    let report = stage.stop(&mut producer);
    assert!(report.adds_up() && report.recovered >= 2 * REQUEST, "{report}");
    sender.assert_delivered(&stage.read_all());
}
