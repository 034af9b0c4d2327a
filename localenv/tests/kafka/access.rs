//! Mutual TLS and ACLs of one broker, and that nothing is left of it.

use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use localenv::authority::{Authority, Identity};
use localenv::broker::grant::Grant;
use localenv::broker::kafka::{KafkaCluster, KafkaOptions};
use localenv::broker::topic::Topic;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::producer::Producer;
use rdkafka::types::RDKafkaErrorCode;

use crate::client::{PATIENCE, consumer, producer, read_all, refusal, send};

const TOPIC: &str = "access";

#[test]
fn who_gets_in_and_who_may_do_what() {
    let _turn = crate::turn();
    let cluster = KafkaCluster::start(&KafkaOptions { plaintext: true, ..KafkaOptions::brokers(1) }).unwrap();
    let topic = Topic::new(TOPIC, 4).with("retention.ms", "3600000");
    cluster.create_topics(std::slice::from_ref(&topic)).unwrap();
    cluster.create_topics(&[topic]).unwrap();

    a_client_without_certificate_is_refused(&cluster);
    an_expired_certificate_is_refused(&cluster);
    a_certificate_of_another_authority_is_refused(&cluster);
    a_certificate_alone_allows_nothing(&cluster);
    acls_allow_what_they_say_and_no_more(&cluster);
    plaintext_clients_need_nothing(&cluster);
    nothing_is_left_after_drop(cluster);
}

fn a_client_without_certificate_is_refused(cluster: &KafkaCluster) {
    let mut config = cluster.client_config(cluster.admin());
    config.remove("ssl.certificate.location");
    config.remove("ssl.key.location");
    let said = refusal(&config, "alert");
    assert!(said.contains("alert bad certificate"), "{said}");
}

fn an_expired_certificate_is_refused(cluster: &KafkaCluster) {
    let expired = cluster.authority().issue_expired("late").unwrap();
    let said = refusal(&cluster.client_config(&expired), "alert");
    assert!(said.contains("alert certificate"), "{said}");
}

fn a_certificate_of_another_authority_is_refused(cluster: &KafkaCluster) {
    let folder = tempfile::tempdir().unwrap();
    let foreign = Authority::create(folder.path()).unwrap();
    let mut identity = foreign.issue("admin").unwrap();
    let said = refusal(&cluster.client_config(&identity), "verify failed");
    assert!(said.contains("verify failed"), "the client takes the broker for genuine: {said}");
    identity.ca = cluster.authority().ca();
    let said = refusal(&cluster.client_config(&identity), "alert");
    assert!(said.contains("alert"), "{said}");
}

fn a_certificate_alone_allows_nothing(cluster: &KafkaCluster) {
    let stranger = cluster.authority().issue("stranger").unwrap();
    may_not_write(cluster, &stranger);
    may_not_read(cluster, &stranger);
}

/// Without idempotence, because its first request (for a producer id) would be refused before the topic is named.
fn may_not_write(cluster: &KafkaCluster, identity: &Identity) {
    let producer = producer(&cluster.client_config(identity), false);
    assert_eq!(send(&producer, TOPIC, 0..1), 0);
    let refused = producer.context().refused.lock().unwrap().clone();
    assert_eq!(refused, [KafkaError::MessageProduction(RDKafkaErrorCode::TopicAuthorizationFailed)]);
}

fn may_not_read(cluster: &KafkaCluster, identity: &Identity) {
    let consumer = consumer(&cluster.client_config(identity), "readers");
    consumer.subscribe(&[TOPIC]).unwrap();
    let end = Instant::now() + PATIENCE;
    let refused = [RDKafkaErrorCode::TopicAuthorizationFailed, RDKafkaErrorCode::GroupAuthorizationFailed];
    loop {
        assert!(Instant::now() < end, "it is not told that it may not read");
        match consumer.poll(Duration::from_millis(50)) {
            Some(Err(error)) if error.rdkafka_error_code().is_some_and(|code| refused.contains(&code)) => return,
            Some(Ok(_)) => panic!("it may read"),
            _ => {}
        }
    }
}

fn acls_allow_what_they_say_and_no_more(cluster: &KafkaCluster) {
    let (writer, reader) = (cluster.authority().issue("writer").unwrap(), cluster.authority().issue("reader").unwrap());
    cluster.allow(&writer.principal(), &[Grant::produce(TOPIC)]).unwrap();
    cluster.allow(&reader.principal(), &[Grant::consume(TOPIC), Grant::group("readers")]).unwrap();
    assert_eq!(send(&producer(&cluster.client_config(&writer), true), TOPIC, 0..200), 200);
    let seen = read_all(&cluster.client_config(&reader), "readers", TOPIC, 200);
    assert!(seen.values().all(|times| *times == 1));
    may_not_write(cluster, &reader);
    may_not_read(cluster, &writer);
}

fn plaintext_clients_need_nothing(cluster: &KafkaCluster) {
    let config = localenv::broker::admin::client_config(&cluster.plaintext_bootstrap().unwrap(), None);
    assert_eq!(send(&producer(&config, true), TOPIC, 200..210), 10);
}

fn nothing_is_left_after_drop(cluster: KafkaCluster) {
    let (pids, folder, bootstrap) = (cluster.pids(), cluster.folder().to_owned(), cluster.bootstrap());
    assert_eq!(pids.len(), 1);
    assert!(fs::exists(format!("/proc/{}", pids[0])).unwrap() && folder.exists());
    drop(cluster);
    assert!(!fs::exists(format!("/proc/{}", pids[0])).unwrap(), "the process runs on");
    assert!(!folder.exists(), "the folder is still there");
    assert!(TcpStream::connect(&bootstrap).is_err(), "somebody listens on {bootstrap}");
}
