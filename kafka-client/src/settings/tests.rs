//! Tests of settings: what is refused, what librdkafka gets, and that the key is never shown.
mod consumers;

use super::*;
use crate::certificates::made::Files;
use runtime::config::Loaded;
use runtime::config::Span;
use runtime::config::load;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, Default, serde::Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    kafka: KafkaRaw,
    send: ProducerTuningRaw,
    poll: ConsumerTuningRaw,
}

fn loaded(toml: &str) -> Loaded<Raw> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("service.toml");
    std::fs::write(&file, toml).unwrap();
    load::<Raw>(Some(&file), std::iter::empty()).unwrap()
}

fn kafka(toml: &str) -> Result<Kafka, ConfigError> {
    let loaded = loaded(toml);
    Kafka::validate(&loaded, &loaded.raw.kafka)
}

fn plaintext() -> Kafka {
    kafka("[kafka]\nbootstrap_servers = [\"b1:9092\", \"b2:9092\"]\n").unwrap()
}

/// Certificates made for these tests are dated around a fixed day; a bundle that is valid today needs today's dates.
fn mutual() -> Kafka {
    let bundle = Files::sound().bundle(crate::certificates::made::NOW_MS);
    plaintext().with_bundle(Arc::new(bundle.unwrap()))
}

#[test]
fn bootstrap_servers_are_pairs_of_host_and_port() {
    for wrong in
        ["[]", "[\"b1\"]", "[\"b1:0\"]", "[\"b1:x\"]", "[\"b1:9092,b2:9092\"]", "[\"ssl://b1:9092\"]", "[\":1\"]"]
    {
        let error = kafka(&format!("[kafka]\nbootstrap_servers = {wrong}\n")).unwrap_err().to_string();
        assert!(error.contains("kafka.bootstrap_servers") && error.contains("\"host:port\""), "{wrong}: {error}");
    }
}

#[test]
fn a_setting_out_of_its_range_is_named_with_what_is_allowed() {
    let base = "[kafka]\nbootstrap_servers = [\"b:1\"]\n";
    let error = kafka(&format!("{base}connect_timeout = \"0s\"\n")).unwrap_err().to_string();
    assert!(error.contains("kafka.connect_timeout") && error.contains("\"1s\" to \"600s\""), "{error}");
    let error = kafka(&format!("{base}metadata_refresh = \"2h\"\n")).unwrap_err().to_string();
    assert!(error.contains("kafka.metadata_refresh") && error.contains("\"1s\" to \"3600s\""), "{error}");
    let error = kafka(&format!("{base}client_id = \"a b\"\n")).unwrap_err().to_string();
    assert!(error.contains("kafka.client_id"), "{error}");
}

#[test]
fn certificate_and_key_come_together_and_with_an_authority() {
    let base = "[kafka]\nbootstrap_servers = [\"b:1\"]\n[kafka.tls]\n";
    for (written, names) in [
        ("certificate = \"c.pem\"\n", "kafka.tls.certificate"),
        ("key = \"k.pem\"\n", "kafka.tls.key"),
        ("ca = \"a.pem\"\ncertificate = \"c.pem\"\n", "kafka.tls.key"),
        ("ca = \"a.pem\"\nkey = \"k.pem\"\n", "kafka.tls.certificate"),
        ("ca = \"/no/such/ca.pem\"\n", "/no/such/ca.pem cannot be read"),
        ("ca = \"-----BEGIN X-----\\nc2VjcmV0\"\n", "kafka.tls.ca is `<PEM text>`"),
    ] {
        let error = kafka(&format!("{base}{written}")).unwrap_err().to_string();
        assert!(error.contains(names), "{written}: {error}");
    }
}

