//! All brokers are killed while senders go on, and the producer is killed in the middle of it.

use crate::senders::{self, Senders};
use crate::stage::{Stage, from_environment, peak_memory};
use domain::ledger::{Deliveries, LedgerKey};
use producer::spool::Spool;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long Kafka is away; `OUTAGE_SECONDS=60` is the promise.
fn outage() -> Duration {
    Duration::from_secs(from_environment("OUTAGE_SECONDS", 12))
}

/// No event waits longer for its 202, whatever is away: the spool's `after`, and the time in which the producer itself is not there.
const LONGEST: Duration = Duration::from_secs(10);
/// While only Kafka is away, the spool takes what is due as it comes.
const BEHIND: Duration = Duration::from_secs(1);
/// Bytes. An outage grows on the disk, not in memory.
const MEMORY: u64 = 192 << 20;

fn spool(status: &Value, what: &str) -> u64 {
    status["spool"][what].as_u64().unwrap()
}

#[test]
fn what_was_accepted_during_an_outage_and_before_a_kill_is_delivered_in_order() {
    let mut stage = Stage::new("outage");
    let config = format!(
        "[run]\nstart_deadline = \"2s\"\nshutdown_deadline = \"60s\"\n[source]\nkind = \"ingest\"\n[ingest]\n\
         listen = \"127.0.0.1:0\"\naddress_file = {:?}\n[spool]\ndir = {:?}\nafter = \"2s\"\n",
        stage.path("ingest"),
        stage.path("spool"),
    );
    let mut producer = stage.start(&config);
    let senders = Senders::start(stage.path("ingest"));
    stage.shows(&mut producer, "acknowledged events", |status| status["acknowledged"].as_u64() > Some(2_000));

    let begin = Instant::now();
    stage.broker().kill_all().unwrap();
    stage.shows(&mut producer, "events in the spool", |status| spool(status, "taken") > 2_000);
    stage.hold(&mut producer, begin, outage() / 2);
    assert!(senders.behind() < BEHIND, "2,000 events/s are not taken: {:?} behind", senders.behind());
    let first = peak_memory(&producer);
    producer.kill().unwrap();
    let mut producer = stage.start(&config);
    stage.shows(&mut producer, "events taken without Kafka", |status| {
        spool(status, "recovered") > 2_000 && spool(status, "taken") > 2_000
    });
    stage.hold(&mut producer, begin, outage());
    assert!(senders.behind() < BEHIND, "2,000 events/s are not taken: {:?} behind", senders.behind());
    stage.broker().restart_all().unwrap();
    stage.shows(&mut producer, "the spool to empty", |status| {
        spool(status, "events") == 0 && status["acknowledged"].as_u64() > Some(spool(status, "recovered"))
    });

    let taken = senders.accepted_share();
    let met = senders.stop();
    eprintln!("senders: {taken:.3} of 2,000 events/s answered with 202, {met:?}");
    assert!(taken >= 0.98, "{taken}");
    assert!(met.iter().all(|met| met.longest < LONGEST), "{met:?}");
    stage.shows(&mut producer, "every answer", |status| spool(status, "events") == 0 && status["queue"] == 0);
    let report = stage.stop(&mut producer);
    eprintln!("{report}\n{} MiB at most before the kill", first >> 20);
    assert!(first.max(report.peak_rss_bytes) < MEMORY, "memory: {first} bytes before the kill, then {report}");
    assert!(report.adds_up(), "{report}");
    assert_eq!((report.in_spool, report.failed, report.dead_lettered), (0, 0, 0), "{report}");
    let left = Spool::open(&stage.path("spool"), 1 << 30).unwrap();
    assert_eq!((left.len(), left.bytes()), (0, 0));

    let deliveries = stage.deliveries();
    all_in_order(&deliveries, &met);
    stage.showed(&format!(
        "all away for {} s at 2,000 events/s, the producer killed in the middle: {:.1} % answered with 202, each of these {} delivered in order, {} repeats, {} MiB",
        outage().as_secs(),
        100.0 * taken.min(1.0),
        deliveries.first_deliveries(),
        deliveries.duplicates(),
        first.max(report.peak_rss_bytes) >> 20,
    ));
}

/// Every accepted event is there; what came first came in order.
fn all_in_order(deliveries: &Deliveries, met: &[senders::Met]) {
    assert_eq!(deliveries.order_violations(), 0, "{:?}", deliveries.order_examples());
    for (sender, met) in met.iter().enumerate() {
        for (truck_id, codigo) in senders::keys(sender) {
            let key = LedgerKey { run: "s".into(), truck_id, codigo };
            let arrived = deliveries.seqs(&key).unwrap();
            assert_eq!(arrived.ranges(), [(1, senders::events_of(met))], "{key:?}");
        }
    }
}
