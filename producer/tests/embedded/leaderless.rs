//! Partitions without a leader: the others go on, nothing becomes a dead letter, and all is there at the end.

use crate::admin::status;
use crate::stage::{DEADLINE, Stage};
use serde_json::Value;

const LOAD: &str = r#"
purpose = "Enough for a spool that holds far more than one pass tries"
seed = 1
duration = "10m"

[shape]
kind = "constant"
rate = 3000

[codes]
share = 0.8
of = 0.2
groups = [{ first = 400, count = 12 }, { first = 300, count = 8 }]

[fleet]
trucks = 50

[expected]
result = "all of it in Kafka"
"#;

fn number(status: &Value, field: &str) -> u64 {
    status.pointer(field).and_then(Value::as_u64).unwrap_or_default()
}

#[test]
fn partitions_without_a_leader_hold_up_no_others_and_make_no_dead_letters() {
    let stage = Stage::new();
    let (profile, spool) = (stage.write("load.toml", LOAD), stage.path("spool"));
    let config = format!("[source]\nprofile = {profile:?}\n[spool]\ndir = {spool:?}\nafter = \"1s\"\nattempts = 1\n");
    let mut producer = stage.start(&config, &[]);
    let admin = stage.running(&mut producer);
    stage.second_broker(false);
    let held = || number(&status(&admin), "/spool/events");
    stage.until(&mut producer, "a spool full of silent partitions", || (held() > 3_000).then_some(()));
    let acknowledged = || number(&status(&admin), "/acknowledged");
    let before = acknowledged();
    // On a busy machine others may lie in it for a moment as well.
    let full_and_going_on = || (acknowledged() > before + 6_000 && held() > 3_000).then_some(());
    stage.until(&mut producer, "acknowledgements of others beside a full spool", full_and_going_on);
    assert!(stage.log().contains("partitions do not answer"), "{}", stage.log());
    stage.second_broker(true);
    stage.until(&mut producer, "an empty spool", || (held() == 0).then_some(()));
    assert_eq!(producer.stop(DEADLINE).unwrap().code(), Some(0), "{}", stage.log());
    let report = stage.report();
    assert!(report.adds_up() && report.acknowledged == report.offered, "{report}");
    assert_eq!((report.failed, report.dead_lettered, report.in_spool), (0, 0, 0));
}
