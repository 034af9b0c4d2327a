//! One journey of `comboioctl` through a real broker with mutual TLS: plan, apply, list, grow, lag.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use localenv::authority::Identity;
use localenv::broker::kafka::{KafkaCluster, KafkaOptions};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The exit code and the JSON answer; standard error is shown if there is none.
fn comboioctl(config: &Path, args: &[&str]) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comboioctl"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("COMBOIO_")) {
        command.env_remove(name);
    }
    let output = command.arg("--json").arg("--config").arg(config).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let answer = serde_json::from_slice(&output.stdout).unwrap_or(Value::String(said));
    (output.status.code().unwrap(), answer)
}

fn configuration(cluster: &KafkaCluster, identity: &Identity) -> String {
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    format!(
        "[send]\nlinger = \"5ms\"\n[kafka]\nbootstrap_servers = [{:?}]\n[kafka.tls]\nca = {}\ncertificate = {}\nkey = {}\n",
        cluster.bootstrap(),
        quoted(&identity.ca),
        quoted(&identity.certificate),
        quoted(&identity.key)
    )
}

fn declare(file: &Path, partitions: i32, retention: &str) {
    let topic = |name: &str, partitions: i32| {
        format!("[[topics]]\nname = \"{name}\"\npartitions = {partitions}\nreplication = 1\n")
    };
    let config = format!("config = {{ \"retention.ms\" = \"{retention}\" }}\n");
    std::fs::write(file, topic("mt-c400", partitions) + &config + &topic("mt-c300", 2)).unwrap();
}

#[test]
fn topics_are_planned_applied_and_grown_and_a_silent_group_is_found() {
    let cluster = KafkaCluster::start(&KafkaOptions::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (config, topics) = (dir.path().join("service.toml"), dir.path().join("topics.toml"));
    std::fs::write(&config, configuration(&cluster, cluster.admin())).unwrap();
    declare(&topics, 4, "3600000");
    let file = ["--file", topics.to_str().unwrap()];
    let run = |args: &[&str]| comboioctl(&config, args);

    let (code, plan) = run(&[&["topics", "plan"], &file[..]].concat());
    assert_eq!((code, &plan["plan"]["steps"][0]["action"]), (2, &json!("create")), "{plan}");
    let (code, dry) = run(&[&["topics", "apply"], &file[..]].concat());
    assert_eq!((code, &dry["changed"]), (2, &json!(false)), "{dry}");
    assert_eq!(run(&["topics", "list"]), (0, json!({ "topics": [] })), "without --apply nothing is changed");

    let (code, done) = run(&[&["topics", "apply", "--apply"], &file[..]].concat());
    assert_eq!((code, &done["changed"]), (0, &json!(true)), "{done}");
    let (code, list) = run(&["topics", "list"]);
    assert_eq!((code, &list["topics"][1]), (0, &json!({"name": "mt-c400", "partitions": 4, "replication": 1})));

    declare(&topics, 6, "7200000");
    let (code, grown) = run(&[&["topics", "apply", "--apply"], &file[..]].concat());
    assert_eq!(code, 2, "a setting that differs is left alone, and said: {grown}");
    assert_eq!(grown["plan"]["steps"][0]["action"], "grow");
    assert_eq!(grown["left"]["steps"][0]["action"], "same");
    assert_eq!(grown["left"]["steps"][0]["differs"], json!(["retention.ms is 3600000 and not 7200000"]));

    let (code, lag) = run(&["lag", "--group", "lambda", "--topic", "mt-c400"]);
    assert_eq!((code, &lag["lag_records"]), (2, &json!(0)), "{lag}");
    assert_eq!(lag["partitions"].as_array().unwrap().len(), 6);
    assert_eq!(lag["partitions"][0]["committed"], Value::Null);
    let (code, missing) = run(&["lag", "--group", "lambda", "--topic", "mt-none"]);
    assert_eq!(code, 1);
    assert!(missing.as_str().unwrap().contains("topic mt-none does not exist"), "{missing}");
}
