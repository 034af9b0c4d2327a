//! `[[topic]]`: what is said of single topics. A topic without one weighs 1 and goes to `function.name`.

use super::Raw;
use crate::deferral::Deferral;
use crate::share::MOST_WEIGHT;
use crate::topic::TopicPlan;
use domain::headers::topic_of_retry;
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

pub(super) fn check(settings: &Settings, raw: &Raw) -> Result<(), ConfigError> {
    check_topics(settings, &raw.consumer.topics)?;
    let mut named = HashSet::new();
    for (nth, topic) in raw.topic.iter().enumerate() {
        check_one(settings, raw, &format!("topic[{nth}]"), topic)?;
        if !named.insert(&topic.name) {
            return Err(settings.refuse(&format!("topic[{nth}].name"), "a topic may have one [[topic]]"));
        }
    }
    Ok(())
}

/// All topics, in the order of `consumer.topics`, each with its retry topics.
pub(super) fn plans(raw: &Raw, deferral: &Deferral) -> Vec<TopicPlan> {
    let plan = |name: &String| {
        let own = own(raw, name).cloned().unwrap_or_default();
        let function = if own.function.is_empty() { raw.function.name.clone() } else { own.function };
        TopicPlan { retries: deferral.retry_topics(name), ..TopicPlan::new(name, own.weight, function) }
    };
    raw.consumer.topics.iter().map(plan).collect()
}

/// Whether nothing goes to `function.name`.
pub(super) fn have_their_own_function(raw: &Raw) -> bool {
    raw.consumer.topics.iter().all(|name| own(raw, name).is_some_and(|topic| !topic.function.is_empty()))
}

fn own<'a>(raw: &'a Raw, name: &str) -> Option<&'a TopicRaw> {
    raw.topic.iter().find(|topic| topic.name == name)
}

fn check_topics(settings: &Settings, topics: &[String]) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let named = |topic: &str| !["", ".", ".."].contains(&topic);
    let is_topic = |topic: &String| named(topic) && topic.len() <= 245 && topic.chars().all(plain);
    if topics.is_empty() || !topics.iter().all(is_topic) {
        let sentence = "allowed is a list of at least one topic name: up to 245 letters, digits, '.', '_' and '-'";
        return Err(settings.refuse("consumer.topics", sentence));
    }
    if topics.iter().any(|topic| topic.ends_with(".dlq")) {
        return Err(settings
            .refuse("consumer.topics", "dead-letter topics are not consumed: name the topics that they belong to"));
    }
    if topics.iter().any(|topic| topic_of_retry(topic).is_some()) {
        let sentence =
            "retry topics are read by themselves: name the topics that they belong to, here and in retry.deferred";
        return Err(settings.refuse("consumer.topics", sentence));
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
