//! Producer and consumer on a real broker with mTLS: replay byte for byte, and every kind of bad input or broken surroundings
//! ends with one sentence and the right exit code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use demo::layout::{Binaries, GROUP, RunFolder, TOPICS};
use demo::settings::{self, set, text};
use demo::world::{Access, consumer_grants, producer_grants};
use domain::event::{Event, Readings, encode};
use localenv::authority::{Authority, Identity};
use localenv::broker::grant::Grant;
use localenv::broker::kafka::{KafkaCluster, KafkaOptions};
use localenv::broker::topic::Topic;
use localenv::lambda_host::{HostOptions, LambdaHost};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use toml::Table;

/// Longer than any deadline of the services.
const PATIENCE: Duration = Duration::from_secs(60);

struct Stage {
    cluster: KafkaCluster,
    binaries: Binaries,
    folder: tempfile::TempDir,
    run: RunFolder,
    producer: Access,
    consumer: Access,
}

impl Stage {
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(folder.path()).unwrap();
        let cluster = KafkaCluster::start(&KafkaOptions::brokers(1)).unwrap();
        let dead = |name: &str| format!("{name}.dlq");
        let topics: Vec<Topic> =
            TOPICS.iter().flat_map(|(name, _)| [Topic::new(*name, 4), Topic::new(dead(name), 1)]).collect();
        cluster.create_topics(&topics).unwrap();
        let producer = client(&cluster, "producer", &producer_grants());
        let consumer = client(&cluster, "consumer", &consumer_grants(GROUP));
        Self { cluster, binaries: Binaries::beside_this_one().unwrap(), folder, run, producer, consumer }
    }

    fn producer(&self) -> Table {
        settings::producer(&self.run, "producer", &self.producer)
    }

    fn consumer(&self, endpoint: &str) -> Table {
        settings::consumer(&self.run, "consumer", &self.consumer, endpoint)
    }

    /// Runs `program run` with these settings to its end: exit code and everything it printed.
    fn run(&self, program: &str, table: &Table, more: &[&str]) -> (i32, String) {
        settings::write(&self.run, "subject", table).unwrap();
        let mut command = Command::new(self.binaries.path(program));
        command.arg("run").arg("--config").arg(self.run.file("subject.toml")).args(more).stdin(Stdio::null());
        finish(command, &self.run.file("subject.log"))
    }
}

fn client(cluster: &KafkaCluster, name: &str, grants: &[Grant]) -> Access {
    let identity = cluster.authority().issue(name).unwrap();
    cluster.allow(&identity.principal(), grants).unwrap();
    Access { bootstrap: cluster.bootstrap(), identity: Some(identity) }
}

