//! How long records take from stage to stage, as the histograms say it: by the clock, to the right bucket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use rig::{Rig, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// The rig's clock goes in steps.
const STEP: f64 = 0.011;

/// A histogram as Prometheus would read it.
struct Seen<'a> {
    text: &'a str,
    name: &'a str,
    label: &'a str,
}

impl Seen<'_> {
    fn value(&self, part: &str, bound: &str) -> f64 {
        let labels = [self.label, bound].into_iter().filter(|label| !label.is_empty()).collect::<Vec<_>>().join(",");
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let line = format!("comboio_consumer_{}_seconds_{part}{labels} ", self.name);
        let found = self.text.lines().find_map(|one| one.strip_prefix(&line));
        found.unwrap_or_else(|| panic!("no {line} in\n{}", self.text)).parse().unwrap()
    }

    /// So long each, and in the bucket that ends here.
    fn assert_all(&self, each: &[(f64, &str)]) {
        let sum: f64 = each.iter().map(|(seconds, _)| seconds).sum();
        let found = self.value("sum", "");
        assert!((found - sum).abs() < STEP * each.len() as f64, "{} {} is {found}, not {sum}", self.name, self.label);
        for (upper, before) in BOUNDS.windows(2).map(|pair| (pair[1], pair[0])) {
            let inside = self.value("bucket", &le(upper)) - self.value("bucket", &le(before));
            let expected = each.iter().filter(|(_, bucket)| *bucket == upper).count();
            assert_eq!(inside, expected as f64, "{} {} up to {upper}", self.name, self.label);
        }
        assert_eq!(self.value("count", ""), each.len() as f64, "{} {}", self.name, self.label);
    }
}

/// Of the buckets that count here.
const BOUNDS: [&str; 9] = ["0.01", "0.2", "0.5", "1", "2", "5", "10", "30", "60"];

fn le(bound: &str) -> String {
    format!("le=\"{bound}\"")
}

/// The rig's records have the broker's timestamp 1 s and as many milliseconds as their offset.
#[tokio::test(start_paused = true)]
async fn records_with_known_times_are_in_the_right_buckets_of_every_stage() {
    let mut rig = Rig::new(settings(1, 100));
    rig.assign(&[0]);
    rig.latency(SECOND * 3);
    rig.pass(SECOND * 21).await;
    // Two records, of 1.0 s and 1.7 s: polled at 21.0 s and 21.3 s, called at 22.0 s, answered at 25.0 s.
    rig.receive(0, 0..1);
    rig.pass(SECOND * 3 / 10).await;
    rig.receive(0, 700..701);
    rig.pass(SECOND * 12 / 10).await;
    // One record, of 6.0 s: polled at 22.5 s, closed at 23.5 s, called when the lane is free, answered at 28.0 s.
    rig.receive(0, 5_000..5_001);
    rig.pass(SECOND * 4).await;
    assert_eq!(rig.commit(), [(0, 5_000)], "at 26.5 s");
    rig.pass(SECOND * 4).await;
    assert_eq!(rig.commit(), [(0, 5_001)], "at 30.5 s");

    let text = rig.metrics.render();
    let seen = |name, label| Seen { text: &text, name, label };
    let (oldest, newest) = ("record=\"oldest\"", "record=\"newest\"");
    seen("poll_from_broker", oldest).assert_all(&[(20.0, "30"), (16.5, "30")]);
    seen("poll_from_broker", newest).assert_all(&[(19.6, "30"), (16.5, "30")]);
    seen("collect_open", oldest).assert_all(&[(1.0, "1"), (1.0, "1")]);
    seen("collect_open", newest).assert_all(&[(0.7, "1"), (1.0, "1")]);
    seen("invoke_wait", "").assert_all(&[(0.0, ""), (1.5, "2")]);
    seen("invoke_latency", "").assert_all(&[(3.0, "5"), (3.0, "5")]);
    seen("commit_wait", "").assert_all(&[(1.5, "2"), (2.5, "5")]);
    seen("commit_from_broker", oldest).assert_all(&[(25.5, "30"), (24.5, "30")]);
    seen("commit_from_broker", newest).assert_all(&[(24.8, "30"), (24.5, "30")]);
}
