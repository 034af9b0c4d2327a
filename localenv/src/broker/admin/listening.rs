//! Keeps what librdkafka last complained about, instead of logging it: brokers that are starting make it complain a lot.

use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

/// A client context with a memory of one sentence.
#[derive(Default)]
pub struct Listening {
    last: Mutex<String>,
}

impl Listening {
    /// The last complaint.
    pub fn last_words(&self) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_empty() { "librdkafka gave no reason".to_owned() } else { last.clone() }
    }

    fn hear(&self, text: &str) {
        text.clone_into(&mut self.last.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ClientContext for Listening {
    fn log(&self, level: RDKafkaLogLevel, _facility: &str, text: &str) {
        if level as i32 <= RDKafkaLogLevel::Warning as i32 {
            self.hear(text);
        }
    }

    fn error(&self, _error: KafkaError, reason: &str) {
        // This one only repeats that there are errors.
        if !reason.contains("brokers are down") {
            self.hear(reason);
        }
    }
}

impl ConsumerContext for Listening {}
