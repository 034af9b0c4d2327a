//! Certificates on S3: a start from them, what stands in the way of one, and new ones while it runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kafka_client::rotation::{Event, Watch};
use kafka_client::settings::{Kafka, KafkaRaw, TlsRaw};
use localenv::authority::{Authority, Identity};
use localenv::bundle_store::{BundleStore, StoreFault};
use runtime::clock;
use runtime::config::{ConfigError, Secret, Settings, Span};
use runtime::objects::ObjectStoreRaw;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const BUNDLE: &str = "fleet-certs/producer/bundle.p12";
const DEADLINE: Duration = Duration::from_secs(30);

struct World {
    folder: tempfile::TempDir,
    store: BundleStore,
    authority: Authority,
}

/// The bytes of a PKCS#12 file, as the `openssl` command writes them.
fn sealed(identity: &Identity, ca: &Path) -> Vec<u8> {
    let out = identity.certificate.with_extension("p12");
    let mut command = Command::new("openssl");
    command.args(["pkcs12", "-export", "-passout", "pass:hunter2", "-inkey"]).arg(&identity.key);
    command.arg("-in").arg(&identity.certificate).arg("-certfile").arg(ca).arg("-out").arg(&out);
    assert!(command.output().expect("openssl is needed").status.success());
    std::fs::read(out).unwrap()
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = BundleStore::start(&folder.path().join("store")).unwrap();
        let authority = Authority::create(&folder.path().join("ca")).unwrap();
        Self { store, authority, folder }
    }

    fn put(&self, identity: &Identity) {
        self.store.put(BUNDLE, &sealed(identity, &self.authority.ca())).unwrap();
    }

    fn tls(&self) -> TlsRaw {
        TlsRaw {
            bundle: format!("s3://{BUNDLE}"),
            bundle_password: Secret::new("hunter2"),
            check_every: Span::from_millis(20),
            s3: ObjectStoreRaw { endpoint_url: self.store.endpoint().to_owned(), ..ObjectStoreRaw::default() },
            ..TlsRaw::default()
        }
    }

    fn kafka(&self) -> Result<Kafka, ConfigError> {
        connect(self.tls())
    }
}

fn connect(tls: TlsRaw) -> Result<Kafka, ConfigError> {
    let raw = KafkaRaw { bootstrap_servers: vec!["localhost:1".to_owned()], tls, ..KafkaRaw::default() };
    Kafka::validate(&Settings::of(&raw), &raw)
}

/// Watches with a broker that accepts everybody.
fn watch(kafka: &Kafka) -> (Watch, Receiver<Event>) {
    let (tell, told) = channel();
    let certificates = (**kafka.certificates().unwrap()).clone();
    let current = kafka.bundle().unwrap().clone();
    // Nobody listens any more only at the end of a test.
    let tell = move |event| drop(tell.send(event));
    (Watch::start(certificates, current, clock::system(), |_| Ok(()), tell).unwrap(), told)
}

fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::yield_now();
    }
}

