//! Against one real broker with mutual TLS and ACLs: checks, topics, offsets, and the loss of every broker.
//!
//! One cluster serves all steps, so they stand in one test; the last step moves the broker to new ports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod producing;

use kafka_client::context::ObservedContext;
use kafka_client::offsets::positions;
use kafka_client::probe::{self, ProbeError};
use kafka_client::rotation::{self, Event};
use kafka_client::settings::{ClientSettings, ConsumerTuning, Kafka, KafkaRaw, ProducerTuning, TlsRaw};
use kafka_client::topic_facts::Informant;
use kafka_client::topics::{self, Created, NewTopic, TopicsError};
use localenv::authority::{Authority, Identity};
use localenv::broker::grant::Grant;
use localenv::broker::kafka::{KafkaCluster, KafkaOptions};
use producing::{producer, send};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::Message;
use runtime::config::{ConfigError, Settings};
use std::path::Path;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn tls(identity: &Identity) -> TlsRaw {
    TlsRaw {
        ca: text(&identity.ca),
        certificate: text(&identity.certificate),
        key: text(&identity.key),
        ..TlsRaw::default()
    }
}

fn connect(bootstrap: &str, tls: TlsRaw) -> Result<Kafka, ConfigError> {
    let raw = KafkaRaw { bootstrap_servers: vec![bootstrap.to_owned()], tls, ..KafkaRaw::default() };
    Kafka::validate(&Settings::of(&raw), &raw)
}

fn new_topic(name: &str, partitions: i32) -> NewTopic {
    NewTopic { name: name.to_owned(), partitions, replication: 1, config: Default::default() }
}

fn assert_says(error: &ProbeError, words: &[&str]) {
    let sentence = error.to_string();
    assert!(!sentence.contains('\n') && !format!("{error:?}").contains("PRIVATE KEY"), "{error:?}");
    for word in words {
        assert!(sentence.contains(word), "`{word}` is not in: {sentence}");
    }
}

/// Waits for a condition while `turn` keeps things going.
fn until(what: &str, seconds: u64, mut turn: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !turn() {
        assert!(Instant::now() < deadline, "{what} did not happen within {seconds} s");
    }
}

#[test]
fn what_a_real_broker_says() {
    let mut cluster = KafkaCluster::start(&KafkaOptions { forwarded: true, ..KafkaOptions::default() }).unwrap();
    let admin = connect(&cluster.bootstrap(), tls(cluster.admin())).unwrap().admin();
    topics_are_created_once_and_only_grow(&admin);
    a_topic_that_is_not_there_is_a_fact(&admin);
    refusals_are_sentences(&cluster);
    certificates_that_are_refused_are_sentences(&cluster);
    new_certificates_are_proved_by_a_broker(&cluster);
    lag_is_read_without_joining(&cluster);
    producing::a_producer_survives_the_loss_of_every_broker(&mut cluster);
}

fn a_topic_that_is_not_there_is_a_fact(admin: &ClientSettings) {
    let client: BaseConsumer<ObservedContext> = admin.create_with_context(ObservedContext::default()).unwrap();
    let told = Informant::default().ask(client.client(), &["mt-c400", "nowhere"], DEADLINE).unwrap();
    let [(_, Ok(known)), (name, Err(code))] = told.as_slice() else { panic!("{told:?}") };
    assert!(known.id.is_some() && known.partitions > 0, "{known:?}");
    assert_eq!((name.as_str(), *code), ("nowhere", RDKafkaErrorCode::UnknownTopicOrPartition));
}

