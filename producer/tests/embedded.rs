//! The real binary against the embedded broker: what it sends is what arrives, and every end has its report and exit code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::event::EventId;
use domain::headers::{EVENT_ID, EXPECTED_FATE};
use domain::key::partition_of;
use domain::ledger::{Deliveries, Produced, Seen, verify};
use kafka_client::context::ObservedContext;
use kafka_client::settings::{ConsumerTuning, Kafka, KafkaRaw};
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use localenv::process::Guarded;
use producer::report::Report;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use runtime::config::Settings;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const TOPICS: [(&str, i32); 3] = [("mt-priority", 2), ("mt-c400", 6), ("mt-c300", 4)];
const DEADLINE: Duration = Duration::from_secs(60);

/// A broker, and a folder for a run's files.
struct Stage {
    broker: EmbeddedBroker,
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let topics = TOPICS.map(|(topic, partitions)| Topic::new(topic, partitions));
        Self { broker: EmbeddedBroker::start(2, &topics).unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts `run` with the smoke profile, or with what `more` says, and `args` behind.
    fn start(&self, more: &str, args: &[&str]) -> Guarded {
        let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadgen-profiles/smoke.toml");
        let routes = [("900-909", TOPICS[0].0), ("400-499", TOPICS[1].0), ("300-399", TOPICS[2].0)]
            .map(|(codigo, topic)| format!("[[routes]]\ncodigo = \"{codigo}\"\ntopic = \"{topic}\"\n"));
        let source = if more.contains("[source]") {
            String::new()
        } else {
            format!("[source]\nprofile = \"{}\"\n", profile.display())
        };
        let config = format!(
            "{}{source}[kafka]\nbootstrap_servers = [{:?}]\n[admin]\naddress_file = {:?}\n[dead_letter]\nfile = {:?}\n{more}\n",
            routes.concat(),
            self.broker.bootstrap().split(',').next().unwrap(),
            self.path("admin"),
            self.path("aside.ndjson"),
        );
        std::fs::write(self.path("producer.toml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_comboio-producer"));
        command.arg("run").arg("--config").arg(self.path("producer.toml")).args(args);
        command.arg("--report").arg(self.path("report.json")).arg("--ledger").arg(self.path("ledger.ndjson"));
        Guarded::spawn("producer", command, &self.path("log")).unwrap()
    }

    /// Runs to the end; the exit code.
    fn run(&self, more: &str, args: &[&str]) -> Option<i32> {
        let status = self.start(more, args).wait_exit(DEADLINE).unwrap().expect("it ends");
        status.code()
    }

    fn report(&self) -> Report {
        serde_json::from_slice(&std::fs::read(self.path("report.json")).unwrap()).unwrap()
    }

    fn ledger(&self) -> Produced {
        let mut produced = Produced::default();
        produced.read(BufReader::new(std::fs::File::open(self.path("ledger.ndjson")).unwrap())).unwrap();
        produced
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    /// Waits until `found` finds something, as long as the producer lives.
    fn until<T>(&self, producer: &mut Guarded, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = found() {
                return found;
            }
            assert!(Instant::now() < end, "{what} never came:\n{}", self.log());
            let ended = producer.wait_exit(Duration::from_millis(10)).unwrap();
            assert_eq!(ended, None, "the producer ended before {what} came:\n{}", self.log());
        }
    }

    /// The admin port of a producer whose flow runs.
    fn running(&self, producer: &mut Guarded) -> String {
        let file = self.path("admin");
        let address = self.until(producer, "the admin port", || std::fs::read_to_string(&file).ok());
        let address = address.trim().to_owned();
        let runs = || ask(&address, "GET /status", "").contains("\"state\":\"running\"").then_some(());
        self.until(producer, "events", runs);
        address
    }

    fn consumer(&self) -> BaseConsumer<ObservedContext> {
        let bootstrap_servers = self.broker.bootstrap().split(',').map(str::to_owned).collect();
        let raw = KafkaRaw { bootstrap_servers, ..KafkaRaw::default() };
        let kafka = Kafka::validate(&Settings::default(), &raw).unwrap();
        kafka.consumer(&ConsumerTuning::for_group("test")).create_with_context(ObservedContext::default()).unwrap()
    }

    /// Reads `count` records of the three topics, per partition in order.
    fn read(&self, count: u64, mut see: impl FnMut(&rdkafka::message::BorrowedMessage<'_>)) {
        let consumer = self.consumer();
        let mut all = TopicPartitionList::new();
        for (topic, partitions) in TOPICS {
            (0..partitions).for_each(|partition| {
                all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
            });
        }
        consumer.assign(&all).unwrap();
        let (mut seen, end) = (0, Instant::now() + DEADLINE);
        while seen < count {
            assert!(Instant::now() < end, "only {seen} of {count} records came");
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
                see(&message);
                seen += 1;
            }
        }
    }

    fn all_brokers_down(&self) {
        let mock = self.broker.mock().unwrap();
        (1..=2).for_each(|broker| mock.broker_down(broker).unwrap());
    }
}

/// One request to an admin port, and the whole answer.
fn ask(address: &str, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let length = body.len();
    let request =
        format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_sent_is_what_arrives_in_order_with_its_fate() {
    let stage = Stage::new();
    assert_eq!(stage.run("", &["--rate", "1000"]), Some(0), "{}", stage.log());
    let report = stage.report();
    assert_eq!((report.offered, report.acknowledged, report.failed), (5_000, 5_000, 0));
    assert!(report.adds_up() && report.ended == "complete");
    assert!(report.ack_latency_ms.p50 > 0.0 && report.cpu_seconds > 0.0 && report.peak_rss_bytes > 0);
    assert_eq!(report.topics.iter().map(|topic| topic.acknowledged).sum::<u64>(), 5_000);

    let (mut good, mut bad) = (Deliveries::default(), Deliveries::default());
    stage.read(5_000, |message| {
        let partitions = TOPICS.iter().find(|(topic, _)| *topic == message.topic()).unwrap().1;
        let key = message.key().unwrap();
        assert_eq!(message.partition(), partition_of(key, partitions as u32) as i32);
        match domain::event::check(message.payload().unwrap()) {
            Ok(event) => {
                assert_eq!(message.timestamp().to_millis(), Some(event.ts));
                assert!(message.headers().is_none());
                assert_eq!(good.record(&EventId::parse(&event.id).unwrap()), Seen::First);
            }
            Err(_) => {
                let header = |name| {
                    let headers = message.headers().unwrap();
                    let found = headers.iter().find(|header| header.key == name).unwrap();
                    String::from_utf8(found.value.unwrap().to_vec()).unwrap()
                };
                assert_eq!(header(EXPECTED_FATE), "rejected");
                assert_eq!(bad.record(&EventId::parse(&header(EVENT_ID)).unwrap()), Seen::First);
            }
        }
    });
    let proof = verify(&stage.ledger(), &good, &bad);
    assert!(proof.holds() && proof.rejected > 20, "{proof:?}");
}

#[test]
fn a_signal_stops_the_source_and_everything_sent_is_acknowledged() {
    let stage = Stage::new();
    let mut producer = stage.start("", &["--duration", "10m"]);
    let admin = stage.running(&mut producer);
    let answer = ask(&admin, "PUT /control/limits", "{\"events_per_second\":200}");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("200.0"), "{answer}");
    let acknowledged = |answer: String| {
        let status: serde_json::Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1)?).ok()?;
        status["acknowledged"].as_u64().filter(|count| *count > 100)
    };
    stage.until(&mut producer, "acknowledgements", || acknowledged(ask(&admin, "GET /status", "")));
    let status = producer.stop(DEADLINE).unwrap();
    assert_eq!(status.code(), Some(0), "{}", stage.log());
    let report = stage.report();
    assert_eq!((report.acknowledged, report.failed), (report.offered, 0));
    assert_eq!(report.ended, "stopped: SIGTERM");
    let ledger = stage.ledger();
    assert_eq!(ledger.keys().map(|(_, key)| key.acknowledged.count()).sum::<u64>(), report.acknowledged);
}

