//! Far more events than pass through a queue that is far too small.

use crate::stage::{Stage, counted};

/// Of one core. A twelfth is needed, and a loop that asks for room without waiting for answers takes a quarter at least.
const CPU: f64 = 0.16;
/// Bytes. What is due and not sent yet waits in the load's plan, not in memory: 200,000 events/s are 40 MB/s.
const MEMORY: u64 = 128 << 20;

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
    assert!(report.cpu_seconds < CPU * report.duration_seconds, "it spins: {report}");
    assert!(report.peak_rss_bytes < MEMORY, "memory grows with the overload: {report}");
    let proof = stage.proof();
    assert_eq!(proof.duplicates_delivered, 0, "{proof:?}");
    stage.showed(&format!(
        "200,000 events/s into a queue of 100, full {} times: {}, {:.1} % of a core, {} MiB",
        report.queue_full,
        counted(&proof),
        100.0 * report.cpu_seconds / report.duration_seconds,
        report.peak_rss_bytes >> 20,
    ));
}