fn topics_are_created_once_and_only_grow(admin: &ClientSettings) {
    let mut wanted = vec![new_topic("mt-c400", 4), new_topic("mt-c300", 2)];
    wanted[0].config.insert("retention.ms".to_owned(), "3600000".to_owned());
    assert_eq!(topics::create(admin, &wanted, DEADLINE).unwrap(), [Created::New, Created::New]);
    assert_eq!(topics::create(admin, &wanted, DEADLINE).unwrap(), [Created::Existed, Created::Existed]);
    let other = topics::create(admin, &[new_topic("mt-c400", 8)], DEADLINE).unwrap_err();
    assert!(matches!(other, TopicsError::OtherPartitions { found: 4, wanted: 8, .. }), "{other}");
    topics::grow(admin, "mt-c300", 3, DEADLINE).unwrap();
    let shrink = topics::grow(admin, "mt-c300", 1, DEADLINE).unwrap_err();
    assert!(shrink.to_string().contains("refused to grow topic mt-c300"), "{shrink}");
    let seen: Vec<_> =
        probe::all_topics(admin, DEADLINE).unwrap().into_iter().map(|t| (t.name, t.partitions)).collect();
    assert_eq!(seen, [("mt-c300".to_owned(), 3), ("mt-c400".to_owned(), 4)]);
    let config = topics::configuration(admin, &["mt-c400"], DEADLINE).unwrap();
    assert_eq!(config["mt-c400"]["retention.ms"], "3600000");
    let copies = NewTopic { replication: 3, ..new_topic("mt-copies", 1) };
    let refused = topics::create(admin, &[copies], DEADLINE).unwrap_err();
    assert!(refused.to_string().contains("not that many brokers"), "{refused}");
}

fn refusals_are_sentences(cluster: &KafkaCluster) {
    let bootstrap = cluster.bootstrap();
    let missing = connect(&bootstrap, tls(cluster.admin())).unwrap().admin();
    let error = probe::topics(&missing, &["mt-c400", "mt-none", "mt-neither"], DEADLINE).unwrap_err();
    assert_says(&error, &["topics mt-none, mt-neither do not exist", &bootstrap, "comboioctl topics apply"]);

    let nobody = cluster.authority().issue("nobody").unwrap();
    let kafka = connect(&bootstrap, tls(&nobody)).unwrap();
    let error = probe::topics(&kafka.producer(&ProducerTuning::default()), &["mt-c400"], DEADLINE).unwrap_err();
    assert_says(&error, &["User:CN=nobody may not use topic mt-c400", "ACL"]);
    let error = probe::group(&kafka.consumer(&ConsumerTuning::for_group("lambda")), "mt-c400", DEADLINE).unwrap_err();
    assert_says(&error, &["User:CN=nobody may not use the consumer group lambda", "Read on the group"]);
    let error = topics::create(&kafka.admin(), &[new_topic("mt-new", 1)], DEADLINE).unwrap_err();
    assert!(error.to_string().contains("refused to create topic mt-new: an ACL that allows it is missing"), "{error}");

    let consumer = cluster.authority().issue("consumer").unwrap();
    cluster.allow(&consumer.principal(), &[Grant::consume("mt-c400"), Grant::group("lambda")]).unwrap();
    let kafka = connect(&bootstrap, tls(&consumer)).unwrap();
    let there = probe::topics(&kafka.admin(), &["mt-c400"], DEADLINE).unwrap();
    assert_eq!((there[0].partitions, there[0].replication), (4, 1));
    probe::group(&kafka.consumer(&ConsumerTuning::for_group("lambda")), "mt-c400", DEADLINE).unwrap();
}

/// A folder with the files of one client, replaced one after the other as an operator does.
struct InUse(tempfile::TempDir);

impl InUse {
    fn put(&self, name: &str, parts: &[&Path]) {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| std::fs::read(part).unwrap()).collect();
        let (beside, file) = (self.0.path().join("new"), self.0.path().join(name));
        std::fs::write(&beside, bytes).unwrap();
        std::fs::rename(beside, file).unwrap();
    }

    fn put_identity(&self, identity: &Identity) {
        self.put("client.crt", &[&identity.certificate]);
        self.put("client.key", &[&identity.key]);
    }

    fn tls(&self) -> TlsRaw {
        let file = |name: &str| text(&self.0.path().join(name));
        TlsRaw {
            ca: file("ca.crt"),
            certificate: file("client.crt"),
            key: file("client.key"),
            check_every: runtime::config::Span::from_millis(20),
            settle_checks: 500,
            ..TlsRaw::default()
        }
    }
}