fn finish(mut command: Command, log: &Path) -> (i32, String) {
    let file = std::fs::File::create(log).unwrap();
    let mut child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code().unwrap_or(-1), std::fs::read_to_string(log).unwrap());
        }
        if Instant::now() > until {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it hangs: {}", std::fs::read_to_string(log).unwrap());
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn use_identity(table: &mut Table, identity: &Identity) {
    set(table, "kafka.tls.ca", text(&identity.ca));
    set(table, "kafka.tls.certificate", text(&identity.certificate));
    set(table, "kafka.tls.key", text(&identity.key));
}

/// One way to be wrong: what changes, the exit code, and what the sentence must say.
struct Case {
    name: &'static str,
    change: Box<dyn Fn(&mut Table)>,
    code: i32,
    says: Vec<String>,
}

fn case(name: &'static str, code: i32, says: &[&str], change: impl Fn(&mut Table) + 'static) -> Case {
    Case { name, change: Box::new(change), code, says: says.iter().map(|s| (*s).to_owned()).collect() }
}

/// What is wrong for both services.
fn cases(stage: &Stage) -> Vec<Case> {
    let authority = stage.cluster.authority();
    let (expired, stranger) = (authority.issue_expired("late").unwrap(), authority.issue("stranger").unwrap());
    let foreign = Authority::create(&stage.folder.path().join("foreign")).unwrap();
    let (foreign_ca, foreign_client) = (foreign.ca(), foreign.issue("producer").unwrap());
    let own = stage.producer.identity.clone().unwrap();
    vec![
        case("unknown key", 64, &["kafka.bootstrap_serverz"], |t| set(t, "kafka.bootstrap_serverz", "x".into())),
        case("missing key", 64, &["kafka.bootstrap_servers"], |t| {
            set(t, "kafka.bootstrap_servers", toml::Value::Array(Vec::new()));
        }),
        case("wrong unit", 64, &["kafka.connect_timeout", "5 parsecs"], |t| {
            set(t, "kafka.connect_timeout", "5 parsecs".into());
        }),
        case("expired certificate", 64, &["expired"], move |t| use_identity(t, &expired)),
        case("key of another certificate", 64, &["kafka.tls"], move |t| {
            use_identity(t, &own);
            set(t, "kafka.tls.key", text(&foreign_client.key));
        }),
        case("unreachable broker", 1, &["127.0.0.1:1"], |t| {
            set(t, "kafka.bootstrap_servers", toml::Value::Array(vec!["127.0.0.1:1".into()]));
        }),
        case("missing right", 1, &["mt-c400"], move |t| use_identity(t, &stranger)),
        case("foreign authority", 64, &["kafka.tls"], move |t| set(t, "kafka.tls.ca", text(&foreign_ca))),
    ]
}

fn check(stage: &Stage, program: &str, base: &Table, case: &Case) {
    let mut table = base.clone();
    (case.change)(&mut table);
    let (code, said) = stage.run(program, &table, &[]);
    let context = format!("{program}, {}: exit {code}: {said}", case.name);
    assert_eq!(code, case.code, "{context}");
    case.says.iter().for_each(|words| assert!(said.contains(words), "no `{words}` in {context}"));
    assert!(!said.contains("PRIVATE KEY") && !said.contains("panicked"), "{context}");
}

#[test]
fn a_producer_with_bad_input_or_surroundings_says_so_and_ends() {
    let stage = Stage::set();
    let base = stage.producer();
    for case in cases(&stage) {
        check(&stage, "comboio-producer", &base, &case);
    }
    let missing = case("missing topic", 1, &["mt-nowhere"], |t| {
        let route = t["routes"].as_array_mut().unwrap()[0].as_table_mut().unwrap();
        route.insert("topic".into(), "mt-nowhere".into());
    });
    check(&stage, "comboio-producer", &base, &missing);
    let wrong_ca = case("broker of another authority", 1, &["certificate"], wrong_broker_authority(&stage));
    check(&stage, "comboio-producer", &base, &wrong_ca);
}

/// Trusts another authority, without a certificate of its own that would have to fit it.
fn wrong_broker_authority(stage: &Stage) -> impl Fn(&mut Table) + use<> {
    let foreign = Authority::create(&stage.folder.path().join("other")).unwrap().ca();
    move |table| {
        set(table, "kafka.tls", toml::Value::Table(Table::new()));
        set(table, "kafka.tls.ca", text(&foreign));
    }
}

#[test]
fn a_consumer_with_bad_input_or_surroundings_says_so_and_ends() {
    let stage = Stage::set();
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let host = tokio.block_on(LambdaHost::start(HostOptions::default())).unwrap();
    let base = stage.consumer(&host.endpoint());
    for case in cases(&stage) {
        check(&stage, "comboio-consumer", &base, &case);
    }
    let others = [
        case("missing topic", 1, &["mt-nowhere"], |t| {
            set(t, "consumer.topics", toml::Value::Array(vec!["mt-nowhere".into()]));
        }),
        case("missing function", 1, &["comboio-dispatcher"], |_| {}),
        case("wrong group", 1, &["nobody"], |t| set(t, "consumer.group", "nobody".into())),
        case("broker of another authority", 1, &["certificate"], wrong_broker_authority(&stage)),
    ];
    for case in &others {
        check(&stage, "comboio-consumer", &base, case);
    }
}

/// 100,000 good events and one bad line in the middle.
fn write_events(file: &Path, count: u64) -> BTreeSet<Vec<u8>> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).unwrap());
    let mut lines = BTreeSet::new();
    for at in 0..count {
        if at == count / 2 {
            out.write_all(b"{\"v\":1,\"id\":\"cut\n").unwrap();
        }
        let truck = format!("BR{:05}", at % 1000);
        let readings = Readings { lat_e5: 1, lon_e5: -2, speed_tenths: 3, fuel_tenths: 4, odo_tenths: at };
        let seq = at / 1000 + 1;
        let event = Event { run: "replay", codigo: 400, truck_id: &truck, seq, ts: 1_763_701_200_000, readings };
        let mut line = Vec::new();
        encode(&event, &mut line);
        out.write_all(&line).unwrap();
        out.write_all(b"\n").unwrap();
        assert!(lines.insert(line));
    }
    out.flush().unwrap();
    lines
}

fn read_topic(stage: &Stage, topic: &str, partitions: i32) -> Vec<Vec<u8>> {
    let mut config = stage.cluster.client_config(stage.cluster.admin());
    config.set("group.id", "reader").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    let (mut list, mut wanted) = (TopicPartitionList::new(), 0);
    for partition in 0..partitions {
        let (low, high) = consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap();
        wanted += usize::try_from(high - low).unwrap();
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let (mut values, until) = (Vec::new(), Instant::now() + PATIENCE);
    while values.len() < wanted {
        assert!(Instant::now() < until, "{} of {wanted} records came in time", values.len());
        if let Some(record) = consumer.poll(Duration::from_millis(200)) {
            values.push(record.unwrap().payload().unwrap_or_default().to_vec());
        }
    }
    values
}

#[test]
fn a_replay_arrives_byte_for_byte_and_a_bad_line_is_named_and_counted() {
    let stage = Stage::set();
    let file = stage.run.file("events.ndjson");
    let sent = write_events(&file, 100_000);
    let mut table = stage.producer();
    set(&mut table, "source.kind", "replay".into());
    set(&mut table, "source.path", text(&file));
    table["source"].as_table_mut().unwrap().remove("profile");
    let report = stage.run.file("report.json").to_string_lossy().into_owned();
    let (code, said) = stage.run("comboio-producer", &table, &["--report", &report]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("50001"), "the bad line's number is not in: {said}");
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!((report["acknowledged"].as_u64(), report["bad_lines"].as_u64()), (Some(100_000), Some(1)), "{report}");
    let arrived = read_topic(&stage, "mt-c400", 4);
    assert_eq!(arrived.len(), 100_000);
    assert_eq!(arrived.into_iter().collect::<BTreeSet<_>>(), sent);
}
