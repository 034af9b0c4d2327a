//! Every broker stands still for some seconds: latency counts from the due time, so the report must show it.

use crate::stage::{Stage, counted};
use std::time::{Duration, Instant};

#[test]
fn a_standstill_of_five_seconds_is_in_the_report_and_loses_nothing() {
    let mut stage = Stage::new("standstill");
    let mut producer = stage.start(&stage.generator(13_000, 15));
    stage.shows(&mut producer, "acknowledged events", |status| status["acknowledged"].as_u64() > Some(30_000));
    let begin = Instant::now();
    stage.freeze_all();
    stage.hold(&mut producer, begin, Duration::from_secs(5));
    stage.thaw_all();
    let report = stage.ended(&mut producer);
    eprintln!("{report}");
    let latency = report.ack_latency_ms;
    assert!(latency.p999 >= 4_900.0 && latency.max >= 4_900.0, "{latency:?}");
    assert_eq!((report.offered, report.acknowledged, report.failed), (195_000, 195_000, 0), "{report}");
    let proof = stage.proof();
    assert_eq!(proof.duplicates_delivered, 0, "the client kept its identity: {proof:?}");
    stage.showed(&format!(
        "all stood still for 5 s at 13,000 events/s: acknowledged in p99.9 {:.0} ms, max {:.0} ms; {}",
        latency.p999,
        latency.max,
        counted(&proof),
    ));
}