#[test]
fn a_record_that_is_too_large_is_set_aside_and_the_rest_goes_on() {
    let stage = Stage::new();
    let event = |seq: u64, more: &str| {
        format!(
            r#"{{"v":1,"id":"r-BR1-400-{seq}","codigo":400,"truck_id":"BR1","seq":{seq},"ts":1763701200000,"lat":-23.5,"lon":-46.6,"speed":8.4,"fuel":6.2,"odo":2.2,"more":"{more}"}}"#
        )
    };
    let lines = [event(1, "ação"), event(2, &"x".repeat(1_030_000)), "nonsense".into(), event(3, "")];
    std::fs::write(stage.path("in.ndjson"), lines.join("\n")).unwrap();
    let source = format!("[source]\nkind = \"replay\"\npath = {:?}", stage.path("in.ndjson"));
    assert_eq!(stage.run(&source, &[]), Some(0), "{}", stage.log());
    let report = stage.report();
    assert_eq!((report.offered, report.acknowledged, report.dead_lettered, report.bad_lines), (3, 2, 1, 1));
    let mut values = Vec::new();
    stage.read(2, |message| values.push(message.payload().unwrap().to_vec()));
    assert_eq!(values, [lines[0].as_bytes(), lines[3].as_bytes()]);
    let aside = std::fs::read_to_string(stage.path("aside.ndjson")).unwrap();
    let aside: Vec<serde_json::Value> = aside.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(aside.iter().any(|line| line["line"] == 3 && line["reason"] == "not-json"));
    assert!(aside.iter().any(|line| line["reason"] == "message-size-too-large" && line["value"] == lines[1]));
    let ledger = stage.ledger();
    let key = ledger.keys().next().unwrap().1;
    assert_eq!((key.offered.count(), key.acknowledged.count(), key.dead_lettered.ranges()), (3, 2, &[(2, 2)][..]));
}

