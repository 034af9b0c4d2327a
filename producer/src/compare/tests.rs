//! What is better, by how much, and when a comparison fails.

use super::{Better, Figure, Good, compare};
use crate::report::{Report, spread};

fn report() -> Report {
    let mut report =
        Report { run: "a".into(), offered: 1_000, acknowledged: 1_000, cpu_us_per_event: 10.0, ..Report::default() };
    (report.rate.target, report.rate.worst_second_error) = (Some(100.0), Some(0.002));
    report.ack_latency_ms.p99 = 20.0;
    report.topics = vec![spread("t", 2, &[10, 30])];
    report
}

fn figure(figures: &[Figure], name: &str) -> Figure {
    figures.iter().find(|figure| figure.name == name).unwrap_or_else(|| panic!("no {name}")).clone()
}

#[test]
fn a_figure_knows_its_difference_and_who_is_better() {
    let (a, mut b) = (report(), report());
    (b.ack_latency_ms.p99, b.cpu_us_per_event, b.failed) = (25.0, 9.0, 3);
    let compared = compare(&a, &b);
    let p99 = figure(&compared.figures, "ack p99");
    assert_eq!((p99.difference, p99.per_cent, p99.better), (Some(5.0), Some(25.0), Some(Better::A)));
    let cpu = figure(&compared.figures, "CPU per event");
    assert_eq!((cpu.per_cent, cpu.better), (Some(-10.0), Some(Better::B)));
    let failed = figure(&compared.figures, "failed");
    assert_eq!((failed.difference, failed.per_cent, failed.better), (Some(3.0), None, Some(Better::A)));
    let offered = figure(&compared.figures, "offered");
    assert_eq!((offered.good, offered.per_cent, offered.better), (Good::Neutral, Some(0.0), None));
    assert_eq!(figure(&compared.figures, "t: hottest partition").better, Some(Better::Same));
    let text = compared.to_string();
    assert!(text.lines().any(|line| line.contains("ack p99 ") && line.ends_with("+25.0 %  A is better")), "{text}");
}

#[test]
fn only_guarded_figures_beyond_the_limit_fail() {
    let (a, mut b) = (report(), report());
    assert!(compare(&a, &b).worse_by(0.0).is_empty());
    (b.ack_latency_ms.p99, b.ack_latency_ms.max) = (22.0, 900.0);
    let names = |most: f64, b: &Report| -> Vec<String> {
        compare(&a, b).worse_by(most).iter().map(|figure| figure.name.clone()).collect()
    };
    assert_eq!(names(9.9, &b), ["ack p99"]);
    assert!(names(10.0, &b).is_empty(), "10 % is not more than 10 %");
    (b.failed, b.rate.worst_second_error, b.cpu_us_per_event) = (1, Some(0.004), 11.5);
    assert_eq!(names(16.0, &b), ["failed", "worst second's rate error"]);
    assert_eq!(names(12.0, &b).last().map(String::as_str), Some("CPU per event"));
    assert_eq!(names(1e9, &b), ["failed"], "from none to one is more than any per cent");
    b.dead_lettered = 1;
    assert_eq!(names(1e9, &b), ["failed", "dead-lettered"]);
}

#[test]
fn without_acknowledgements_there_is_no_latency_to_be_better_in() {
    let (a, mut b) = (report(), report());
    (b.acknowledged, b.ack_latency_ms.p99) = (0, 0.0);
    let p99 = figure(&compare(&a, &b).figures, "ack p99");
    assert_eq!((p99.b, p99.better), (None, None));
}

#[test]
fn what_a_run_does_not_have_is_not_compared() {
    let (a, mut b) = (report(), report());
    b.rate.worst_second_error = None;
    b.topics.push(spread("new", 2, &[1, 1]));
    let compared = compare(&a, &b);
    let error = figure(&compared.figures, "worst second's rate error");
    assert_eq!((error.difference, error.per_cent, error.better), (None, None, None));
    assert_eq!(figure(&compared.figures, "new: hottest partition").a, None);
    assert!(compared.figures.iter().all(|figure| figure.name != "highest sustained"));
    assert!(compared.worse_by(0.0).is_empty());
}

#[test]
fn another_load_is_told() {
    let (a, mut b) = (report(), report());
    assert!(compare(&a, &b).same_load);
    b.rate.target = Some(200.0);
    let compared = compare(&a, &b);
    assert!(!compared.same_load && compared.to_string().contains("different loads"));
}
