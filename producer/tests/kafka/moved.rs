//! The whole cluster comes back elsewhere: only the bootstrap addresses stay.

use crate::stage::{Stage, counted};

#[test]
fn brokers_that_come_back_on_new_ports_are_found_again() {
    let mut stage = Stage::new("moved");
    let mut producer = stage.start(&stage.generator(5_000, 300));
    let acknowledged = |stage: &Stage| stage.status().unwrap()["acknowledged"].as_u64().unwrap();
    stage.shows(&mut producer, "acknowledged events", |status| status["acknowledged"].as_u64() > Some(10_000));
    stage.broker().restart_all_on_new_ports().unwrap();
    let before = acknowledged(&stage);
    stage.shows(&mut producer, "the brokers to be found again", |status| {
        status["acknowledged"].as_u64() > Some(before + 20_000) && status["queue"].as_u64() < Some(5_000)
    });
    let report = stage.stop(&mut producer);
    eprintln!("{report}");
    assert_eq!((report.failed, report.acknowledged), (0, report.offered), "{report}");
    let proof = stage.proof();
    stage.showed(&format!("all killed and back on new ports at 5,000 events/s, found again: {}", counted(&proof)));
}
