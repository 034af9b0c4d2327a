//! Far more events than pass through a queue that is far too small.

use crate::stage::Stage;

#[test]
fn a_queue_of_a_hundred_under_overload_keeps_order_and_does_not_spin() {
    let stage = Stage::new("overload");
    let config = format!("{}[send]\nqueue_records = 100\nlinger = \"20ms\"\n", stage.generator(200_000, 300));
    let mut producer = stage.start(&config);
    stage.shows(&mut producer, "acknowledged events", |status| status["acknowledged"].as_u64() > Some(60_000));
    let report = stage.stop(&mut producer);
    eprintln!("{report}");
    assert!(report.queue_full > 100, "{report}");
    assert_eq!((report.failed, report.acknowledged), (0, report.offered), "{report}");
    assert!(report.cpu_seconds < 0.6 * report.duration_seconds, "it spins: {report}");
    let proof = stage.proof();
    assert_eq!(proof.duplicates_delivered, 0, "{proof:?}");
}
