//! Limits that change while the producer runs: the seconds that follow keep them, whichever of the two is the narrower one.

use crate::admin::{ask, status};
use crate::stage::{DEADLINE, Stage};
use localenv::process::Guarded;
use producer::report::Report;
use std::time::SystemTime;

/// Far more than any of the limits.
const LOAD: &str = "4000";
/// Whole seconds that each pair of limits holds, at least.
const SECONDS: usize = 3;
/// A second never has more than its limit and a small burst.
const MOST: f64 = 1.03;
/// Nor much less over all of them: a machine that stands still now and then costs a little.
const LEAST: f64 = 0.9;

/// The two limits, and between which moments (ms since the epoch) they held.
struct Held {
    events: f64,
    bytes: f64,
    from_ms: i64,
    until_ms: i64,
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Sets limits, and waits until at least `events` a second were sent for some seconds.
fn hold(stage: &Stage, producer: &mut Guarded, admin: &str, (events, kib, expected): (u32, u64, u64)) -> Held {
    let change = format!("{{\"events_per_second\":{events},\"bytes_per_second\":\"{kib}KiB\"}}");
    let answer = ask(admin, "PUT /control/limits", &change);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let from_ms = now_ms();
    let sent = || status(admin)["sent"].as_u64();
    let enough = sent().unwrap() + (SECONDS as u64 + 2) * expected;
    stage.until(producer, "enough events under the limits", || sent().filter(|sent| *sent >= enough));
    Held { events: f64::from(events), bytes: (kib * 1024) as f64, from_ms, until_ms: now_ms() }
}

/// The whole seconds of the run in which they held: each within the narrower limit, and together not far below it.
fn kept(held: &Held, report: &Report) {
    let second = |ms: i64| (ms - report.started_ms).max(0) as usize / 1_000;
    let (from, until) = (second(held.from_ms) + 1, second(held.until_ms));
    assert!(until >= from + SECONDS, "too fast for {SECONDS} whole seconds: from {from} to {until}");
    let seconds = &report.rate.seconds[from..until];
    let by_bytes = held.bytes * report.sent as f64 / report.sent_bytes as f64;
    let limit = [held.events, by_bytes].into_iter().filter(|limit| *limit > 0.0).fold(f64::INFINITY, f64::min);
    let told = format!("{} events/s, {} bytes/s: {limit:.1} of {seconds:?}", held.events, held.bytes);
    assert!(seconds.iter().all(|second| second.sent as f64 <= limit * MOST + 2.0), "{told}");
    let mean = seconds.iter().map(|second| second.sent).sum::<u64>() as f64 / seconds.len() as f64;
    assert!(mean >= limit * LEAST, "{told}");
}

#[test]
fn limits_set_while_it_runs_hold_from_the_next_second_on_alone_and_together() {
    let stage = Stage::new();
    let mut producer = stage.start("", &["--rate", LOAD, "--duration", "10m"]);
    let admin = stage.running(&mut producer);
    // Events/s, KiB/s (0 is no limit), and the events/s that come of them: an event has about 200 bytes.
    let pairs = [(200, 0, 200), (0, 60, 290), (150, 60, 150), (150, 20, 95)];
    let held = pairs.map(|pair| hold(&stage, &mut producer, &admin, pair));
    assert_eq!(producer.stop(DEADLINE).unwrap().code(), Some(0), "{}", stage.log());
    let report = stage.report();
    held.iter().for_each(|held| kept(held, &report));
    assert_eq!((report.acknowledged, report.failed), (report.offered, 0), "{report}");
}
