//! What this build of librdkafka must be able to do; no broker is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kafka_client::context::{ObservedContext, ReasonKind};
use kafka_client::probe::{self, ProbeError};
use kafka_client::settings::{Kafka, KafkaRaw};
use rdkafka::consumer::BaseConsumer;
use runtime::config::Settings;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// An address at which nobody listens: it was free a moment ago.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn kafka(bootstrap: &str) -> Kafka {
    let raw = KafkaRaw { bootstrap_servers: vec![bootstrap.to_owned()], ..KafkaRaw::default() };
    Kafka::validate(&Settings::of(&raw), &raw).unwrap()
}

/// Without real atomics `rd_atomic32_set` returns the new value instead of the old one, and then neither is "all brokers
/// down" said nor does a client ever start again from its bootstrap servers. The two hang on the same condition.
#[test]
fn atomics_are_real_so_all_brokers_down_is_said() {
    let context = ObservedContext::default();
    let observer = context.0.clone();
    let client: BaseConsumer<ObservedContext> = kafka(&nobody()).admin().create_with_context(context).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while observer.last(ReasonKind::AllDown).is_none() {
        assert!(Instant::now() < deadline, "librdkafka was built without atomics: see CFLAGS in .cargo/config.toml");
        let _ = client.poll(Duration::from_millis(50));
    }
}

#[test]
fn an_unreachable_broker_is_one_sentence_within_the_deadline() {
    let bootstrap = nobody();
    let started = Instant::now();
    let error = probe::topics(&kafka(&bootstrap).admin(), &["mt-c400"], Duration::from_secs(1)).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    let sentence = error.to_string();
    assert!(matches!(error, ProbeError::Unreachable { .. }), "{error:?}");
    assert!(sentence.contains(&bootstrap) && sentence.contains("Connection refused"), "{sentence}");
    assert!(!sentence.contains('\n'), "{sentence}");
}

#[test]
fn a_host_without_an_address_is_named() {
    let error = probe::topics(&kafka("no-such-host.invalid:9094").admin(), &[], Duration::from_secs(2)).unwrap_err();
    assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
}

/// Something that accepts and never answers must not hold the check.
#[test]
fn a_silent_listener_does_not_hang_the_probe() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let started = Instant::now();
    let bootstrap = listener.local_addr().unwrap().to_string();
    let error = probe::all_topics(&kafka(&bootstrap).admin(), Duration::from_secs(1)).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}: {error}", started.elapsed());
}
