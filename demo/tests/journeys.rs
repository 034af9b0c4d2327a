//! Whole journeys with real processes on the embedded broker: the ledger adds up, and the proof fails when something is broken on purpose.
//! On real Kafka they are the stories.
//!
//! They take turns, because each of them wants the machine's cores.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../consumer/tests/faults/log.rs"]
#[allow(dead_code)]
mod log;

use demo::journey;
use demo::options::Options;
use demo::report::Report;
use demo::view::View;
use log::Log;
use tokio::sync::Mutex;

static TURN: Mutex<()> = Mutex::const_new(());

async fn travel(arguments: &[&str]) -> Report {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_string_lossy().into_owned();
    let always = ["comboio-demo", "--folder", &name, "--duration", "8"];
    let options = Options::read(always.iter().chain(arguments)).unwrap();
    let report = journey::run(&options, &mut View::new()).await.unwrap();
    assert!(Log::assert_coordinates_of_all(&folder.path().join("run")) >= 3, "every consumer has a log");
    report
}

fn adds_up(report: &Report, events: u64) {
    assert!(report.holds, "{report}");
    assert_eq!(report.offered, events, "{report}");
    assert_eq!((report.lost, report.order_violations), (0, 0), "{report}");
    assert!(report.rejected > 0 && report.rejected == report.dead_lettered - report.dead_letters_explained, "{report}");
    assert!(report.duplicates_delivered <= report.duplicates_bound, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_adds_up_on_the_embedded_broker_although_a_consumer_is_killed() {
    let report = travel(&["--rate", "4000"]).await;
    adds_up(&report, 32_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_the_destination_forgot_is_named_as_lost() {
    let report = travel(&["--rate", "4000", "--fault", "drop-delivery"]).await;
    assert!(!report.holds && report.lost > 0, "{report}");
    assert!(!report.lost_examples.is_empty(), "{report}");
    assert!(report.to_string().contains("events lost, the first: "), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_commits_before_the_answer_is_found_out() {
    let report = travel(&["--rate", "4000", "--fault", "commit-early"]).await;
    assert!(!report.holds && report.lost > 0, "{report}");
    assert!(!report.lost_examples.is_empty(), "{report}");
}
