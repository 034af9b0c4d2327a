//! `compare` holds the reports of two runs against each other.

use producer::report::Report;
use std::process::{Command, Output};

fn compare(args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comboio-producer"));
    let Output { status, stdout, stderr } = command.arg("compare").args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
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
    let made = Command::new("mkfifo").arg(file("pipe.json")).status().unwrap();
    assert!(made.success());
    for bad in ["missing.json", "other.json", "pipe.json", ""] {
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
