//! What the contract costs on the wire: `cargo test -p domain --test contract_size -- --nocapture` prints the figures of docs/adr/0006.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::contract::{BatchHead, OpenBatch, Push, Request};
use domain::event::{Event, Readings, encode};
use domain::offset::Offset;

const RECORDS: u64 = 500;
/// What a request may have beside its records.
const A_BATCH: usize = 400;

/// A batch as the default load makes it: 13,000 events/s on 40 partitions, so about 3 ms between records of a partition.
fn batch() -> OpenBatch {
    let head = BatchHead {
        group: "mt-c400-consumer-group".into(),
        topic: "mt-c400".into(),
        partition: 3,
        lane: 0,
        lanes: 1,
        epoch: 0,
        log: Some("Uu8_7ZLBTkSxEOcLvvR4BA".into()),
        since: Some(Offset(47_000_000)),
    };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for i in 0..RECORDS {
        let truck_id = format!("BR{:05}", i * 7919 % 20_000);
        let ts = 1_763_701_200_000 + i as i64 * 3 + (i * i % 5) as i64;
        let readings = Readings {
            lat_e5: -2_355_052 + i as i32,
            lon_e5: -4_663_331,
            speed_tenths: 824,
            fuel_tenths: 612,
            odo_tenths: 1_827_332 + i,
        };
        let event = Event { run: "7f3a91c2", codigo: 400, truck_id: &truck_id, seq: 18_000 + i, ts, readings };
        let mut value = Vec::new();
        encode(&event, &mut value);
        assert_eq!(batch.push(Offset(48_000_000 + i as i64), ts, &value), Push::Taken);
    }
    batch
}

#[test]
fn differences_cost_a_fraction_of_whole_numbers() {
    let batch = batch();
    let payload = batch.request(1, None);
    let request = Request::decode(&payload).expect("our own request");
    let values: usize = request.records().map(|record| record.value.len()).sum();
    let text = |numbers: Vec<i64>| serde_json::to_string(&numbers).expect("JSON").len();
    let whole = text(batch.offsets().map(|o| o.0).collect()) + text(batch.timestamps().to_vec());
    let steps = |numbers: Vec<i64>| text(numbers.windows(2).map(|pair| pair[1] - pair[0]).collect());
    let differences = steps(batch.offsets().map(|o| o.0).collect()) + steps(batch.timestamps().to_vec());
    let each = |bytes: usize| bytes as f64 / RECORDS as f64;
    println!("{RECORDS} records: request {} bytes, {:.1} a record", payload.len(), each(payload.len()));
    println!("  values                                {values} bytes, {:.1} a record", each(values));
    println!("  offsets and timestamps as numbers     {whole} bytes, {:.1} a record", each(whole));
    println!("  the same as first value + differences {differences} bytes, {:.1} a record", each(differences));
    let ratio = (payload.len() - A_BATCH) as f64 / values as f64;
    println!("  the request less {A_BATCH} bytes a batch, to values {ratio:.3}");
    assert!(ratio <= 1.06, "{ratio:.3} times the values");
    assert!(differences * 4 < whole, "{differences} bytes against {whole}");
    assert!(payload.len() < values + differences + RECORDS as usize + 400, "{} bytes", payload.len());
}