#[test]
fn a_service_starts_from_a_bundle_on_s3() {
    let world = World::new();
    world.put(&world.authority.issue("producer").unwrap());
    let kafka = world.kafka().unwrap();
    let bundle = kafka.bundle().unwrap();
    assert_eq!(bundle.subject(), Some("CN=producer"));
    assert_eq!(bundle.identity().unwrap().facts().file, Path::new("s3://fleet-certs/producer/bundle.p12"));
    let shown = format!("{kafka:?}");
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn pem_parts_may_lie_on_s3_and_in_files_side_by_side() {
    let world = World::new();
    let identity = world.authority.issue("producer").unwrap();
    world.store.put("fleet-certs/producer.crt", &std::fs::read(&identity.certificate).unwrap()).unwrap();
    let tls = TlsRaw {
        ca: identity.ca.display().to_string(),
        certificate: "s3://fleet-certs/producer.crt".to_owned(),
        key: identity.key.display().to_string(),
        bundle: String::new(),
        bundle_password: Secret::default(),
        ..world.tls()
    };
    assert_eq!(connect(tls).unwrap().bundle().unwrap().subject(), Some("CN=producer"));
}

#[test]
fn s3_that_gives_nothing_is_no_bad_configuration_but_a_bad_bundle_is() {
    let world = World::new();
    let missing = world.kafka().unwrap_err();
    assert!(!missing.is_usage() && missing.to_string().contains("kafka.tls.bundle: s3://fleet-certs"), "{missing}");
    world.put(&world.authority.issue("producer").unwrap());
    for (fault, words) in [(StoreFault::access_denied(), "s3:GetObject"), (StoreFault::no_decrypt(), "kms:Decrypt")] {
        world.store.fail(BUNDLE, fault);
        let error = world.kafka().unwrap_err();
        assert!(!error.is_usage() && error.to_string().contains(words), "{error}");
    }
    world.store.mend(BUNDLE);
    let mut tls = world.tls();
    tls.bundle_password = Secret::new("hunter3");
    let wrong = connect(tls).unwrap_err();
    assert!(wrong.is_usage() && wrong.to_string().contains("its password does not fit"), "{wrong}");
    assert!(!wrong.to_string().contains("hunter"), "{wrong}");
    world.put(&world.authority.issue_expired("producer").unwrap());
    let expired = world.kafka().unwrap_err();
    assert!(expired.is_usage() && expired.to_string().contains("expired on"), "{expired}");
}

#[test]
fn a_new_object_is_handed_over_and_an_old_one_is_not_fetched_again() {
    let world = World::new();
    world.put(&world.authority.issue("producer").unwrap());
    let kafka = world.kafka().unwrap();
    let (watch, told) = watch(&kafka);
    until("three looks", || world.store.answers(BUNDLE).len() >= 4);
    let answers = world.store.answers(BUNDLE);
    assert_eq!(answers[..4], [200, 200, 304, 304], "one for the start, one for the watch, then only its ETag");
    let next = world.authority.issue_for("producer", Duration::from_secs(3_600)).unwrap();
    world.put(&next);
    let Event::New(bundle) = told.recv_timeout(DEADLINE).unwrap() else { panic!("not new") };
    assert!(bundle.expires_at() < kafka.bundle().unwrap().expires_at());
    watch.stop();
}

#[test]
fn bad_objects_are_refused_once_each_while_the_old_bundle_goes_on() {
    let world = World::new();
    let ours = world.authority.issue("producer").unwrap();
    world.put(&ours);
    let sound = world.store.read(BUNDLE).unwrap();
    let kafka = world.kafka().unwrap();
    let (watch, told) = watch(&kafka);
    let next = || told.recv_timeout(DEADLINE).unwrap();
    let foreign = Authority::create(&world.folder.path().join("foreign")).unwrap();
    let stranger = foreign.issue("producer").unwrap();
    for (bytes, words) in [
        (sealed(&stranger, &world.authority.ca()), "is not vouched for by"),
        (sealed(&world.authority.issue_expired("late").unwrap(), &world.authority.ca()), "expired on"),
        (b"no bundle".to_vec(), "is no PKCS#12 bundle"),
    ] {
        world.store.put(BUNDLE, &bytes).unwrap();
        let event = next();
        assert!(matches!(&event, Event::Refused { reason } if reason.contains(words)), "{event:?}");
    }
    world.store.fail(BUNDLE, StoreFault::access_denied());
    let event = next();
    assert!(matches!(&event, Event::Unreachable { reason } if reason.contains("s3:GetObject")), "{event:?}");
    world.store.put(BUNDLE, &sound).unwrap();
    world.store.mend(BUNDLE);
    assert_eq!(next(), Event::Recovered);
    watch.stop();
    assert!(told.try_recv().is_err(), "nothing was told twice");
}
