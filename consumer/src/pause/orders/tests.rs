//! Orders against the plainest model: a flag for each partition.

use super::{Orders, Scope, TopicPartition};
use proptest::prelude::*;

const TOPICS: [&str; 3] = ["a", "b", "a.retry.5s"];
const PARTITIONS: i32 = 3;

fn at(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

fn scope() -> impl Strategy<Value = Scope> {
    let topic = prop::sample::select(TOPICS.to_vec());
    prop_oneof![
        Just(Scope::ALL),
        topic.clone().prop_map(Scope::topic),
        (topic, 0..PARTITIONS).prop_map(|(topic, partition)| Scope::partition(topic, partition)),
    ]
}

proptest! {
    #[test]
    fn of_all_orders_the_newest_decides_and_memory_is_bounded(orders in prop::collection::vec((scope(), any::<bool>()), 0..40)) {
        let all = TOPICS.into_iter().flat_map(|topic| (0..PARTITIONS).map(move |partition| at(topic, partition)));
        let mut flags: Vec<(TopicPartition, bool)> = all.map(|at| (at, false)).collect();
        let mut book = Orders::default();
        for (now_ms, (scope, pause)) in orders.into_iter().enumerate() {
            flags.iter_mut().filter(|(at, _)| scope.names(at)).for_each(|(_, flag)| *flag = pause);
            let now_ms = now_ms as i64;
            if pause { book.pause(scope, now_ms) } else { book.resume(scope, now_ms) }
            for (at, paused) in &flags {
                prop_assert_eq!(book.holds(at), *paused, "{} in {:?}", at, book);
            }
            prop_assert!(book.0.len() <= flags.len() + TOPICS.len() + 1);
            prop_assert!(flags.iter().any(|(_, paused)| *paused) || book.0.iter().any(|order| order.pause) || book.0.is_empty());
        }
    }
}

#[test]
fn a_topic_is_paused_but_for_one_partition_and_says_so() {
    let mut orders = Orders::default();
    orders.pause(Scope::topic("a"), 5);
    orders.resume(Scope::partition("a", 1), 7);
    assert!(orders.holds(&at("a", 0)) && !orders.holds(&at("a", 1)) && !orders.holds(&at("b", 0)));
    let shown = serde_json::json!({
        "paused": [{ "topic": "a", "partition": null, "since_ms": 5 }],
        "but_not": [{ "topic": "a", "partition": 1, "since_ms": 7 }],
    });
    assert_eq!(orders.json(), shown);
    orders.resume(Scope::ALL, 9);
    assert_eq!(orders.json(), serde_json::json!({ "paused": [], "but_not": [] }));
}

#[test]
fn a_topic_is_paused_with_its_retry_topics_and_they_without_it() {
    let mut orders = Orders::default();
    orders.pause(Scope::topic("a"), 1);
    assert!(orders.holds(&at("a", 7)) && orders.holds(&at("a.retry.5s", 0)) && !orders.holds(&at("b.retry.5s", 0)));
    orders.resume(Scope::topic("a.retry.5s"), 2);
    assert!(orders.holds(&at("a", 7)) && !orders.holds(&at("a.retry.5s", 0)));
    orders.resume(Scope::topic("a"), 3);
    orders.pause(Scope::partition("a", 0), 4);
    assert!(orders.holds(&at("a", 0)) && !orders.holds(&at("a.retry.5s", 0)), "a partition has no retry topic");
}

#[test]
fn to_resume_what_is_not_paused_leaves_nothing_behind() {
    let mut orders = Orders::default();
    orders.resume(Scope::topic("a"), 1);
    orders.pause(Scope::topic("b"), 2);
    orders.resume(Scope::partition("a", 0), 3);
    assert_eq!(orders.0.len(), 1);
}