#[test]
fn certificates_come_in_exactly_one_way() {
    let base = "[kafka]\nbootstrap_servers = [\"b:1\"]\n[kafka.tls]\n";
    for (written, names) in [
        ("bundle = \"b.p12\"\nca = \"a.pem\"\n", "kafka.tls.bundle"),
        ("bundle = \"b.p12\"\nkey = \"k.pem\"\n", "kafka.tls.bundle"),
        ("bundle_password = \"hunter2\"\nca = \"a.pem\"\n", "kafka.tls.bundle"),
        ("certificate = \"c.pem\"\n", "kafka.tls.certificate"),
    ] {
        let error = kafka(&format!("{base}{written}")).unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.contains(names) && sentence.contains("allowed is one way: ca alone"), "{sentence}");
        assert!(error.is_usage() && !sentence.contains("hunter2"), "{sentence}");
    }
    for (written, names) in [
        ("bundle = \"s3://bucket\"\n", "allowed is s3://bucket/key"),
        ("ca = \"https://example.com/ca.pem\"\n", "allowed is a path, or s3://bucket/key"),
        ("bundle = \"b.p12\"\nbundle_password = \"x\"\nbundle_password_file = \"y\"\n", "not both"),
        ("check_every = \"0s\"\n", "kafka.tls.check_every"),
        ("settle_checks = 0\n", "kafka.tls.settle_checks"),
        ("alarm_before = \"60d\"\n", "not be longer than kafka.tls.warn_before"),
        ("s3 = { endpoint_url = \"ftp://x\" }\n", "kafka.tls.s3.endpoint_url"),
    ] {
        let error = kafka(&format!("{base}{written}")).unwrap_err().to_string();
        assert!(error.contains(names), "{written}: {error}");
    }
}

#[test]
fn an_expired_bundle_is_a_bad_configuration() {
    let files = Files::sound();
    let quoted = |path: PathBuf| format!("{:?}", path.display().to_string());
    let toml = format!(
        "[kafka]\nbootstrap_servers = [\"b:1\"]\n[kafka.tls]\nca = {}\ncertificate = {}\nkey = {}\n",
        quoted(files.ca()),
        quoted(files.certificate()),
        quoted(files.key())
    );
    let error = kafka(&toml).unwrap_err().to_string();
    assert!(error.contains("kafka.tls.certificate") && error.contains("expired on"), "{error}");
}

#[test]
fn every_client_asks_for_new_partitions_as_often_as_it_is_told() {
    let often = kafka("[kafka]\nbootstrap_servers = [\"b:1\"]\nmetadata_refresh = \"2s\"\n").unwrap();
    for (kafka, wanted) in [(often, "2000"), (plaintext(), "300000")] {
        let clients = [kafka.producer(&ProducerTuning::default()), kafka.consumer(&ConsumerTuning::for_group("g"))];
        for settings in clients {
            assert_eq!(settings.property("topic.metadata.refresh.interval.ms"), Some(wanted));
        }
    }
}

#[test]
fn a_producer_is_idempotent_and_partitions_like_java() {
    let settings = plaintext().producer(&ProducerTuning::default());
    for (name, value) in [
        ("enable.idempotence", "true"),
        ("acks", "all"),
        ("partitioner", "murmur2_random"),
        ("compression.codec", "lz4"),
        ("linger.ms", "200"),
        ("max.in.flight.requests.per.connection", "2"),
        ("delivery.timeout.ms", "120000"),
        ("queue.buffering.max.messages", "400000"),
        ("queue.buffering.max.kbytes", "262144"),
        ("bootstrap.servers", "b1:9092,b2:9092"),
        ("metadata.recovery.strategy", "rebootstrap"),
    ] {
        assert_eq!(settings.property(name), Some(value), "{name}");
    }
    assert_eq!(settings.property("security.protocol"), None, "no certificates mean plaintext");
}

#[test]
fn librdkafka_takes_every_property_of_every_client() {
    use crate::context::ObservedContext as Context;
    use rdkafka::consumer::BaseConsumer;
    use rdkafka::producer::BaseProducer;
    for kafka in [plaintext(), mutual()] {
        let _: BaseProducer<Context> =
            kafka.producer(&ProducerTuning::default()).create_with_context(Context::default()).unwrap();
        for tuning in [ConsumerTuning::for_group("g"), consumers::by_the_brokers()] {
            let settings = kafka.consumer(&tuning);
            let _: BaseConsumer<Context> = settings.create_with_context(Context::default()).unwrap();
            let _: BaseConsumer<Context> = settings.to_scout().create_with_context(Context::default()).unwrap();
        }
        let _: BaseConsumer<Context> = kafka.admin().create_with_context(Context::default()).unwrap();
    }
}

