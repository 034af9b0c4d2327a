//! The desk: one request from its first byte to its answer.
//!
//! token -> doors -> rate limit -> body -> lines -> room -> queue -> fates. What is cheap to refuse comes first; nothing is taken
//! before all of a request can be.

use super::answer::{Answer, BadLine, Refusal, Unsettled};
use super::config::IngestConfig;
use super::lines::Checked;
use super::{body, lines};
use crate::doors::{Closed, Doors};
use crate::limit::Admission;
use crate::metrics::IngestMetrics;
use crate::parcel::{Allowance, Parcel, Parcels, Share};
use crate::ticket::{Fate, Receiver, Ticket, Tickets};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_ENCODING, EXPECT};
use hyper::http::request;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use runtime::clock::SharedClock;
use runtime::shutdown::Shutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// What the server is: every path, every answer.
const DOCUMENT: &str = include_str!("../../../schemas/ingest.openapi.json");

/// How often it is looked whether those who wait would wait in vain.
const LOOK: Duration = Duration::from_millis(250);

/// What a desk needs from the rest of the producer.
pub struct DeskParts {
    pub parcels: Parcels,
    pub allowance: Arc<Allowance>,
    pub tickets: Tickets,
    pub doors: Box<dyn Doors>,
    pub admission: Admission,
    pub clock: SharedClock,
    pub metrics: IngestMetrics,
    /// While it drains, every answer ends its connection.
    pub shutdown: Shutdown,
}

/// Everything that a request meets.
pub struct Desk {
    config: IngestConfig,
    parts: DeskParts,
}

impl Desk {
    pub fn new(config: &IngestConfig, parts: DeskParts) -> Self {
        Self { config: config.clone(), parts }
    }

    /// Nobody will learn a fate any more.
    pub(super) fn close(&self) {
        self.parts.parcels.close();
        self.parts.tickets.close();
    }

    /// Answers one request, whatever it is.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let visit = self.parts.metrics.visit(self.parts.clock.clone());
        let (head, mut body) = request.into_parts();
        let answer = match self.serve(&head, &mut body).await {
            Ok(answer) => answer,
            Err(refusal) => {
                // Who waits for our "continue" sends nothing before it.
                if !head.headers.contains_key(EXPECT) {
                    body::discard(&mut body, self.config.limits.body).await;
                }
                refusal.answer()
            }
        };
        visit.answered(answer.status.as_u16());
        answer.response(self.parts.shutdown.draining())
    }

    async fn serve(&self, head: &request::Parts, body: &mut Incoming) -> Result<Answer, Refusal> {
        if self.config.token.as_ref().is_some_and(|token| !token.is_in(&head.headers)) {
            return Ok(Answer::no_token());
        }
        match (head.uri.path(), &head.method) {
            ("/v1/events", &Method::POST) => self.take(&head.headers, body).await,
            ("/v1/events", _) => Ok(Answer::wrong_method("POST")),
            ("/v1/openapi.json", &Method::GET) => Ok(Answer::document(DOCUMENT)),
            ("/v1/openapi.json", _) => Ok(Answer::wrong_method("GET")),
            _ => Ok(Answer::no_such_path()),
        }
    }

    async fn take(&self, headers: &HeaderMap, body: &mut Incoming) -> Result<Answer, Refusal> {
        self.parts.doors.open().map_err(Refusal::closed)?;
        self.parts.admission.admit(0, 0).map_err(Refusal::rate)?;
        plain(headers)?;
        let (config, mut share) = (&self.config, Share::of(&self.parts.allowance));
        let bytes = body::read(body, config.limits.body, config.body_within, &mut share).await?;
        let checked = lines::check(&bytes, config.limits)?;
        drop(bytes);
        if !share.grow(checked.events.len(), 0) {
            return Err(Refusal::no_room());
        }
        self.parts.admission.admit(checked.events.len(), checked.value_bytes).map_err(Refusal::rate)?;
        self.hand_over(checked, share).await
    }

    /// From here on the events are taken, and will have their fate whether or not somebody waits for it.
    async fn hand_over(&self, checked: Checked, share: Share) -> Result<Answer, Refusal> {
        let Checked { bytes, events, value_bytes, bad } = checked;
        let (parts, count) = (&self.parts, events.len() as u32);
        let (ticket, told) = parts.tickets.open(count);
        if count > 0 {
            let parcel = Parcel { arrived: parts.clock.now(), ticket, bytes, events, share };
            if ticket == Ticket::NONE || parts.parcels.push(parcel).is_err() {
                (0..count).for_each(|_| parts.tickets.settle(ticket, Fate::Failed));
                return Err(Refusal::closed(ended()));
            }
        }
        parts.metrics.taken(u64::from(count), value_bytes as u64, bad.len() as u64);
        Ok(self.fates(ticket, told, count, &bad).await)
    }

    async fn fates(&self, ticket: Ticket, told: Receiver, count: u32, bad: &[BadLine]) -> Answer {
        let why = tokio::select! {
            biased;
            told = told => match told {
                Ok(settled) => return Answer::settled(settled, bad),
                Err(_) => Unsettled::Ending,
            },
            why = self.stalls() => Unsettled::Stalled(why),
            () = sleep(self.config.answer_within) => Unsettled::Late,
        };
        Answer::unsettled(why, count, self.parts.tickets.so_far(ticket), bad)
    }

    /// Comes back when nobody learns a fate for now, with the reason.
    async fn stalls(&self) -> String {
        loop {
            sleep(LOOK).await;
            if let Some(why) = self.parts.doors.stalled() {
                return why;
            }
        }
    }
}

fn ended() -> Closed {
    Closed { reason: "the producer is shutting down".into(), retry_after: Duration::from_secs(5) }
}

/// Compressed bodies are not understood; better said than taken for nonsense.
fn plain(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(CONTENT_ENCODING).map(|encoding| encoding.as_bytes()) {
        None | Some(b"identity") => Ok(()),
        Some(_) => {
            let error = "content-encoding is not taken: send the lines as they are";
            Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoding", error))
        }
    }
}
