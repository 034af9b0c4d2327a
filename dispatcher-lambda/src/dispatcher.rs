//! The six steps in a row: decode, validate, dedupe, route, deliver, verdicts.

mod event;

pub use event::Settled;

use crate::board::{Board, reason};
use crate::config::Config;
use crate::contain;
use crate::deadline::Deadline;
use crate::decode::{BadRequest, decode};
use crate::deliver::{Trip, deliver};
use crate::metrics::Metrics;
use crate::record::{Head, Record, Valid};
use crate::route::{parcels, route};
use crate::validate::validate;
use crate::verdicts::verdicts;
use domain::contract::Response;

/// Everything that lives as long as the Lambda instance.
pub struct Dispatcher {
    config: Config,
    metrics: Metrics,
}

impl Dispatcher {
    pub fn new(config: Config) -> Self {
        Self { config, metrics: Metrics::default() }
    }

    /// Counts since the cold start.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The deadline of an invocation that Lambda ends at `deadline_ms`, when it is `wall_ms` now (since the epoch).
    pub fn deadline(&self, deadline_ms: u64, wall_ms: i64) -> Deadline {
        Deadline::of_invocation(deadline_ms, wall_ms, self.config.margin)
    }

    /// One verdict for every record of the request, before the deadline.
    ///
    /// # Errors
    /// When the payload is no request of our contract; nothing was delivered then.
    pub async fn dispatch(&self, payload: &[u8], deadline: Deadline) -> Result<Response, BadRequest> {
        let batch = decode(payload).inspect_err(|_| self.metrics.bad_request())?;
        let mut board = Board::new(batch.records.len());
        self.work(&batch.head(), &batch.records, deadline, &mut board).await;
        let response = verdicts(&batch.head(), &batch.records, &board);
        self.metrics.answered(&response);
        Ok(response)
    }

    /// Steps 2 to 5. A panic outside the steps that contain their own: what it left open must come again.
    async fn work(&self, head: &Head<'_>, records: &[Record<'_>], deadline: Deadline, board: &mut Board) {
        if let Err(panicked) = contain::future(self.steps(head, records, deadline, board)).await {
            board.close(reason::PANIC, &panicked.to_string());
        }
    }

    async fn steps(&self, head: &Head<'_>, records: &[Record<'_>], deadline: Deadline, board: &mut Board) {
        let valid = validate(records, self.config.key, board);
        let claimed = self.config.dedupe.claim(valid, board).await;
        let delivered = contain::future(self.hand_over(head, &claimed.fresh, deadline, board)).await;
        if let Err(panicked) = delivered {
            board.close(reason::PANIC, &panicked.to_string());
        }
        self.config.dedupe.settle(&claimed, board).await;
    }

    async fn hand_over(&self, head: &Head<'_>, fresh: &[Valid<'_>], deadline: Deadline, board: &mut Board) {
        let config = &self.config;
        let addressed = route(&config.rules, head.topic, fresh, board);
        let parcels = parcels(&addressed, config.destinations.len());
        let trip = Trip { head, policy: &config.policy, deadline, metrics: &self.metrics };
        deliver(&config.destinations, &parcels, trip, board).await;
    }
}
