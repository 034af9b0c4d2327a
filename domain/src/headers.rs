//! The `comboio-*` record headers: who reads them finds the names here and nowhere else.

/// Names of headers on a dead letter: the coordinates of the source record and why it was set aside.
pub mod dead_letter {
    pub const TOPIC: &str = "comboio-topic";
    pub const PARTITION: &str = "comboio-partition";
    pub const OFFSET: &str = "comboio-offset";
    /// The source record's timestamp, ms since the epoch.
    pub const TIMESTAMP: &str = "comboio-timestamp";
    pub const ATTEMPTS: &str = "comboio-attempts";
    pub const CLASS: &str = "comboio-class";
    pub const REASON: &str = "comboio-reason";
    pub const DETAIL: &str = "comboio-detail";
    pub const TRACE_ID: &str = "comboio-trace-id";
    /// The version of the program that set the record aside.
    pub const VERSION: &str = "comboio-version";
}

/// Names of headers on a record in a retry topic, beside the coordinates that a dead letter has too.
pub mod retry {
    /// Not to be delivered before this time, ms since the epoch.
    pub const DUE: &str = "comboio-due";
}

/// On an event that is invalid on purpose: the fate it is meant to meet (`rejected`).
pub const EXPECTED_FATE: &str = "comboio-expected-fate";
/// On an event that is invalid on purpose: its id, because its value may not be readable.
pub const EVENT_ID: &str = "comboio-event-id";
/// W3C trace context, on sampled records.
pub const TRACEPARENT: &str = "traceparent";

/// The dead-letter topic of `topic`.
pub fn dead_letter_topic(topic: &str) -> String {
    format!("{topic}.dlq")
}

/// Where records of `topic` wait for `delay`, written as a number and its unit: `5s`.
pub fn retry_topic(topic: &str, delay: &str) -> String {
    format!("{topic}{RETRY}{delay}")
}

/// The topic and the delay of a retry topic; `None` for any other.
pub fn topic_of_retry(name: &str) -> Option<(&str, &str)> {
    let (topic, delay) = name.rsplit_once(RETRY)?;
    let unit = delay.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_delay = unit.len() < delay.len() && ["ms", "s", "m", "h", "d"].contains(&unit);
    (is_delay && !topic.is_empty()).then_some((topic, delay))
}

const RETRY: &str = ".retry.";

#[cfg(test)]
mod tests {
    use super::{retry_topic, topic_of_retry};

    #[test]
    fn a_retry_topic_is_told_from_others_by_its_name() {
        assert_eq!(topic_of_retry(&retry_topic("mt-c400", "30s")), Some(("mt-c400", "30s")));
        assert_eq!(topic_of_retry("a.retry.5s.retry.5m"), Some(("a.retry.5s", "5m")));
        for other in ["mt-c400", "mt-c400.dlq", "a.retry.", "a.retry.5", "a.retry.soon", ".retry.5s", "a.retry.s"] {
            assert_eq!(topic_of_retry(other), None, "{other}");
        }
    }
}
