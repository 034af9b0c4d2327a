//! The six steps in a row: decode, validate, dedupe, route, deliver, verdicts.

mod event;

pub use event::Settled;

use crate::board::{Board, reason};
use crate::config::Config;
use crate::contain;
use crate::deadline::Deadline;
use crate::decode::{BadRequest, decode};
use crate::deliver::{Trip, deliver};
use crate::laps::Laps;
use crate::metrics::Metrics;
use crate::record::{Head, Record, Valid};
use crate::route::{parcels, route};
use crate::telemetry::Telemetry;
use crate::validate::validate;
use crate::verdicts::verdicts;
use domain::contract::Response;
use tokio::time::timeout;

/// Everything that lives as long as the Lambda instance.
pub struct Dispatcher {
    config: Config,
    metrics: Metrics,
    telemetry: Telemetry,
}

impl Dispatcher {
    pub fn new(config: Config) -> Self {
        Self::told(config, Telemetry::default())
    }

    /// The same, with what leaves the function about its batches.
    pub fn told(config: Config, telemetry: Telemetry) -> Self {
        Self { config, metrics: Metrics::default(), telemetry }
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
        let (head, laps) = (batch.head(), Laps::begin());
        let mut board = Board::new(batch.records.len());
        self.work(self.trip(&head, deadline, &laps), &batch.records, &mut board).await;
        let response = verdicts(&head, &batch.records, &board);
        self.tell(&head, &response, &laps);
        Ok(response)
    }

    fn trip<'a>(&'a self, head: &'a Head<'a>, deadline: Deadline, laps: &'a Laps) -> Trip<'a> {
        Trip { head, policy: &self.config.policy, deadline, metrics: &self.metrics, laps }
    }

    fn tell(&self, head: &Head<'_>, response: &Response, laps: &Laps) {
        self.metrics.answered(response);
        self.telemetry.tell(head, response, laps);
    }

    /// Steps 2 to 5. A panic outside the steps that contain their own: what it left open must come again.
    async fn work(&self, trip: Trip<'_>, records: &[Record<'_>], board: &mut Board) {
        if let Err(panicked) = contain::future(self.steps(trip, records, board)).await {
            board.close(reason::PANIC, &panicked.to_string());
        }
    }

    async fn steps(&self, trip: Trip<'_>, records: &[Record<'_>], board: &mut Board) {
        let (config, Trip { head, deadline, laps, .. }) = (&self.config, trip);
        let valid = async { validate(records, config.versions, config.key, board) };
        let valid = laps.step("validate", records.len(), valid).await;
        let claim = config.dedupe.claim(valid, head, deadline.left() + config.margin, board);
        // A store that is slow costs no verdict either: what is open then must come again.
        let claimed = laps.step("dedupe", records.len(), timeout(deadline.left(), claim)).await;
        let Ok(claimed) = claimed else { return board.close(reason::DEADLINE, "the dedupe store took too long") };
        let delivered = contain::future(self.hand_over(trip, &claimed.fresh, board));
        let delivered = laps.step("deliver", claimed.fresh.len(), delivered).await;
        if let Err(panicked) = delivered {
            board.close(reason::PANIC, &panicked.to_string());
        }
        // The answer matters more than what is remembered: half of what is kept back for it.
        let settled = config.dedupe.settle(&claimed, head, records, board);
        let settled = timeout(deadline.left() + config.margin / 2, settled);
        if laps.step("remember", records.len(), settled).await.is_err() {
            tracing::warn!(batch_id = head.batch_id, "no time was left to remember what is delivered");
        }
    }

    async fn hand_over(&self, trip: Trip<'_>, fresh: &[Valid<'_>], board: &mut Board) {
        let config = &self.config;
        let addressed = route(&config.rules, trip.head.topic, fresh, board);
        let parcels = parcels(&addressed, config.destinations.len());
        deliver(&config.destinations, &parcels, trip, board).await;
    }
}
