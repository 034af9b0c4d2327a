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
