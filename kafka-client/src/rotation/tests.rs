//! Tests of the watch: scripted looks at real files with a clock that stands still, and one run of the thread.

use super::*;
use crate::certificates::made::{Files, Made, NOW_MS, Wish, make};
use std::sync::mpsc;

const DAY_MS: i64 = 86_400_000;
const SETTLE: u32 = 3;

/// Files that are in use, and the watch over them.
struct Scene {
    ca: Made,
    files: Files,
    reader: Reader,
    vigil: Vigil,
    now_ms: i64,
}

impl Scene {
    fn new() -> Self {
        let ca = make(Wish::authority("ca"), None);
        let client = make(Wish::client("producer"), Some(&ca));
        let files = Files::write(&[&ca], &[&client], &client);
        let vigil = Vigil::new(Arc::new(files.bundle(NOW_MS).unwrap()), SETTLE);
        Self { reader: Reader::new(files.source("")), vigil, ca, files, now_ms: NOW_MS }
    }

    /// A certificate of our authority that ends on `day`.
    fn made(&self, day: i64) -> Made {
        make(Wish { until_day: day, ..Wish::client("producer") }, Some(&self.ca))
    }

    fn put_certificate(&self, made: &Made) {
        std::fs::write(self.files.certificate(), made.certificate.to_pem().unwrap()).unwrap();
    }

