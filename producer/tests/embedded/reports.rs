//! What a run leaves behind: report, page, histogram log, and the knee of a climb.

use crate::stage::{Routes, Stage, smoke};
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use producer::knee::Failing;
use std::process::{Command, Output};

const ONE_TOPIC: Routes = &[("*", "all", 4)];

#[test]
fn report_page_and_histogram_log_tell_of_the_same_run() {
    let stage = Stage::with(ONE_TOPIC);
    let [page, log] = ["report.html", "ack.hlog"].map(|name| stage.path(name));
    let files = [&page, &log].map(|path| path.to_str().unwrap());
    let args = ["--rate", "1000", "--duration", "3s", "--html", files[0], "--histogram", files[1]];
    assert_eq!(stage.run("", &args), Some(0), "{}", stage.log());

    let report = stage.report();
    assert_eq!((report.acknowledged, report.failed), (3_000, 0));
    let points = &report.ack_latency_series.points;
    assert_eq!(points.iter().map(|point| point.count).sum::<u64>(), 3_000);
    assert!((3..=5).contains(&points.len()), "{points:?}");
    assert_eq!(report.ack_latency_distribution.last().unwrap().ms, report.ack_latency_ms.max);
    assert_eq!((report.topics[0].events.len(), report.topics[0].events.iter().sum::<u64>()), (4, 3_000));
    assert!(
        report.lateness_ms.p50 <= report.lateness_ms.p99 && report.lateness_ms.p99 <= report.lateness_max_ms + 0.01
    );
    assert!(report.knee.is_none());

    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&report.run) && page.contains("Partitions of all") && page.ends_with("</html>\n"));
    let log = std::fs::read(log).unwrap();
    let intervals = IntervalLogIterator::new(&log).filter(|entry| matches!(entry, Ok(LogEntry::Interval(_)))).count();
    assert_eq!(intervals, points.len());
    assert!(IntervalLogIterator::new(&log).all(|entry| entry.is_ok()));
}

#[test]
fn a_full_standard_output_is_a_sentence_and_the_files_are_written() {
    let stage = Stage::with(ONE_TOPIC);
    let config = stage.configure("");
    for args in [&["run", "--rate", "100", "--duration", "1s"][..], &["check"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_comboio-producer"));
        command.args(args).arg("--config").arg(&config).stdout(full);
        if args[0] == "run" {
            command.arg("--report").arg(stage.path("report.json"));
        }
        let Output { status, stderr, .. } = command.output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("standard output cannot be written"), "{said}");
    }
    assert_eq!(stage.report().acknowledged, 100);
}

#[test]
fn a_climb_finds_the_rate_that_the_limits_of_the_producer_let_through() {
    let stage = Stage::with(ONE_TOPIC);
    let profile = std::fs::read_to_string(smoke()).unwrap();
    let (head, rest) = (profile.find("[shape]").unwrap(), profile.find("# Hottest first").unwrap());
    let climb = "[shape]\nkind = \"climb\"\nstart = 300\nfactor = 3\nevery = \"5000ms\"\nhighest = 10000\nack_p99 = \"400ms\"\nqueue = 5000\n";
    let text = format!("{}{climb}{}", &profile[..head], &profile[rest..]).replace("\"5s\"", "\"25s\"");
    let profile = stage.write("climb.toml", &text);
    let page = stage.path("page.html");
    let source = format!("[source]\nprofile = {profile:?}\n[limits]\nevents_per_second = 600");
    // 600 events/s get through: 300 are easy, 900 are too many.
    assert_eq!(stage.run(&source, &["--html", page.to_str().unwrap()]), Some(0), "{}", stage.log());
    let knee = stage.report().knee.unwrap();
    assert_eq!((knee.highest_sustained, knee.broken_at), (Some(300.0), Some(900.0)), "{knee}");
    assert!(knee.broken_by.contains(&Failing::AckP99), "{knee}");
    assert_eq!((knee.steps.len(), knee.steps_planned), (2, 5));
    let said = "the highest sustained rate is 300.0 events/s; at 900.0";
    let log = stage.log();
    assert!(log.contains(said) && std::fs::read_to_string(page).unwrap().contains(said), "{log}");
}
