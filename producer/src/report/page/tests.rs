//! A page holds everything, nothing from elsewhere, and no markup that is not ours.

use crate::knee::{Failing, Knee, Limits, Measured, Step};
use crate::latency::{Latency, Point, Quantile, Series};
use crate::report::{Report, Second, spread};

fn report() -> Report {
    let mut report = Report {
        run: "r<1>".into(),
        source: "generator (<script>alert(1)</script> & \"more\")".into(),
        ended: "complete".into(),
        duration_seconds: 3.4,
        offered: 40_000,
        acknowledged: 39_990,
        failed: 10,
        ack_latency_ms: Latency { p50: 4.2, p90: 8.0, p99: 12.5, p999: 40.0, max: 480.0 },
        topics: vec![spread("mt-<c400>", 3, &[10, 30])],
        ..Report::default()
    };
    report.failures.insert("timed <out>".into(), 10);
    report.rate.seconds = [13_000, 12_900, 13_100, 990].map(|sent| Second { planned: Some(13_000), sent }).to_vec();
    let point = |second| Point { second, count: 13_000, p50: 4.2, p99: 12.5, max: 480.0 };
    report.ack_latency_series = Series { every_seconds: 1, points: [0, 1, 3].map(point).to_vec() };
    let quantiles = [(0.5, 4.2), (0.99, 12.5), (1.0, 480.0)];
    report.ack_latency_distribution = quantiles.map(|(quantile, ms)| Quantile { quantile, ms }).to_vec();
    report
}

/// Every element that is opened is closed, in its order.
fn assert_well_formed(page: &str) {
    let mut open = Vec::new();
    for tag in page.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("a bare < before {tag}"));
        let name = tag.split([' ', '\n']).next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed), "in {tag}"),
            None if tag.ends_with('/') || ["meta", "!doctype"].contains(&name) => {}
            None => open.push(name.to_owned()),
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

#[test]
fn the_page_shows_the_report() {
    let page = report().page();
    assert_well_formed(&page);
    for said in
        ["39,990", "p99 12.5", "Partitions of mt-&lt;c400&gt;", "partition 2: 0 events", "10 x timed &lt;out&gt;"]
    {
        assert!(page.contains(said), "{said}");
    }
    assert_eq!(page.matches("<svg class=\"plot\"").count(), 4);
    // Three whole seconds sent, and no last, partial one.
    assert!(page.contains("aria-label=\"events sent per second against the plan\""));
    assert!(!page.contains("The knee"));
}

#[test]
fn nothing_comes_from_elsewhere_and_no_markup_from_outside() {
    let page = report().page();
    for never in ["<script", "http:", "https:", "url(", "@import", "src=", "<link", "r<1>", "<c400>"] {
        assert!(!page.contains(never), "{never}");
    }
}

#[test]
fn a_climb_has_its_steps() {
    let step = |wanted: f64, p99: Option<f64>, failed_by: Vec<Failing>| {
        let measured =
            Measured { wanted, planned: wanted, reached: wanted - 1.0, ack_p99_ms: p99, queue: 7, seconds: 4.0 };
        Step { measured, failed_by }
    };
    let steps = vec![step(1_000.0, Some(5.0), vec![]), step(2_000.0, None, vec![Failing::AckP99])];
    let knee = Knee {
        limits: Limits { ack_p99_ms: 100.0, queue: 500 },
        steps_planned: 9,
        highest_sustained: Some(1_000.0),
        broken_at: Some(2_000.0),
        broken_by: vec![Failing::AckP99],
        steps,
    };
    let page = Report { knee: Some(knee), ..report() }.page();
    assert_well_formed(&page);
    assert!(page.contains("the highest sustained rate is 1000.0 events/s; at 2000.0 nothing was acknowledged"));
    assert!(page.contains("<td class=\"bad\">failed: ack p99</td>") && page.contains("<td class=\"good\">held</td>"));
}

#[test]
fn a_run_of_nothing_still_has_a_page() {
    let page = Report::default().page();
    assert_well_formed(&page);
    assert!(page.contains("shorter than a second") && page.contains("Nothing was acknowledged"));
    assert!(!page.contains("NaN"), "{page}");
}
