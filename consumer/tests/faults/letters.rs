//! A thousand random dead letters on Kafka itself: each is its source record, byte for byte.

use crate::DEADLINE;
use crate::brain::{Fault, Reply};
use crate::reader::Record;
use crate::world::World;
use domain::headers::dead_letter as header;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use std::collections::{BTreeMap, HashMap};

const LETTERS: usize = 1_000;
/// How many headers of ours stand behind those of the record.
const OURS: usize = 10;
/// At which the function fails.
const MARK: &str = "fails-at-this";

/// Why a record can never be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    NotJson,
    /// Larger than a batch, and no event.
    Large,
    Rejected,
    Poison,
}

const KINDS: [Kind; 4] = [Kind::NotJson, Kind::Large, Kind::Rejected, Kind::Poison];

impl Kind {
    /// The class and the reason that its letter must name; a rejected one has the dispatcher's own reason.
    fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::NotJson => ("rejected", Some("not-json")),
            Self::Large | Self::Rejected => ("rejected", None),
            Self::Poison => ("function-error", Some("function-error")),
        }
    }
}

struct Dice(StdRng);

impl Dice {
    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.0.random_range(0..=most);
        (0..length).map(|_| self.0.random()).collect()
    }

    fn text(&mut self, most: usize) -> String {
        let length = self.0.random_range(0..=most);
        (0..length).map(|_| *['a', '"', '\\', '\n', 'ç', '€', '🚚', '\u{0}'].choose(&mut self.0).unwrap()).collect()
    }

    /// Most have one; none is not the same as an empty one.
    fn key(&mut self) -> Option<Vec<u8>> {
        match self.0.random_range(0..5) {
            0 => None,
            1 => Some(Vec::new()),
            2 => Some(self.text(12).into_bytes()),
            _ => Some(self.bytes(40)),
        }
    }

    fn value(&mut self, kind: Kind) -> Option<Vec<u8>> {
        // White space around JSON is part of the value, too.
        let around = ["", " ", "\r\n\t"].choose(&mut self.0).unwrap().to_string();
        let json = |value: serde_json::Value| Some(format!("{around}{value}{around}").into_bytes());
        match kind {
            Kind::NotJson => match self.0.random_range(0..3) {
                0 => None,
                1 => Some(format!("{{\"id\":{}", self.text(30)).into_bytes()),
                _ => Some([vec![0xff], self.bytes(300)].concat()),
            },
            Kind::Large => json("x".repeat(self.0.random_range(3_000..20_000)).into()),
            Kind::Rejected => match self.0.random_range(0..3) {
                0 => json(self.0.random::<f64>().into()),
                1 => json(serde_json::json!([self.text(40), null, {}])),
                _ => json(serde_json::json!({ "v": 1, "id": self.text(40), self.text(5): self.text(20) })),
            },
            Kind::Poison => json(serde_json::json!({ "v": 1, MARK: self.text(100) })),
        }
    }

    /// Names repeat and may be ours, as on a dead letter that was sent again; values may be empty, or none.
    fn headers(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        let names = ["a", "a", "ção", "traceparent", "comboio-topic", "comboio-offset", "x-y"];
        let count = self.0.random_range(0..6);
        let name = |dice: &mut Self| (*names.choose(&mut dice.0).unwrap()).to_owned();
        let value = |dice: &mut Self| match dice.0.random_range(0..4) {
            0 => None,
            1 => Some(Vec::new()),
            _ => Some(dice.bytes(60)),
        };
        (0..count).map(|_| (name(self), value(self))).collect()
    }
}

/// Sends one record of each kind in turn; says what each is made of.
fn send_all(world: &World, dice: &mut Dice) {
    for at in 0..LETTERS {
        let kind = KINDS[at % KINDS.len()];
        let (key, value, headers) = (dice.key(), dice.value(kind), dice.headers());
        let native = headers
            .iter()
            .fold(OwnedHeaders::new(), |list, (key, value)| list.insert(Header { key, value: value.as_ref() }));
        // The kind travels in the timestamp, which is the one thing that no random bytes are in.
        let timestamp = 1_763_701_200_000 + i64::try_from(at).unwrap();
        let record: BaseRecord<'_, [u8], [u8]> = BaseRecord {
            topic: &world.topic,
            partition: None,
            payload: value.as_deref(),
            key: key.as_deref(),
            timestamp: Some(timestamp),
            headers: Some(native),
            delivery_opaque: (),
        };
        world.producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    world.flush();
}

fn kind_of(record: &Record) -> Kind {
    KINDS[usize::try_from(record.timestamp - 1_763_701_200_000).unwrap() % KINDS.len()]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_dead_letter_is_its_source_record_byte_for_byte() {
    let world = World::on_kafka("letters").await;
    let failed = Reply::failed("Unhandled", r#"{"errorType":"panic","errorMessage":"at this record"}"#);
    world.brain.mark(MARK, Fault::Instead(failed));
    let settings = [
        world.both_topics(),
        ("BATCH__RECORDS", "16".to_owned()),
        ("BATCH__SIZE", "2KiB".into()),
        ("RETRY__BASE", "1ms".into()),
        ("RETRY__CAP", "1ms".into()),
        ("RETRY__SUSPECT_AFTER", "1".into()),
        ("RETRY__ATTEMPTS", "5".into()),
        // All of them are dead letters, and nobody is to stop that.
        ("FLOOD__IN_A_ROW", "0".into()),
        ("FLOOD__IN_WINDOW", "0".into()),
        ("FLOOD__SHARE", "0".into()),
    ];
    let seed = 20_260_113;
    send_all(&world, &mut Dice(StdRng::seed_from_u64(seed)));
    // Others must be answered, or nothing shows that it is the records.
    let _traffic = world.traffic_beside();
    let consumer = world.start(&settings);
    world.wait_committed(DEADLINE).await;
    consumer.stop().await;

    let (sources, letters) = (world.reader.sources(), world.reader.letters());
    assert_eq!((sources.len(), letters.len()), (LETTERS, LETTERS));
    let mut by_place: HashMap<(String, String, String), Record> = sources
        .into_iter()
        .map(|one| ((one.topic.clone(), one.partition.to_string(), one.offset.to_string()), one))
        .collect();
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for letter in &letters {
        let place = [header::TOPIC, header::PARTITION, header::OFFSET].map(|name| letter.text(name));
        let source =
            by_place.remove(&place.clone().into()).unwrap_or_else(|| panic!("{place:?} is no source, or twice"));
        let (theirs, ours) = letter.headers.split_at(letter.headers.len() - OURS);
        assert_eq!((&letter.key, &letter.value), (&source.key, &source.value), "{place:?}");
        assert_eq!(theirs, source.headers, "{place:?}");
        assert!(ours.iter().all(|(name, _)| name.starts_with("comboio-")), "{ours:?}");
        assert_eq!(letter.text(header::TIMESTAMP), source.timestamp.to_string());
        let (class, reason) = kind_of(&source).words();
        assert_eq!(letter.text(header::CLASS), class, "{place:?}");
        assert!(reason.is_none_or(|reason| letter.text(header::REASON) == reason), "{place:?}");
        *kinds.entry(kind_of(&source)).or_default() += 1;
    }
    assert_eq!(kinds, KINDS.map(|kind| (kind, LETTERS / KINDS.len())).into());
}
