//! Every story on three real brokers with mutual TLS, at 5,000 events/s and more: the proof holds, and what the story is about did happen.
//!
//! They take turns on one cluster, because its start takes longer than some of them.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../consumer/tests/faults/log.rs"]
#[allow(dead_code)]
mod log;

use demo::journey;
use demo::layout::RunFolder;
use demo::options::{BrokerKind, Options};
use demo::report::Report;
use demo::view::View;
use demo::world::start_broker;
use localenv::broker::Broker;
use log::Log;
use std::sync::{Arc, Weak};
use tempfile::TempDir;
use tokio::sync::Mutex;

const RATE: f64 = 5_000.0;
/// What is asked for, so that a start that is a little late leaves enough.
const ASKED: &str = "5200";

/// The cluster, and the folder that holds its data; gone with the last test that waits for its turn.
struct Ground {
    broker: Broker,
    _folder: TempDir,
}

static GROUND: Mutex<Weak<Mutex<Ground>>> = Mutex::const_new(Weak::new());

async fn ground() -> Arc<Mutex<Ground>> {
    let mut shared = GROUND.lock().await;
    if let Some(ground) = shared.upgrade() {
        return ground;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("kafka");
    let broker = tokio::task::block_in_place(|| start_broker(BrokerKind::Kafka, &data)).unwrap();
    let ground = Arc::new(Mutex::new(Ground { broker, _folder: folder }));
    *shared = Arc::downgrade(&ground);
    ground
}

/// Tells a story; when the proof does not hold, the logs stay where the report says.
async fn tell(arguments: &[&str]) -> Report {
    let ground = ground().await;
    let mut turn = ground.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let line = ["comboio-demo", "--broker", "kafka", "--rate", ASKED];
    let options = Options::read(line.iter().chain(arguments)).unwrap();
    let run = RunFolder::create(folder.path()).unwrap();
    let told = journey::run_on(&mut turn.broker, run, &options, &mut View::new()).await;
    let as_expected = told.as_ref().is_ok_and(|report| report.holds || report.fault != "none");
    if !as_expected {
        eprintln!("what is left of {arguments:?} is in {}", folder.keep().display());
        return told.unwrap();
    }
    assert!(Log::assert_coordinates_of_all(&folder.path().join("run")) >= 3, "every consumer has a log");
    told.unwrap()
}

/// What holds for every story.
fn holds(report: &Report) {
    assert!(report.holds, "{report}");
    assert_eq!((report.lost, report.order_violations, report.unsent), (0, 0, 0), "{report}");
    assert_eq!(report.offered, report.delivered + report.rejected, "{report}");
    assert!(report.rate_mean >= RATE && report.rejected > 0, "{report}");
    assert!(report.chronicle.checks.iter().any(|check| check.what == "no commit went back"), "{report}");
}

fn figure(report: &Report, name: &str) -> f64 {
    report.chronicle.figures.iter().find(|figure| figure.name == name).unwrap().value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_consumer_s_partitions_are_inherited_and_only_what_it_had_in_flight_comes_again() {
    let report = tell(&["--story", "kill", "--duration", "12"]).await;
    holds(&report);
    assert_eq!(report.offered, 62_400, "{report}");
    assert!(report.duplicates_delivered <= report.duplicates_bound, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_stood_still_joins_again_and_commits_nothing_that_is_others_by_then() {
    let report = tell(&["--story", "freeze"]).await;
    holds(&report);
    assert!(report.duplicates_bound > 0 && report.duplicates_delivered <= report.duplicates_bound, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_moves_no_partition_and_repeats_nothing() {
    let report = tell(&["--story", "rolling"]).await;
    holds(&report);
    assert_eq!(report.duplicates_delivered, 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_grows_and_shrinks_and_repeats_nothing() {
    let report = tell(&["--story", "scaling"]).await;
    holds(&report);
    assert_eq!(report.duplicates_delivered, 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_dies_and_comes_back_and_the_load_goes_on() {
    let report = tell(&["--story", "broker"]).await;
    holds(&report);
    assert_eq!(report.duplicates_delivered, 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_finds_its_new_coordinator() {
    let report = tell(&["--story", "coordinator"]).await;
    holds(&report);
    assert_eq!(report.duplicates_delivered, 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_added_and_the_keys_that_move_stay_in_order() {
    let report = tell(&["--story", "partitions"]).await;
    holds(&report);
    assert!(figure(&report, "keys moved") > 1_000.0, "{report}");
    assert_eq!(report.duplicates_delivered, 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_of_a_consumer_that_commits_before_the_answer_is_found_out() {
    let report = tell(&["--story", "rolling", "--fault", "commit-early"]).await;
    assert!(!report.holds && report.lost > 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_added_under_load_are_no_loss_whatever_becomes_of_the_order() {
    let report = tell(&["--story", "partitions", "--fault", "no-hold"]).await;
    assert_eq!((report.lost, report.unsent), (0, 0), "{report}");
    assert!(report.holds == (report.order_violations == 0), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_of_the_incident_falls_again_by_itself_whichever_way_consumers_are_restarted() {
    let report = tell(&["--story", "sev2"]).await;
    holds(&report);
    let peaks: Vec<i64> = report.chronicle.curves.iter().map(|curve| curve.lag.peak()).collect();
    assert!(peaks.len() == 2 && peaks.iter().all(|peak| *peak > 0), "{report}");
    assert_eq!(report.duplicates_delivered, 0, "{report}");
}
