//! The object store of `runtime`, through the real SDK, against the local store: what is read, what is not read again, and
//! every fault with its class.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use localenv::bundle_store::{BundleStore, StoreFault};
use runtime::aws::AwsSettings;
use runtime::objects::{ObjectDesk, ObjectFault, ObjectStoreSettings, ObjectUri, Sighting, Upload};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PATH: &str = "fleet-certs/producer/bundle.p12";

struct World {
    _folder: tempfile::TempDir,
    store: BundleStore,
    desk: ObjectDesk,
    uri: ObjectUri,
}

fn settings(endpoint: &str, timeout: Duration) -> ObjectStoreSettings {
    ObjectStoreSettings { aws: AwsSettings { region: None, endpoint_url: Some(endpoint.to_owned()) }, timeout }
}

impl World {
    fn new(timeout: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = BundleStore::start(&folder.path().join("store")).unwrap();
        let desk = ObjectDesk::start(settings(store.endpoint(), timeout)).unwrap();
        Self { desk, uri: format!("s3://{PATH}").parse().unwrap(), store, _folder: folder }
    }

    fn fetch(&self, etag: Option<&str>) -> (Vec<u8>, String) {
        match self.desk.get_if_changed(&self.uri, etag).unwrap() {
            Sighting::Object { bytes, etag } => (bytes, etag),
            Sighting::Unchanged => panic!("unchanged"),
        }
    }
}

#[test]
fn an_object_is_fetched_once_and_again_when_it_has_changed() {
    let world = World::new(Duration::from_secs(20));
    world.store.put(PATH, b"first").unwrap();
    let (bytes, etag) = world.fetch(None);
    assert_eq!(bytes, b"first");
    assert_eq!(world.desk.get_if_changed(&world.uri, Some(&etag)).unwrap(), Sighting::Unchanged);
    world.store.put(PATH, b"second").unwrap();
    let (bytes, next) = world.fetch(Some(&etag));
    assert_eq!(bytes, b"second");
    assert_ne!(next, etag);
    assert_eq!(world.store.answers(PATH), [200, 304, 200]);
}

#[test]
fn an_etag_is_always_of_the_bytes_beside_it() {
    let world = World::new(Duration::from_secs(20));
    let (one, other) = (vec![1; 1 << 16], vec![2; 1 << 16]);
    world.store.put(PATH, &one).unwrap();
    let of_one = world.fetch(None).1;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                world.store.put(PATH, &other).unwrap();
                world.store.put(PATH, &one).unwrap();
            }
        });
        let mixed = (0..500).map(|_| world.fetch(None)).filter(|(bytes, etag)| (*bytes == one) != (*etag == of_one));
        let mixed = mixed.count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(mixed, 0);
    });
}

#[test]
fn every_fault_has_its_class_and_a_next_step() {
    let world = World::new(Duration::from_secs(20));
    let fault = |words: &[&str]| {
        let error = world.desk.get_if_changed(&world.uri, None).unwrap_err();
        let sentence = error.to_string();
        for word in words.iter().chain(&["s3://fleet-certs/producer/bundle.p12"]) {
            assert!(sentence.contains(word), "{word} is not in: {sentence}");
        }
        error.fault()
    };
    assert_eq!(fault(&["does not exist", "NoSuchKey"]), ObjectFault::Missing);
    world.store.put(PATH, b"sealed").unwrap();
    for (answer, wanted, words) in [
        (StoreFault::access_denied(), ObjectFault::AccessDenied, "s3:GetObject"),
        (StoreFault::no_decrypt(), ObjectFault::Kms, "needs kms:Decrypt"),
        (StoreFault::key_disabled(), ObjectFault::Kms, "KMS.DisabledException"),
        (StoreFault::slow_down(), ObjectFault::Throttled, "less often"),
    ] {
        world.store.fail(PATH, answer);
        assert_eq!(fault(&[words]), wanted);
    }
    world.store.mend(PATH);
    assert_eq!(world.fetch(None).0, b"sealed");
    world.store.put(PATH, &vec![0; (4 << 20) + 1]).unwrap();
    assert_eq!(fault(&["larger than"]), ObjectFault::TooLarge);
}

#[test]
fn no_answer_and_no_store_are_sentences_within_the_deadline() {
    let world = World::new(Duration::from_millis(700));
    world.store.fail(PATH, StoreFault::Silence);
    let error = world.desk.get_if_changed(&world.uri, None).unwrap_err();
    assert_eq!(error.fault(), ObjectFault::Unreachable, "{error}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let desk = ObjectDesk::start(settings(&format!("http://{nobody}"), Duration::from_secs(20))).unwrap();
    let error = desk.get_if_changed(&world.uri, None).unwrap_err();
    assert_eq!(error.fault(), ObjectFault::Unreachable, "{error}");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[test]
fn what_is_written_is_there_byte_for_byte_and_a_refusal_names_the_right_to_ask_for() {
    let world = World::new(Duration::from_secs(20));
    world.store.put(PATH, b"so that the bucket is there").unwrap();
    let uri: ObjectUri = "s3://fleet-certs/dead/2026/a.ndjson".parse().unwrap();
    let upload = Upload {
        bytes: b"{\"a\":1}\n\xff".to_vec(),
        content_type: "application/x-ndjson",
        metadata: vec![("comboio-run".to_owned(), "smoke".to_owned())],
    };
    world.desk.put(&uri, upload.clone()).unwrap();
    assert_eq!(world.store.read("fleet-certs/dead/2026/a.ndjson").unwrap(), upload.bytes);
    world.store.fail("fleet-certs/dead/2026/a.ndjson", StoreFault::access_denied());
    let error = world.desk.put(&uri, upload).unwrap_err();
    assert_eq!(error.fault(), ObjectFault::AccessDenied);
    assert!(error.to_string().contains("s3:PutObject"), "{error}");
}