fn new_certificates_are_proved_by_a_broker(cluster: &KafkaCluster) {
    let (authority, other) = (cluster.authority(), tempfile::tempdir().unwrap());
    let in_use = InUse(tempfile::tempdir().unwrap());
    in_use.put("ca.crt", &[&authority.ca()]);
    let identity = authority.issue("rotating").unwrap();
    cluster.allow(&identity.principal(), &[Grant::produce("mt-c400")]).unwrap();
    in_use.put_identity(&identity);
    let kafka = connect(&cluster.bootstrap(), in_use.tls()).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    // Nobody listens any more only at the end.
    let tell = move |event| drop(tell.send(event));
    let watch = rotation::watch(&kafka, vec!["mt-c400".to_owned()], runtime::clock::system(), tell).unwrap().unwrap();
    let next = || told.recv_timeout(DEADLINE * 2).unwrap();
    let refused = |words: &str| match next() {
        Event::Refused { reason } => assert!(reason.contains(words), "{reason}"),
        other => panic!("not refused: {other:?}"),
    };

    in_use.put_identity(&authority.issue("rotating").unwrap());
    assert!(matches!(next(), Event::New(_)), "the same name from the same authority");
    in_use.put_identity(&authority.issue("unknown").unwrap());
    refused("User:CN=unknown may not use topic mt-c400");
    let foreign = localenv::authority::Authority::create(other.path()).unwrap();
    in_use.put_identity(&foreign.issue("rotating").unwrap());
    in_use.put("ca.crt", &[&authority.ca(), &foreign.ca()]);
    refused("refused our certificate CN=rotating");
    in_use.put_identity(&authority.issue("rotating").unwrap());
    assert!(matches!(next(), Event::New(_)));
    watch.stop();
}

fn certificates_that_are_refused_are_sentences(cluster: &KafkaCluster) {
    let (bootstrap, dir) = (cluster.bootstrap(), tempfile::tempdir().unwrap());
    let stranger = Authority::create(dir.path()).unwrap();
    let ask = |tls: TlsRaw| probe::topics(&connect(&bootstrap, tls).unwrap().admin(), &[], DEADLINE).unwrap_err();

    let expired = cluster.authority().issue_expired("late").unwrap();
    let error = connect(&bootstrap, tls(&expired)).unwrap_err().to_string();
    assert!(error.contains("kafka.tls.certificate") && error.contains("expired on"), "{error}");

    let error = ask(tls(&stranger.issue("producer").unwrap()));
    assert_says(&error, &["CN=broker", "is not vouched for by", &text(&stranger.ca()), "set kafka.tls.ca"]);

    let error = ask(TlsRaw { ca: text(&cluster.authority().ca()), ..TlsRaw::default() });
    assert_says(&error, &[&bootstrap, "no client certificate", "set kafka.tls.certificate"]);

    let both = dir.path().join("both.crt");
    let files = [stranger.ca(), cluster.authority().ca()];
    std::fs::write(&both, files.map(|file| std::fs::read(file).unwrap()).concat()).unwrap();
    let error = ask(TlsRaw { ca: text(&both), ..tls(&stranger.issue("producer").unwrap()) });
    assert_says(&error, &[&bootstrap, "refused our certificate CN=producer", "comboio throw-away authority"]);

    let error = ask(TlsRaw::default());
    assert_says(&error, &[&bootstrap, "most likely a TLS listener", "set kafka.tls.ca"]);
}

fn lag_is_read_without_joining(cluster: &KafkaCluster) {
    let kafka = connect(&cluster.bootstrap(), tls(cluster.admin())).unwrap();
    let (producer, acknowledged) = producer(&kafka);
    send(&producer, &acknowledged, 40);
    let settings = kafka.consumer(&ConsumerTuning::for_group("lambda"));
    let fresh = positions(&settings, &["mt-c400"], DEADLINE).unwrap();
    assert_eq!(fresh.len(), 4);
    assert!(fresh.iter().all(|position| position.committed.is_none()));
    assert_eq!(fresh.iter().map(|position| position.lag_records()).sum::<u64>(), 40);
    assert_eq!(positions(&settings, &[], DEADLINE).unwrap(), [], "only topics with a commit");

    let consumer: BaseConsumer<ObservedContext> = settings.create_with_context(ObservedContext::default()).unwrap();
    consumer.subscribe(&["mt-c400"]).unwrap();
    let mut seen = 0;
    until("reading all records", 30, || {
        if let Some(record) = consumer.poll(Duration::from_millis(50)) {
            let record = record.unwrap();
            seen += 1;
            if record.partition() == 0 {
                consumer.commit_message(&record, CommitMode::Sync).unwrap();
            }
        }
        seen == 40
    });
    drop(consumer);
    let after = positions(&settings, &[], DEADLINE).unwrap();
    let lags: Vec<_> = after.iter().map(|position| (position.partition, position.lag_records())).collect();
    assert_eq!(lags, [(0, 0)], "one partition has a commit, and nothing is left there");
}
