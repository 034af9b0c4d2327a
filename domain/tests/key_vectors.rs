//! Keys and partitions against vectors that other implementations made (ci/vectors: Python's xxhash, Kafka's Java client).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::key::{KeyStrategy, partition_of};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

#[derive(Deserialize)]
struct Fixture {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    codigo: u32,
    truck_id: String,
    strategy: KeyStrategy,
    key: String,
    /// Number of partitions, as text, and where the key goes.
    partitions: BTreeMap<String, u32>,
}

fn vectors() -> Vec<Vector> {
    let fixture: Fixture =
        serde_json::from_str(include_str!("../fixtures/key-vectors.json")).expect("the fixture parses");
    fixture.vectors
}

#[test]
fn every_key_is_the_one_that_others_make() {
    for vector in vectors() {
        let mut key = Vec::new();
        vector.strategy.write(vector.codigo, &vector.truck_id, &mut key);
        assert_eq!(String::from_utf8_lossy(&key), vector.key, "{}:{}", vector.codigo, vector.truck_id);
    }
}

#[test]
fn every_key_goes_where_kafka_s_java_client_puts_it() {
    for vector in vectors() {
        for (count, partition) in &vector.partitions {
            let count = count.parse().expect("a number of partitions");
            assert_eq!(partition_of(vector.key.as_bytes(), count), *partition, "key {} of {count}", vector.key);
        }
    }
}

#[test]
fn the_vectors_cover_every_strategy_and_spread() {
    let vectors = vectors();
    let strategies: HashSet<_> = vectors.iter().map(|vector| format!("{:?}", vector.strategy)).collect();
    assert_eq!(strategies.len(), 4);
    let partitions: HashSet<_> = vectors.iter().map(|vector| vector.partitions["40"]).collect();
    assert!(partitions.len() > 20, "only {} of 40 partitions", partitions.len());
}
