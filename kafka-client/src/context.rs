//! What a client says while it runs: its log lines, its last errors, its statistics.
//!
//! librdkafka speaks only while it is polled. An [`Observer`] takes what it says; every context of the product holds
//! one and passes the three callbacks on, and [`ObservedContext`] does just that and nothing else.

/// When a client is led back to its bootstrap servers.
mod comeback;
/// The last reason of each kind that a client gave for not getting through.
mod reasons;
/// The few fields of librdkafka's statistics that anybody uses.
mod statistics;

pub use reasons::{Reason, ReasonKind};
pub use statistics::{BrokerStatistics, PartitionStatistics, Statistics};

use crate::settings::ClientSettings;
use comeback::Comeback;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel as Level;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;
use reasons::Reasons;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Takes what a client says and keeps the newest of it; clones look at the same.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    reasons: Reasons,
    statistics: Option<Arc<Statistics>>,
    comeback: Comeback,
}

impl Observer {
    /// For `ClientContext::log`: to the service's log at the level that librdkafka gave it. Lines about connections
    /// also become reasons, because some of them never come as an error.
    pub fn log(&self, level: Level, facility: &str, message: &str) {
        match level {
            Level::Emerg | Level::Alert | Level::Critical | Level::Error => {
                tracing::error!(target: "librdkafka", facility, "{message}");
            }
            Level::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
            Level::Notice | Level::Info => tracing::info!(target: "librdkafka", facility, "{message}"),
            Level::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
        }
        if matches!(facility, "FAIL" | "SSL" | "ERROR") {
            self.seen().reasons.note_log(message);
        }
    }

    /// For `ClientContext::error`: not fatal as such (librdkafka goes on trying), but the reason of what fails next.
    pub fn error(&self, error: &KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
        let times = self.seen().reasons.note(code, reason);
        let all_down = code == RDKafkaErrorCode::AllBrokersDown;
        if all_down {
            self.seen().comeback.all_down();
        }
        // While no broker answers librdkafka says this several times a second.
        if all_down && times > 1 {
            tracing::debug!(target: "librdkafka", ?code, "{reason}");
        } else {
            tracing::warn!(target: "librdkafka", ?code, "{reason}");
        }
    }

    /// For `ClientContext::stats_raw`. Overriding that and not `stats` spares parsing all the rest.
    pub fn stats_raw(&self, json: &[u8]) {
        match Statistics::parse(json) {
            Ok(statistics) => self.seen().statistics = Some(Arc::new(statistics)),
            Err(error) => tracing::warn!(target: "librdkafka", %error, "statistics cannot be read"),
        }
    }

    /// Has `client`, made from `settings`, start again from its bootstrap servers when all brokers were down: librdkafka may forget to. To be
    /// called, about once a second, by whoever polls a client that lives long.
    pub fn lead_back<C: ClientContext>(&self, client: &Client<C>, settings: &ClientSettings, now: Duration) {
        let due = self.seen().comeback.take_due(now);
        if due {
            comeback::lead_back(client, settings.bootstrap());
        }
    }

    /// The newest statistics; `None` until the first interval has passed.
    pub fn statistics(&self) -> Option<Arc<Statistics>> {
        self.seen().statistics.clone()
    }

    /// The last reason of one kind.
    pub fn last(&self, kind: ReasonKind) -> Option<Reason> {
        self.seen().reasons.last(kind).cloned()
    }

    /// The reason that tells most: a refusal before a dead connection, a dead connection before "all brokers down".
    pub fn telling(&self) -> Option<Reason> {
        self.seen().reasons.telling().cloned()
    }

    /// Forgets the reasons, for example once a connection works again.
    pub fn forget(&self) {
        self.seen().reasons = Reasons::default();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A context that only observes: for checks, admin requests and tests.
#[derive(Debug, Clone, Default)]
pub struct ObservedContext(pub Observer);

impl ClientContext for ObservedContext {
    fn log(&self, level: Level, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.0.stats_raw(json);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(&error, reason);
    }
}

impl ConsumerContext for ObservedContext {}

impl ProducerContext for ObservedContext {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
