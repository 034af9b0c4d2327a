//! What a run leaves behind, by the real binary on the embedded broker: report, page, histogram log, knee, and `compare`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use localenv::process::Guarded;
use producer::knee::Failing;
use producer::report::Report;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);

/// A broker with one topic, and a folder for a run's files.
struct Stage {
    broker: EmbeddedBroker,
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let broker = EmbeddedBroker::start(1, &[Topic::new("all", 4)]).unwrap();
        Self { broker, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Writes a configuration that sends a profile to the topic.
    fn configure(&self, profile: &Path, more: &str) -> PathBuf {
        let config = format!(
            "[source]\nprofile = {profile:?}\n[[routes]]\ncodigo = \"*\"\ntopic = \"all\"\n[kafka]\nbootstrap_servers = [{:?}]\n\
             [dead_letter]\nfile = {:?}\n{more}\n",
            self.broker.bootstrap().split(',').next().unwrap(),
            self.path("aside.ndjson"),
        );
        self.write("producer.toml", &config)
    }

    /// Runs a profile to its end with exit code 0.
    fn run(&self, profile: &Path, more: &str, args: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_comboio-producer"));
        command.arg("run").arg("--config").arg(self.configure(profile, more)).args(args);
        let status = Guarded::spawn("producer", command, &self.path("log")).unwrap().wait_exit(DEADLINE).unwrap();
        let log = std::fs::read_to_string(self.path("log")).unwrap();
        assert_eq!(status.expect("it ends").code(), Some(0), "{log}");
    }

    fn report(&self, name: &str) -> Report {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }
}

fn smoke() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadgen-profiles/smoke.toml")
}

fn compare(args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comboio-producer"));
    let Output { status, stdout, stderr } = command.arg("compare").args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn report_page_and_histogram_log_tell_of_the_same_run() {
    let stage = Stage::new();
    let [report, page, log] = ["report.json", "report.html", "ack.hlog"].map(|name| stage.path(name));
    let files = [&report, &page, &log].map(|path| path.to_str().unwrap());
    let args =
        ["--rate", "1000", "--duration", "3s", "--report", files[0], "--html", files[1], "--histogram", files[2]];
    stage.run(&smoke(), "", &args);

    let report = stage.report("report.json");
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
    let stage = Stage::new();
    let config = stage.configure(&smoke(), "");
    for args in [&["run", "--rate", "100", "--duration", "1s"][..], &["check"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_comboio-producer"));
        command.args(args).arg("--config").arg(&config).stdout(full);
        if args[0] == "run" {
            command.arg("--report").arg(stage.path("full.json"));
        }
        let Output { status, stderr, .. } = command.output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("standard output cannot be written"), "{said}");
    }
    assert_eq!(stage.report("full.json").acknowledged, 100);
}

#[test]
fn a_climb_finds_the_rate_that_the_limits_of_the_producer_let_through() {
    let stage = Stage::new();
    let profile = std::fs::read_to_string(smoke()).unwrap();
    let (head, rest) = (profile.find("[shape]").unwrap(), profile.find("# Hottest first").unwrap());
    let climb = "[shape]\nkind = \"climb\"\nstart = 300\nfactor = 3\nevery = \"3s\"\nhighest = 10000\nack_p99 = \"400ms\"\nqueue = 5000\n";
    let text = format!("{}{climb}{}", &profile[..head], &profile[rest..]).replace("\"5s\"", "\"15s\"");
    let profile = stage.write("climb.toml", &text);
    let [report, page] = ["report.json", "page.html"].map(|name| stage.path(name).to_str().unwrap().to_owned());
    // 600 events/s get through: 300 are easy, 900 are too many.
    stage.run(&profile, "[limits]\nevents_per_second = 600", &["--report", &report, "--html", &page]);
    let knee = stage.report("report.json").knee.unwrap();
    assert_eq!((knee.highest_sustained, knee.broken_at), (Some(300.0), Some(900.0)), "{knee}");
    assert!(knee.broken_by.contains(&Failing::AckP99), "{knee}");
    assert_eq!((knee.steps.len(), knee.steps_planned), (2, 5));
    let said = "the highest sustained rate is 300.0 events/s; at 900.0";
    let log = std::fs::read_to_string(stage.path("log")).unwrap();
    assert!(log.contains(said) && std::fs::read_to_string(page).unwrap().contains(said), "{log}");
}

#[test]
fn compare_tells_differences_and_fails_only_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut report = Report { run: "before".into(), offered: 10, acknowledged: 10, ..Report::default() };
    report.ack_latency_ms.p99 = 20.0;
    std::fs::write(file("a.json"), serde_json::to_string(&report).unwrap()).unwrap();
    report.ack_latency_ms.p99 = 30.0;
    std::fs::write(file("b.json"), serde_json::to_string(&report).unwrap()).unwrap();
    let (a, b) = (file("a.json"), file("b.json"));

    let (code, table, _) = compare(&[&a, &b]);
    assert_eq!(code, Some(0));
    assert!(table.lines().any(|line| line.contains("ack p99 ") && line.ends_with("+50.0 %  A is better")), "{table}");
    let (code, json, _) = compare(&[&a, &b, "--json", "--fail-if-worse", "60"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["a"].as_str()), (Some(0), Some("before")));
    let (code, _, error) = compare(&[&a, &b, "--fail-if-worse", "10"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("B is worse than A by more than 10 %: ack p99 (20 to 30 ms, +50.0 %)"), "{error}");
    assert_eq!(compare(&[&b, &a, "--fail-if-worse", "10"]).0, Some(0), "better is not worse");
}

#[test]
fn compare_names_a_file_that_is_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(file("good.json"), serde_json::to_string(&Report::default()).unwrap()).unwrap();
    std::fs::write(file("other.json"), "{\"offered\": 1}").unwrap();
    for bad in ["missing.json", "other.json"] {
        let (code, _, error) = compare(&[&file("good.json"), &file(bad)]);
        assert_eq!(code, Some(64), "{error}");
        assert!(
            error.contains(bad) && error.contains("is no report of a run") && error.lines().count() == 1,
            "{error}"
        );
    }
    let (code, _, error) = compare(&[&file("good.json"), &file("good.json"), "--fail-if-worse", "-3"]);
    assert_eq!(code, Some(64), "{error}");
}
