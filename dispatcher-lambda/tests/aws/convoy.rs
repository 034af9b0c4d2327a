//! Events, and a consumer that brings them until none must come again.

use dispatcher_lambda::config::Config;
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dispatcher::Dispatcher;
use domain::contract::{BatchHead, Judgement, OpenBatch, Push, judge};
use domain::offset::Offset;
use std::collections::BTreeSet;
use std::time::Duration;

const TRUCKS: u64 = 80;
const BATCH: usize = 250;
/// Far more than any of the faults needs.
const MOST_ROUNDS: u32 = 40;

/// Events in the order of their offsets; every twentieth is of one truck.
pub fn events(run: &str, count: usize) -> Vec<String> {
    let mut seqs = vec![0_u64; usize::try_from(TRUCKS).unwrap()];
    let event = |place: usize| {
        let truck = if place.is_multiple_of(20) { 0 } else { place % seqs.len() };
        seqs[truck] += 1;
        let (seq, ts) = (seqs[truck], 1_763_701_200_000 + place);
        format!(
            r#"{{"v":1,"id":"{run}-BR{truck:05}-300-{seq}","codigo":300,"truck_id":"BR{truck:05}","seq":{seq},"ts":{ts},"lat":-23.55052,"lon":-46.63331,"speed":82.4,"fuel":61.2,"odo":182733.2}}"#
        )
    };
    (0..count).map(event).collect()
}

pub fn id_of(event: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(event).unwrap();
    event["id"].as_str().unwrap().to_owned()
}

/// The dispatcher as it is configured; each event stands for itself.
pub fn dispatcher(toml: &str) -> Dispatcher {
    let text = format!("[dedupe]\nstrategy = \"none\"\n[order]\nkey = \"truck-id\"\n{toml}");
    Dispatcher::new(Config::from_variables([("COMBOIO_CONFIG".to_owned(), text)].into_iter()).unwrap())
}

/// What stands in every configuration: quick waits, and little patience.
pub const DELIVER: &str = "[deliver]\nattempts = 2\nbackoff = \"1ms\"\nbackoff_cap = \"20ms\"\n";

/// One batch, once. Fails when the verdicts do not add up.
pub async fn bring(dispatcher: &Dispatcher, records: &[(i64, &str)], attempt: u32) -> Judgement {
    let head = BatchHead {
        group: "g".into(),
        topic: "mt-c300".into(),
        partition: 2,
        lane: 0,
        lanes: 1,
        epoch: 0,
        log: None,
        since: None,
    };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for (offset, value) in records {
        assert_eq!(batch.push(Offset(*offset), 1_763_701_200_123, value.as_bytes()), Push::Taken);
    }
    let deadline = Deadline::after(Duration::from_secs(60));
    let response = dispatcher.dispatch(&batch.request(attempt, None), deadline).await.unwrap();
    let judgement = judge(&batch, &serde_json::to_vec(&response).unwrap()).unwrap();
    let listed = judgement.rejected.len() + judgement.retry.len();
    assert_eq!(judgement.delivered + judgement.duplicates + listed as u64, records.len() as u64, "verdicts add up");
    judgement
}

/// Every batch once and no more; the ids of what is said to be delivered.
pub async fn bring_once(dispatcher: &Dispatcher, events: &[String]) -> BTreeSet<String> {
    let mut delivered = BTreeSet::new();
    for (place, batch) in events.chunks(BATCH).enumerate() {
        let records = records(place, batch);
        let judgement = bring(dispatcher, &records, 1).await;
        assert!(judgement.rejected.is_empty(), "{:?}", judgement.rejected);
        let again: BTreeSet<i64> = judgement.retry.iter().map(|listed| listed.offset.0).collect();
        delivered.extend(records.iter().filter(|(offset, _)| !again.contains(offset)).map(|(_, value)| id_of(value)));
    }
    delivered
}

/// As a consumer does: what must come again comes again, in order, before the next batch. How many rounds it took.
pub async fn bring_all(dispatcher: &Dispatcher, events: &[String]) -> u32 {
    let mut rounds = 0;
    for (place, batch) in events.chunks(BATCH).enumerate() {
        let mut left = records(place, batch);
        let mut why = String::new();
        for attempt in 1.. {
            assert!(attempt <= MOST_ROUNDS, "{} events are not delivered: {why}", left.len());
            let judgement = bring(dispatcher, &left, attempt).await;
            assert!(judgement.rejected.is_empty(), "{:?}", judgement.rejected);
            rounds += 1;
            why = judgement.retry.first().map(|listed| listed.detail.clone()).unwrap_or_default();
            let again: BTreeSet<i64> = judgement.retry.iter().map(|listed| listed.offset.0).collect();
            left.retain(|(offset, _)| again.contains(offset));
            if left.is_empty() {
                break;
            }
        }
    }
    rounds
}

fn records(place: usize, batch: &[String]) -> Vec<(i64, &str)> {
    let first = i64::try_from(place * BATCH).unwrap();
    (first..).zip(batch.iter().map(String::as_str)).collect()
}