/// A profile with a mix, in the stage's folder; named for `--profile`.
fn profile_with(stage: &Stage, mix: &str) -> String {
    let path = stage.path("load.toml");
    let profile = format!(
        "purpose = \"t\"\nseed = 3\nduration = \"2s\"\nshape = {{ kind = \"constant\", rate = 2000 }}\n\
         codes = {{ share = 0.8, of = 0.2, groups = [{{ first = 400, count = 10 }}] }}\nfleet = {{ trucks = 20 }}\n\
         mix = {{ {mix} }}\n"
    );
    std::fs::write(&path, profile).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn repeats_and_oversize_events_meet_the_fates_that_the_ledger_expects() {
    let stage = Stage::new();
    let mix = "duplicate_share = 0.1, oversize_share = 0.005, oversize_bytes = \"1100KB\"";
    assert_eq!(stage.run("", &["--profile", &profile_with(&stage, mix)]), Some(0), "{}", stage.log());
    let report = stage.report();
    assert!(report.adds_up() && report.offered == 4_000 && report.dead_lettered > 5, "{report}");
    let mut deliveries = Deliveries::default();
    stage.read(report.acknowledged, |message| {
        let event = domain::event::check(message.payload().unwrap()).unwrap();
        deliveries.record(&EventId::parse(&event.id).unwrap());
    });
    let proof = verify(&stage.ledger(), &deliveries, &Deliveries::default());
    assert!(proof.holds(), "{proof:?}");
    assert_eq!((proof.set_aside, proof.rejected), (report.dead_lettered, 0));
    assert!(proof.repeated > 200 && proof.duplicates_delivered == proof.repeated, "{proof:?}");
    let aside = std::fs::read_to_string(stage.path("aside.ndjson")).unwrap();
    assert_eq!(aside.lines().count() as u64, report.dead_lettered);
    assert!(aside.lines().all(|line| line.contains("\"reason\":\"message-size-too-large\"")));
}

#[test]
fn two_instances_send_what_one_would_send() {
    let stage = Stage::new();
    let profile = profile_with(&stage, "");
    let (mut ledger, mut planned, mut offered) = (Produced::default(), 0, 0);
    for instance in ["1/2", "2/2"] {
        let config = format!("[run]\ninstance = \"{instance}\"\nid = \"both\"");
        assert_eq!(stage.run(&config, &["--profile", &profile]), Some(0), "{}", stage.log());
        let report = stage.report();
        assert!(report.source.contains(instance) && (1_800..2_200).contains(&report.offered), "{report}");
        ledger.read(BufReader::new(std::fs::File::open(stage.path("ledger.ndjson")).unwrap())).unwrap();
        planned += report.rate.seconds.iter().filter_map(|second| second.planned).sum::<u64>();
        offered += report.offered;
    }
    assert_eq!((planned, offered), (4_000, 4_000));
    let mut deliveries = Deliveries::default();
    stage.read(4_000, |message| {
        let event = domain::event::check(message.payload().unwrap()).unwrap();
        assert_eq!(deliveries.record(&EventId::parse(&event.id).unwrap()), Seen::First);
    });
    let proof = verify(&ledger, &deliveries, &Deliveries::default());
    assert!(proof.holds() && proof.delivered == 4_000, "{proof:?}");
}

#[test]
fn events_that_kafka_does_not_acknowledge_in_time_are_told_and_the_run_fails() {
    let stage = Stage::new();
    let mut producer = stage.start("[send]\ndelivery_timeout = \"1s\"", &["--duration", "4s"]);
    stage.running(&mut producer);
    stage.all_brokers_down();
    let status = producer.wait_exit(DEADLINE).unwrap().expect("it ends");
    assert_eq!(status.code(), Some(1), "{}", stage.log());
    let report = stage.report();
    assert!(report.failed > 0 && report.adds_up(), "{report}");
    assert!(report.failures.contains_key("message-timed-out"), "{:?}", report.failures);
    assert!(stage.log().contains("were not acknowledged by Kafka"), "{}", stage.log());
}

#[test]
fn a_signal_during_an_outage_ends_within_its_deadline_and_tells_what_is_open() {
    let stage = Stage::new();
    let mut producer = stage.start("[run]\nshutdown_deadline = \"1s\"", &["--duration", "10m"]);
    stage.running(&mut producer);
    stage.all_brokers_down();
    let waits = || stage.log().contains("brokers are down").then_some(());
    stage.until(&mut producer, "the outage", waits);
    let begin = Instant::now();
    assert_eq!(producer.stop(DEADLINE).unwrap().code(), Some(1), "{}", stage.log());
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    let report = stage.report();
    assert!(report.failed > 0 && report.adds_up() && report.ended == "stopped: SIGTERM", "{report}");
    assert!(report.failures.keys().any(|reason| reason.starts_with("purge")), "{:?}", report.failures);
}

#[test]
fn a_broker_that_is_not_there_is_one_sentence_and_exit_1() {
    let stage = Stage::new();
    let config = "[run]\nstart_deadline = \"1s\"";
    stage.all_brokers_down();
    let begin = Instant::now();
    assert_eq!(stage.run(config, &[]), Some(1));
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert!(stage.log().contains("no Kafka broker of 127.0.0.1"), "{}", stage.log());
}

#[test]
fn a_wrong_configuration_exits_64_before_anything_starts() {
    let stage = Stage::new();
    assert_eq!(stage.run("[key]\nstrategy = \"random\"", &[]), Some(64));
    assert!(stage.log().contains("key.strategy"), "{}", stage.log());
    assert_eq!(stage.run("", &["--rate", "x"]), Some(64));
    assert_eq!(stage.run("", &["--profile", "/nowhere.toml"]), Some(64));
    assert_eq!(stage.run("[run]\ninstance = \"3/2\"", &[]), Some(64));
    assert!(stage.log().contains("`3/2` is no instance: allowed is number/count"), "{}", stage.log());
}
