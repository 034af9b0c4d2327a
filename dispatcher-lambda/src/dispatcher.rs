//! The six steps in a row: decode, validate, dedupe, route, deliver, verdicts.

use crate::board::{Board, reason};
use crate::config::Config;
use crate::contain;
use crate::deadline::Deadline;
use crate::decode::{BadRequest, Batch, decode};
use crate::deliver::{Trip, deliver};
use crate::metrics::Metrics;
use crate::record::{Head, Valid};
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
        // A panic outside the steps that contain their own: what it left open must come again.
        if let Err(panicked) = contain::future(self.steps(&batch, deadline, &mut board)).await {
            board.close(reason::PANIC, &panicked.to_string());
        }
        let response = verdicts(&batch.head(), &batch.records, &board);
        self.metrics.answered(&response);
        Ok(response)
    }

    async fn steps(&self, batch: &Batch<'_>, deadline: Deadline, board: &mut Board) {
        let valid = validate(&batch.records, self.config.key, board);
        let claimed = self.config.dedupe.claim(valid, board).await;
        let delivered = contain::future(self.hand_over(&batch.head(), &claimed.fresh, deadline, board)).await;
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
