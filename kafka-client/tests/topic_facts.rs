//! What brokers say of topics, and what follows when they say nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kafka_client::context::ObservedContext;
use kafka_client::settings::{ConsumerTuning, Kafka, KafkaRaw};
use kafka_client::topic_facts::{Informant, NoFacts};
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use runtime::config::Settings;
use std::net::TcpListener;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

fn client(bootstrap: String) -> BaseConsumer<ObservedContext> {
    let raw = KafkaRaw { bootstrap_servers: vec![bootstrap], ..KafkaRaw::default() };
    let kafka = Kafka::validate(&Settings::of(&raw), &raw).unwrap();
    kafka.consumer(&ConsumerTuning::for_group("g")).create_with_context(ObservedContext::default()).unwrap()
}

#[test]
fn each_topic_has_an_id_of_its_own_that_stays() {
    let broker = EmbeddedBroker::start(1, &[Topic::new("a", 3), Topic::new("b", 1)]).unwrap();
    let client = client(broker.bootstrap());
    let mut informant = Informant::default();
    let mut ask = || informant.ask(client.client(), &["a", "b"], DEADLINE).unwrap();
    let first = ask();
    assert_eq!(first, ask());
    let [(a, Ok(of_a)), (b, Ok(of_b))] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!((a.as_str(), of_a.partitions, b.as_str(), of_b.partitions), ("a", 3, "b", 1));
    assert!(of_a.id.is_some() && of_b.id.is_some() && of_a.id != of_b.id, "{first:?}");
    assert_eq!(informant.ask(client.client(), &[], DEADLINE), Ok(vec![]));
}

#[test]
fn who_gets_no_answer_waits_no_longer_than_it_wants() {
    // Takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client(silent.local_addr().unwrap().to_string());
    let begun = Instant::now();
    let mut informant = Informant::default();
    let answer = informant.ask(client.client(), &["a"], Duration::from_millis(300));
    assert!(matches!(answer, Err(NoFacts(_))), "{answer:?}");
    assert!(begun.elapsed() < DEADLINE / 4);
    let wrong = informant.ask(client.client(), &["a\0b"], DEADLINE);
    assert_eq!(wrong, Err(NoFacts(RDKafkaErrorCode::InvalidTopic)), "no name of Kafka's");
}