#[test]
fn settings_with_certificates_show_everything_but_the_key() {
    let kafka = mutual();
    let settings = kafka.producer(&ProducerTuning::default());
    assert_eq!(settings.property("security.protocol"), Some("ssl"));
    assert_eq!(settings.property("ssl.endpoint.identification.algorithm"), Some("https"));
    assert_eq!(settings.property("ssl.key.pem"), None);
    let shown = format!("{kafka:?} {settings:?} {settings:#?}");
    assert!(shown.contains("linger.ms") && shown.contains("CN=producer"), "{shown}");
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains("BEGIN"), "{shown}");
}

/// Keeps every log line.
#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<String>>>);

impl rdkafka::client::ClientContext for Lines {
    fn log(&self, _: rdkafka::config::RDKafkaLogLevel, _: &str, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

impl rdkafka::consumer::ConsumerContext for Lines {}

#[test]
fn not_even_librdkafka_s_own_debug_lines_show_the_key() {
    let mut settings = mutual().admin();
    settings.config.set("debug", "all").set_log_level(rdkafka::config::RDKafkaLogLevel::Debug);
    let lines = Lines::default();
    let client: rdkafka::consumer::BaseConsumer<Lines> = settings.create_with_context(lines.clone()).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !lines.0.lock().unwrap().iter().any(|line| line.contains("ssl.key.pem")) {
        assert!(std::time::Instant::now() < deadline, "librdkafka did not log its settings");
        let _ = client.poll(Duration::from_millis(20));
    }
    let all = lines.0.lock().unwrap().join("\n");
    assert!(all.contains("ssl.key.pem = [redacted]") && !all.contains("PRIVATE KEY"), "{all}");
}

#[test]
fn a_client_that_cannot_be_made_says_why_without_a_value() {
    let mut settings = mutual().producer(&ProducerTuning::default());
    settings.config.set("ssl.key.pem", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
    settings.config.set("linger.ms", "c2VjcmV0");
    for _ in 0..2 {
        let made: Result<rdkafka::producer::BaseProducer<crate::context::ObservedContext>, _> =
            settings.create_with_context(crate::context::ObservedContext::default());
        let error = made.err().unwrap();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("could not be created"), "{shown}");
        assert!(!shown.contains("c2VjcmV0") && !shown.contains("PRIVATE KEY"), "{shown}");
        settings.config.set("linger.ms", "5");
    }
}

#[test]
fn tunings_refuse_what_cannot_work() {
    let check = |toml: &str| {
        let loaded = loaded(toml);
        let producer = ProducerTuning::validate(&loaded, "send", &loaded.raw.send).map(|_| ());
        let consumer = ConsumerTuning::validate(&loaded, "poll", &loaded.raw.poll).map(|_| ());
        producer.and(consumer).unwrap_err().to_string()
    };
    let group = "[poll]\ngroup = \"g\"\n";
    for (toml, names) in [
        ("[poll]\n".to_owned(), "poll.group"),
        (format!("{group}instance = \"a/b\"\n"), "poll.instance"),
        (format!("{group}max_poll_interval = \"10s\"\n"), "poll.max_poll_interval"),
        (format!("{group}prefetch_records = 0\n"), "poll.prefetch_records"),
        (format!("{group}[send]\nlinger = \"2m\"\n"), "send.linger"),
        (format!("{group}[send]\ndelivery_timeout = \"1s\"\nlinger = \"1s\"\n"), "shorter than delivery_timeout"),
        (format!("{group}[send]\nqueue_size = \"1KiB\"\n"), "send.queue_size"),
    ] {
        let error = check(&toml);
        assert!(error.contains(names), "{toml}: {error}");
    }
}

#[test]
fn spans_and_defaults_agree() {
    assert_eq!(KafkaRaw::default().connect_timeout, Span::from_secs(10));
    assert_eq!(ProducerTuning::default().linger, Duration::from_millis(200));
}
