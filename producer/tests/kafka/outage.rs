//! Kafka is away while senders go on, and the producer is killed in the middle of it.

use crate::senders::{self, Senders};
use crate::stage::{Stage, from_environment};
use domain::ledger::{Deliveries, LedgerKey};
use producer::spool::Spool;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long Kafka is away; `OUTAGE_SECONDS=60` is the promise.
fn outage() -> Duration {
    Duration::from_secs(from_environment("OUTAGE_SECONDS", 12))
}

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
    stage.broker().kill(1).unwrap();
    stage.shows(&mut producer, "events in the spool", |status| spool(status, "taken") > 2_000);
    stage.hold(&mut producer, begin, outage() / 2);
    producer.kill().unwrap();
    let mut producer = stage.start(&config);
    stage.shows(&mut producer, "events taken without Kafka", |status| {
        spool(status, "recovered") > 2_000 && spool(status, "taken") > 2_000
    });
    stage.hold(&mut producer, begin, outage());
    stage.broker().restart(1).unwrap();
    stage.shows(&mut producer, "the spool to empty", |status| {
        spool(status, "events") == 0 && status["acknowledged"].as_u64() > Some(spool(status, "recovered"))
    });

    let met = senders.stop();
    eprintln!("senders: {met:?}");
    stage.shows(&mut producer, "every answer", |status| spool(status, "events") == 0 && status["queue"] == 0);
    let report = stage.stop(&mut producer);
    eprintln!("{report}");
    assert!(report.adds_up(), "{report}");
    assert_eq!((report.in_spool, report.failed, report.dead_lettered), (0, 0, 0), "{report}");
    let left = Spool::open(&stage.path("spool"), 1 << 30).unwrap();
    assert_eq!((left.len(), left.bytes()), (0, 0));

    let deliveries = stage.deliveries();
    eprintln!("{} records, {} of them repeats", deliveries.events(), deliveries.duplicates());
    all_in_order(&deliveries, &met);
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
