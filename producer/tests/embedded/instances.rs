//! Instances of one load, started together: they send exactly what one producer would send.

use crate::stage::{DEADLINE, Stage};
use domain::event::EventId;
use domain::ledger::{Deliveries, Produced, Seen, verify};
use localenv::process::Guarded;
use producer::report::Report;
use rdkafka::message::Message;
use std::collections::{BTreeMap, HashSet};

const RATE: u64 = 1_000;
const SECONDS: u64 = 10;
/// Of the rate: over the run, and of a second.
const CLOSE: f64 = 0.005;
const WHOLE: u64 = RATE * SECONDS;

/// Truck and codigo, and the seqs that were offered of them.
type Series = BTreeMap<(String, u32), Vec<(u64, u64)>>;

fn profile(stage: &Stage) -> String {
    let text = format!(
        "purpose = \"t\"\nseed = 11\nduration = \"{SECONDS}s\"\nshape = {{ kind = \"constant\", rate = {RATE} }}\n\
         codes = {{ share = 0.8, of = 0.2, groups = [{{ first = 400, count = 8 }}, {{ first = 300, count = 2 }}] }}\n\
         fleet = {{ trucks = 40, zipf = 0.8 }}\n"
    );
    stage.write("load.toml", &text).to_str().unwrap().to_owned()
}

/// Starts all instances of a load that `of` producers share; the run is named after their number.
fn start(stage: &Stage, profile: &str, of: u32) -> Vec<(Stage, Guarded)> {
    let one = |number: u32| {
        let own = stage.beside();
        let config = format!("[run]\ninstance = \"{number}/{of}\"\nid = \"of{of}\"");
        let producer = own.start(&config, &["--profile", profile]);
        (own, producer)
    };
    (1..=of).map(one).collect()
}

/// Waits for their ends; a report and a ledger of each.
fn ended(instances: Vec<(Stage, Guarded)>) -> Vec<(Report, Produced)> {
    let end = |(own, mut producer): (Stage, Guarded)| {
        let status = producer.wait_exit(DEADLINE).unwrap().expect("it ends");
        assert_eq!(status.code(), Some(0), "{}", own.log());
        (own.report(), own.ledger())
    };
    instances.into_iter().map(end).collect()
}

/// What all of them offered; no truck is on two of them.
fn series(instances: &[(Report, Produced)]) -> Series {
    let (mut all, mut trucks) = (Series::new(), HashSet::new());
    for (report, ledger) in instances {
        let own: HashSet<&str> = ledger.keys().map(|(key, _)| key.truck_id.as_str()).collect();
        assert!(own.is_disjoint(&trucks), "a truck of {} is on another instance too", report.source);
        trucks.extend(own);
        let series = |key: &domain::ledger::LedgerKey| (key.truck_id.clone(), key.codigo);
        all.extend(ledger.keys().map(|(key, sent)| (series(key), sent.offered.ranges().to_vec())));
    }
    all
}

/// Second by second the plans add up, and over the run the rates: instances that fall behind run longer, and their mean is smaller.
/// Seconds add up one by one, except where the machine stood still at the end of one and a few events left in the next: fewer than half.
fn rates_add_up(instances: &[(Report, Produced)], whole: &Report) {
    let sum = |of: &dyn Fn(&Report) -> f64| instances.iter().map(|(report, _)| of(report)).sum::<f64>();
    let close = |rate: f64| (rate / RATE as f64 - 1.0).abs() < CLOSE;
    let mut seconds = Vec::new();
    for second in 0..SECONDS as usize {
        let planned = |report: &Report| report.rate.seconds[second].planned.unwrap();
        let all: u64 = instances.iter().map(|(report, _)| planned(report)).sum();
        assert_eq!(all, planned(whole), "second {second}");
        seconds.push(sum(&|report| report.rate.seconds[second].sent as f64));
    }
    assert_eq!(instances.iter().map(|(report, _)| report.sent).sum::<u64>(), WHOLE);
    let even = seconds.iter().filter(|sent| close(**sent)).count();
    assert!(even * 2 >= seconds.len(), "only {even} seconds are close to {RATE}: {seconds:?}");
    let (mean, target) = (sum(&|report| report.rate.mean), sum(&|report| report.rate.target.unwrap()));
    eprintln!("{} instances: {mean:.1} events/s, {even} of {SECONDS} seconds close to {RATE}", instances.len());
    assert!(close(mean) && close(target), "mean {mean}, target {target} events/s of {RATE}: {seconds:?}");
}

#[test]
fn instances_started_together_send_what_one_would_send() {
    let stage = Stage::new();
    let profile = profile(&stage);
    // All six at once, so that the shares of two and of three instances are held against the same load sent by one.
    let groups: Vec<_> = (1..=3).map(|of| start(&stage, &profile, of)).collect();
    let groups: Vec<_> = groups.into_iter().map(ended).collect();

    let whole = series(&groups[0]);
    assert!(whole.len() > 100, "{} series are few", whole.len());
    for group in &groups {
        assert!(series(group) == whole, "{} instances send other series than one", group.len());
        rates_add_up(group, &groups[0][0].0);
    }

    let mut deliveries = Deliveries::default();
    stage.read(3 * WHOLE, |message| {
        let event = domain::event::check(message.payload().unwrap()).unwrap();
        assert_eq!(deliveries.record(&EventId::parse(&event.id).unwrap()), Seen::First, "{}", event.id);
    });
    let mut produced = Produced::default();
    for (key, sent) in groups.iter().flatten().flat_map(|(_, ledger)| ledger.keys()) {
        *produced.key(key.clone()) = sent.clone();
    }
    let proof = verify(&produced, &deliveries, &Deliveries::default());
    assert!(proof.holds() && proof.delivered == 3 * WHOLE, "{proof:?}");
}
