//! What stands between the ingest server and the flow, built from the configuration; idle for every other source.

use crate::answers::Answers;
use crate::config::SourceConfig;
use crate::doors::{All, Doors, UntilDrain};
use crate::ingest::{Desk, DeskParts, IngestConfig, IngestError, Server};
use crate::limit::{Admission, LimitControl};
use crate::metrics::IngestMetrics;
use crate::parcel::{Allowance, Parcels};
use crate::pipeline::Pause;
use crate::source::Ingest;
use crate::ticket::Tickets;
use runtime::clock::SharedClock;
use runtime::metrics::Metrics;
use runtime::shutdown::Shutdown;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The queue, and what the server needs beside it.
#[derive(Clone)]
pub struct Feed {
    parcels: Parcels,
    serving: Option<Serving>,
}

#[derive(Clone)]
struct Serving {
    config: Box<IngestConfig>,
    allowance: Arc<Allowance>,
    tickets: Tickets,
    metrics: IngestMetrics,
}

impl Feed {
    pub fn new(source: &SourceConfig, metrics: &Metrics, answers: &Answers) -> Self {
        let SourceConfig::Ingest(config) = source else {
            return Self { parcels: Parcels::default(), serving: None };
        };
        let serving = Serving {
            allowance: Allowance::new(config.queue_events, config.queue_bytes),
            config: config.clone(),
            tickets: answers.tickets.clone(),
            metrics: IngestMetrics::new(metrics, answers.tally.bad_lines.clone()),
        };
        Self { parcels: Parcels::default(), serving: Some(serving) }
    }

    /// The flow's end of the queue; `start` is the start of the run on the clock.
    pub fn source(&self, start: Duration) -> Ingest {
        Ingest::new(self.parcels.clone(), start)
    }

    /// How the flow waits: until something comes in, else by sleeping.
    pub fn pause(&self) -> Pause {
        let parcels = self.parcels.clone();
        match self.serving {
            Some(_) => Box::new(move |at_most| parcels.wait(at_most)),
            None => Box::new(std::thread::sleep),
        }
    }

    /// The limits that the flow keeps; what comes in over HTTP has paid at the door.
    pub fn flow_limits(&self, limits: &LimitControl) -> LimitControl {
        if self.serving.is_some() { LimitControl::default() } else { limits.clone() }
    }

    /// Starts the server when the source is ingest.
    ///
    /// # Errors
    /// Its address or its address file cannot be used.
    pub fn serve(
        &self,
        limits: &LimitControl,
        clock: &SharedClock,
        shutdown: &Shutdown,
        spool: Vec<Box<dyn Doors>>,
    ) -> Result<Option<Server>, IngestError> {
        let Some(serving) = self.serving.clone() else { return Ok(None) };
        let mut doors: Vec<Box<dyn Doors>> = vec![Box::new(UntilDrain(shutdown.clone()))];
        doors.extend(spool);
        let parts = DeskParts {
            parcels: self.parcels.clone(),
            allowance: serving.allowance,
            tickets: serving.tickets,
            doors: Box::new(All(doors)),
            admission: Admission::new(limits.clone(), clock.clone()),
            clock: clock.clone(),
            metrics: serving.metrics,
            shutdown: shutdown.clone(),
        };
        Server::start(&serving.config, Desk::new(&serving.config, parts)).map(Some)
    }

    /// The part of `/status`; `null` for another source.
    pub fn status(&self) -> Value {
        let Some(serving) = &self.serving else { return Value::Null };
        let (events, bytes) = serving.allowance.used();
        let requests: serde_json::Map<String, Value> =
            serving.metrics.requests().into_iter().map(|(status, count)| (status.into(), count.into())).collect();
        json!({
            "events": serving.metrics.events(),
            "requests": requests,
            "open_requests": serving.tickets.open_now(),
            "waiting_events": events,
            "waiting_bytes": bytes,
        })
    }
}