    fn put_key(&self, made: &Made) {
        std::fs::write(self.files.key(), made.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    }

    fn put(&self, made: &Made) {
        self.put_certificate(made);
        self.put_key(made);
    }

    /// One look; a bundle to be proved gets `answer`.
    fn look(&mut self, answer: Result<(), Objection>) -> Option<Event> {
        match self.vigil.look(&self.reader.read(), self.now_ms) {
            Next::Nothing => None,
            Next::Tell(event) => Some(event),
            Next::Prove(bundle) => self.vigil.proved(bundle, answer),
        }
    }

    /// Many looks, and all that was told.
    fn looks(&mut self, count: u32, answer: &Result<(), Objection>) -> Vec<Event> {
        (0..count).filter_map(|_| self.look(answer.clone())).collect()
    }
}

fn refusal(event: Option<Event>) -> String {
    match event {
        Some(Event::Refused { reason }) => reason,
        other => panic!("no refusal: {other:?}"),
    }
}

#[test]
fn a_sound_bundle_that_a_broker_accepts_is_handed_over_once() {
    let mut scene = Scene::new();
    assert_eq!(scene.looks(5, &Ok(())), []);
    scene.put(&scene.made(200));
    let Some(Event::New(bundle)) = scene.look(Ok(())) else { panic!("not handed over") };
    assert_eq!(bundle.expires_at(), Some(NOW_MS + 200 * DAY_MS));
    assert_eq!(scene.looks(5, &Ok(())), []);
}

#[test]
fn a_half_written_pair_is_no_alarm_until_it_stays_so() {
    let mut scene = Scene::new();
    let (old, next) = (scene.made(90), scene.made(200));
    scene.put(&old);
    assert!(matches!(scene.look(Ok(())), Some(Event::New(_))));
    scene.put_certificate(&next);
    assert_eq!(scene.looks(SETTLE - 1, &Ok(())), [], "the key may still come");
    scene.put_key(&next);
    assert!(matches!(scene.look(Ok(())), Some(Event::New(_))));
    scene.put_key(&old);
    assert_eq!(scene.looks(SETTLE - 1, &Ok(())), []);
    assert!(refusal(scene.look(Ok(()))).contains("does not belong to the certificate"));
    assert_eq!(scene.looks(50, &Ok(())), [], "one line per change");
    scene.put_key(&next);
    assert_eq!(scene.looks(5, &Ok(())), [Event::Recovered]);
}

#[test]
fn a_file_that_is_gone_or_half_there_is_told_when_it_stays_so() {
    let mut scene = Scene::new();
    let whole = std::fs::read(scene.files.certificate()).unwrap();
    std::fs::write(scene.files.certificate(), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(scene.looks(SETTLE - 1, &Ok(())), []);
    std::fs::remove_file(scene.files.certificate()).unwrap();
    let told = scene.looks(20, &Ok(()));
    assert!(
        matches!(&told[..], [Event::Unreachable { reason }] if reason.contains("client.pem cannot be read")),
        "{told:?}"
    );
    std::fs::write(scene.files.certificate(), whole).unwrap();
    assert_eq!(scene.looks(5, &Ok(())), [Event::Recovered]);
}

#[test]
fn an_expired_bundle_is_refused_at_once_and_the_next_one_is_taken() {
    let mut scene = Scene::new();
    scene.put(&scene.made(-1));
    assert!(refusal(scene.look(Ok(()))).contains("expired on"));
    assert_eq!(scene.looks(50, &Ok(())), []);
    scene.put(&scene.made(200));
    assert!(matches!(scene.look(Ok(())), Some(Event::New(_))));
}

#[test]
fn a_bundle_of_a_foreign_authority_is_refused_by_ours_or_by_the_broker() {
    let mut scene = Scene::new();
    let stranger = make(Wish::authority("stranger"), None);
    let client = make(Wish::client("producer"), Some(&stranger));
    scene.put(&client);
    let told = scene.looks(20, &Ok(()));
    assert!(matches!(&told[..], [Event::Refused { reason }] if reason.contains("issued by CN=stranger")), "{told:?}");
    // With its authority beside it the bundle is sound in itself; only a broker can know better.
    std::fs::write(scene.files.ca(), stranger.certificate.to_pem().unwrap()).unwrap();
    let no = Err(Objection::Refused("localhost:9 refused our certificate CN=producer".to_owned()));
    assert!(refusal(scene.look(no.clone())).contains("refused our certificate"));
    assert_eq!(scene.looks(35, &no), [], "proved again now and then, told once");
    assert!(matches!(scene.looks(PROOFS, &Ok(()))[..], [Event::New(_)]), "the brokers have learned to trust it");
}

/// Looks within which a refused bundle is proved again.
const PROOFS: u32 = 10;

#[test]
fn without_a_broker_to_ask_the_bundle_waits_and_is_told_once() {
    let mut scene = Scene::new();
    scene.put(&scene.made(200));
    let late = |ms: u32| Err(Objection::NotNow(format!("no broker answered (after {ms} ms)")));
    assert_eq!(scene.looks(SETTLE - 1, &late(1)), []);
    let told: Vec<Event> = (0..20).filter_map(|ms| scene.look(late(ms))).collect();
    assert!(matches!(&told[..], [Event::Unreachable { .. }]), "{told:?}");
    assert!(matches!(scene.look(Ok(())), Some(Event::New(_))));
}

#[test]
fn the_end_of_the_bundle_in_use_is_no_news_of_new_ones() {
    let mut scene = Scene::new();
    assert_eq!(scene.look(Ok(())), None);
    scene.now_ms += 91 * DAY_MS;
    assert_eq!(scene.looks(20, &Ok(())), [], "how long it holds is told elsewhere");
}

#[test]
fn the_thread_tells_and_ends_when_it_is_stopped() {
    let scene = Scene::new();
    let (tell, told) = mpsc::channel();
    let certificates =
        Certificates { source: scene.files.source(""), check_every: Duration::from_millis(10), settle_checks: SETTLE };
    let clock = Arc::new(runtime::clock::ManualClock::starting_at(NOW_MS));
    let current = Arc::new(scene.files.bundle(NOW_MS).unwrap());
    let watch = Watch::start(certificates, current, clock, |_| Ok(()), move |event| tell.send(event).unwrap()).unwrap();
    for day in [200, 300, 400] {
        scene.put(&scene.made(day));
        // A thread that stands still between two files of a bundle lets the watch see half of it, and object.
        let bundle = loop {
            if let Event::New(bundle) = told.recv_timeout(Duration::from_secs(20)).expect("not told") {
                break bundle;
            }
        };
        assert_eq!(bundle.expires_at(), Some(NOW_MS + day * DAY_MS));
    }
    watch.stop();
    assert_eq!(told.recv_timeout(Duration::from_secs(20)), Err(mpsc::RecvTimeoutError::Disconnected));
}
