//! `[[topic]]`: what is said of single topics. A topic without one weighs 1 and goes to `function.name`.

use super::Raw;
use crate::share::MOST_WEIGHT;
use crate::topic::TopicPlan;
use runtime::config::{ConfigError, Settings};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// One `[[topic]]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicRaw {
    /// One of `consumer.topics`.
    pub name: String,
    /// Its share of invocations and memory when they are short, against the other topics.
    pub weight: u32,
    /// The function that takes its batches; empty: `function.name`.
    pub function: String,
}

impl Default for TopicRaw {
    fn default() -> Self {
        Self { name: String::new(), weight: 1, function: String::new() }
    }
}

/// All topics, in the order of `consumer.topics`.
pub(super) fn validate(settings: &Settings, raw: &Raw) -> Result<Vec<TopicPlan>, ConfigError> {
    check_topics(settings, &raw.consumer.topics)?;
    let mut named = HashSet::new();
    for (nth, topic) in raw.topic.iter().enumerate() {
        check_one(settings, raw, &format!("topic[{nth}]"), topic)?;
        if !named.insert(&topic.name) {
            return Err(settings.refuse(&format!("topic[{nth}].name"), "a topic may have one [[topic]]"));
        }
    }
    let plan = |name: &String| {
        let own = raw.topic.iter().find(|topic| topic.name == *name).cloned().unwrap_or_default();
        let function = if own.function.is_empty() { raw.function.name.clone() } else { own.function };
        TopicPlan::new(name, own.weight, function)
    };
    Ok(raw.consumer.topics.iter().map(plan).collect())
}

fn check_topics(settings: &Settings, topics: &[String]) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_topic = |topic: &String| !topic.is_empty() && topic.len() <= 245 && topic.chars().all(plain);
    if topics.is_empty() || !topics.iter().all(is_topic) {
        return Err(settings.refuse("consumer.topics", "allowed is a list of at least one topic name"));
    }
    if topics.iter().any(|topic| topic.ends_with(".dlq")) {
        return Err(settings
            .refuse("consumer.topics", "dead-letter topics are not consumed: name the topics that they belong to"));
    }
    if topics.iter().collect::<HashSet<_>>().len() < topics.len() {
        return Err(settings.refuse("consumer.topics", "a topic may stand there once"));
    }
    Ok(())
}

fn check_one(settings: &Settings, raw: &Raw, key: &str, topic: &TopicRaw) -> Result<(), ConfigError> {
    if !raw.consumer.topics.contains(&topic.name) {
        let sentence = format!("allowed is one of consumer.topics: {}", raw.consumer.topics.join(", "));
        return Err(settings.refuse(&format!("{key}.name"), sentence));
    }
    if !(1..=MOST_WEIGHT).contains(&topic.weight) {
        return Err(settings.refuse(&format!("{key}.weight"), format!("allowed is 1 to {MOST_WEIGHT}")));
    }
    if !topic.function.is_empty() && !super::is_function(&topic.function) {
        let sentence = "allowed is a function's name, name:alias or ARN, or nothing for function.name";
        return Err(settings.refuse(&format!("{key}.function"), sentence));
    }
    Ok(())
}
