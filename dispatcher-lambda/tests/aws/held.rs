//! What a destination holds, and whether that is right.

use crate::cloud::struck;
use crate::convoy::{DELIVER, bring_all, bring_once, dispatcher, events, id_of};
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// What was brought to a destination, and what it must hold.
pub struct Brought {
    /// Everything of these was brought until it was delivered.
    pub all: Vec<String>,
    /// Of others, which were brought once, these ids are said to be delivered.
    pub once: BTreeSet<String>,
}

/// 500 events once, then 10,000 until they are delivered, through faults of `service`.
pub async fn bring_through_faults(service: &str, destinations: &str) -> Brought {
    bring_through(service, destinations, || struck(service)).await
}

/// The same; how often each fault struck is for `struck` to say.
pub async fn bring_through(name: &str, destinations: &str, struck: impl Fn() -> Vec<u64>) -> Brought {
    let start = Instant::now();
    let impatient = dispatcher(&format!("{destinations}[deliver]\nattempts = 1\n"));
    let once = bring_once(&impatient, &events("once", 500)).await;
    let all = events("all", 10_000);
    let rounds = bring_all(&dispatcher(&format!("{destinations}{DELIVER}")), &all).await;
    println!(
        "{name}: {} of 500 at once, 10000 in {rounds} batches, faults {:?}, {:?}",
        once.len(),
        struck(),
        start.elapsed()
    );
    assert!(struck().iter().all(|count| *count > 0), "every fault struck: {:?}", struck());
    assert!(once.len() < 500, "without a fault the test shows nothing");
    Brought { all, once }
}

impl Brought {
    /// Everything that is said to be delivered stands among `held` at least once.
    pub fn is_held_by(&self, held: &[String]) {
        let ids: BTreeSet<String> = held.iter().map(|event| id_of(event)).collect();
        let lost: Vec<String> = self.all.iter().map(|event| id_of(event)).filter(|id| !ids.contains(id)).collect();
        assert!(lost.is_empty(), "{} delivered events are not there, such as {}", lost.len(), lost[0]);
        let lies: Vec<&String> = self.once.difference(&ids).collect();
        assert!(lies.is_empty(), "{} events are said to be delivered and are not there: {}", lies.len(), lies[0]);
        let values: BTreeSet<&String> = held.iter().collect();
        assert!(self.all.iter().all(|event| values.contains(event)), "byte for byte");
    }

    /// Every event of the 10,000 once, and each truck's in the order of its seq.
    pub fn is_in_order_and_once(&self, held: &[String]) {
        let mut last: HashMap<String, u64> = HashMap::new();
        let mut count = 0;
        for event in held.iter().filter(|event| event.contains("\"id\":\"all-")) {
            let event: serde_json::Value = serde_json::from_str(event).unwrap();
            let (truck, seq) = (event["truck_id"].as_str().unwrap(), event["seq"].as_u64().unwrap());
            let before = last.insert(truck.to_owned(), seq).unwrap_or_default();
            assert_eq!(seq, before + 1, "order of {truck}");
            count += 1;
        }
        assert_eq!(count, self.all.len());
    }
}
