//! Watches where the certificates come from, and hands over each new bundle that a broker has accepted.
//!
//! *In*: the parts at their places, every so often. *Out*: one [`Event`] per change, and one log line with it.
//! *Never*: hands over a bundle that was not proved, or repeats itself about the same trouble.
//!
//! Certificates are read once by a Kafka client, so who gets [`Event::New`] builds a second client from
//! `kafka.with_bundle(bundle)` and lets the first one drain.

/// Decides, from what is seen, what there is to tell and to prove.
mod vigil;

use crate::certificates::{Bundle, Reader};
use crate::probe;
use crate::settings::{Certificates, Kafka};
use domain::failure::FailureClass;
use runtime::clock::{Clock, SharedClock};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;
use vigil::{Next, Vigil};

/// How long a broker may take to accept or refuse a new bundle.
const PROOF_DEADLINE: Duration = Duration::from_secs(15);
/// How long an end waits for a look that is under way.
const ENDING: Duration = Duration::from_secs(5);

/// What there is to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Sound, and a broker has accepted it: take it over.
    New(Arc<Bundle>),
    /// Not to be used, for this reason; the one in use goes on. An alarm.
    Refused { reason: String },
    /// The parts, or a broker to prove them with, are out of reach; the one in use goes on. An alarm.
    Unreachable { reason: String },
    /// The bundle in use lies there again, readable: the last alarm is over.
    Recovered,
}

/// Why a bundle that looks sound is not handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// A broker refused it, or the topics are not open to its principal.
    Refused(String),
    /// Nobody could be asked; the next look asks again.
    NotNow(String),
}

/// A running watch. Dropping it ends it as [`Watch::stop`] does.
#[derive(Debug)]
pub struct Watch {
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
}

/// Watches the certificates of `kafka` and proves each new bundle with a request for `topics` (none: for the cluster).
/// `None` when there are no certificates.
///
/// # Errors
/// The operating system gives no thread.
pub fn watch(
    kafka: &Kafka,
    topics: Vec<String>,
    clock: SharedClock,
    tell: impl FnMut(Event) + Send + 'static,
) -> io::Result<Option<Watch>> {
    let (Some(certificates), Some(current)) = (kafka.certificates(), kafka.bundle()) else { return Ok(None) };
    let check = proof(kafka.clone(), topics);
    Watch::start((**certificates).clone(), current.clone(), clock, check, tell).map(Some)
}

/// Asks a broker with the new bundle; only a broker knows whether it trusts the authority behind it.
pub fn proof(kafka: Kafka, topics: Vec<String>) -> impl Fn(&Arc<Bundle>) -> Result<(), Objection> + Send + 'static {
    move |bundle| {
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        let asked = probe::topics(&kafka.with_bundle(bundle.clone()).admin(), &names, PROOF_DEADLINE);
        asked.map(|_| ()).map_err(|error| match error.class() {
            FailureClass::Ours | FailureClass::Rejected => Objection::Refused(error.to_string()),
            _ => Objection::NotNow(error.to_string()),
        })
    }
}

impl Watch {
    /// Starts a thread that looks every `certificates.check_every`; `current` is the bundle in use.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(
        certificates: Certificates,
        current: Arc<Bundle>,
        clock: SharedClock,
        check: impl Fn(&Arc<Bundle>) -> Result<(), Objection> + Send + 'static,
        mut tell: impl FnMut(Event) + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let (ending, ended) = channel();
        let mut reader = Reader::new(certificates.source);
        let mut vigil = Vigil::new(current, certificates.settle_checks);
        let every = certificates.check_every;
        thread::Builder::new().name("certificates".to_owned()).spawn(move || {
            // Dropped at the end, also by a panic: that is how the end is noticed.
            let _ending = ending;
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                if let Some(event) = look(&mut vigil, &mut reader, &clock, &check) {
                    log(&event);
                    tell(event);
                }
            }
        })?;
        Ok(Self { stop: Some(stop), ended })
    }

    /// Ends the thread. Waits for a look that is under way, but not for long: such a look has deadlines of its own, and
    /// tells nobody anything any more that matters.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if self.stop.take().is_some() {
            // A timeout leaves the thread behind; it ends with its look.
            let _: Result<(), RecvTimeoutError> = self.ended.recv_timeout(ENDING);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

fn look(
    vigil: &mut Vigil,
    reader: &mut Reader,
    clock: &SharedClock,
    check: &impl Fn(&Arc<Bundle>) -> Result<(), Objection>,
) -> Option<Event> {
    match vigil.look(&reader.read(), clock.wall_ms()) {
        Next::Nothing => None,
        Next::Tell(event) => Some(event),
        Next::Prove(bundle) => {
            let outcome = check(&bundle);
            vigil.proved(bundle, outcome)
        }
    }
}

fn log(event: &Event) {
    match event {
        Event::New(bundle) => {
            let subject = bundle.subject().unwrap_or_default();
            let not_after = bundle.identity().map(|identity| identity.facts().not_after.as_str());
            tracing::info!(subject, not_after, "new certificates are accepted");
        }
        Event::Refused { reason } => tracing::error!(reason, "new certificates are refused, the old ones go on"),
        Event::Unreachable { reason } => {
            tracing::error!(reason, "certificates cannot be checked for new ones, the old ones go on");
        }
        Event::Recovered => tracing::info!("the certificates in use are where they were"),
    }
}

#[cfg(test)]
mod tests;
