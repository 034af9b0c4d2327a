//! Where an event waits for the process that will run it, and the process's report for the one who sent the event.

use bytes::Bytes;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};

/// One event on its way into a process.
#[derive(Debug)]
pub struct Event {
    pub request_id: String,
    /// What the function sees as its invoked ARN, with the qualifier that the caller used.
    pub arn: String,
    pub trace_id: String,
    pub payload: Bytes,
    pub timeout: Duration,
}

/// What the runtime said about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    Response(Bytes),
    ResponseTooLarge,
    Error(Bytes),
}

/// The two ends of an event that the sender holds.
#[derive(Debug)]
pub struct Sent {
    /// When the process took it. An error means that it never will.
    pub taken: oneshot::Receiver<Instant>,
    /// What the process said. An error means that nothing will come.
    pub report: oneshot::Receiver<Report>,
}

/// Holds at most one event that waits and at most one that runs: a process does one thing at a time.
#[derive(Debug, Default)]
pub struct Slot {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Option<Waiting>,
    running: Option<Running>,
    init_error: Option<Bytes>,
}

#[derive(Debug)]
struct Waiting {
    event: Event,
    taken: oneshot::Sender<Instant>,
    report: oneshot::Sender<Report>,
}

#[derive(Debug)]
struct Running {
    request_id: String,
    report: oneshot::Sender<Report>,
}

impl Slot {
    /// Puts an event in; the process takes it when it next asks.
    pub fn offer(&self, event: Event) -> Sent {
        let (taken, taken_rx) = oneshot::channel();
        let (report, report_rx) = oneshot::channel();
        self.lock().waiting = Some(Waiting { event, taken, report });
        self.arrived.notify_one();
        Sent { taken: taken_rx, report: report_rx }
    }

    /// Takes the event back, if the process has not taken it.
    pub fn withdraw(&self) -> Option<Event> {
        self.lock().waiting.take().map(|waiting| waiting.event)
    }

    /// Waits for the next event; called when the process asks for one.
    pub async fn next(&self) -> Event {
        loop {
            if let Some(event) = self.take() {
                return event;
            }
            self.arrived.notified().await;
        }
    }

    fn take(&self) -> Option<Event> {
        let mut state = self.lock();
        let Waiting { event, taken, report } = state.waiting.take()?;
        state.running = Some(Running { request_id: event.request_id.clone(), report });
        // The sender may have gone away; the process runs the event all the same, as in AWS.
        let _ = taken.send(Instant::now());
        Some(event)
    }

    /// Passes on what the process says about the event that it runs; false when it is not running that one.
    pub fn report(&self, request_id: &str, report: Report) -> bool {
        let running = self.lock().running.take_if(|running| running.request_id == request_id);
        running.is_some_and(|running| running.report.send(report).is_ok())
    }

    /// Keeps what the process says about why it cannot start.
    pub fn init_failed(&self, error: Bytes) {
        self.lock().init_error = Some(error);
    }

    /// Why it could not start, if it said so.
    pub fn init_error(&self) -> Option<Bytes> {
        self.lock().init_error.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Report, Slot};
    use std::time::Duration;

    fn event(id: &str) -> Event {
        let (arn, trace_id, timeout) = (String::new(), String::new(), Duration::from_secs(1));
        Event { request_id: id.into(), arn, trace_id, payload: "{}".into(), timeout }
    }

    #[tokio::test]
    async fn a_report_reaches_only_the_sender_of_that_event() {
        let slot = Slot::default();
        let sent = slot.offer(event("1"));
        assert_eq!(slot.next().await.request_id, "1");
        assert!(sent.taken.await.is_ok());
        assert!(!slot.report("0", Report::ResponseTooLarge));
        assert!(slot.report("1", Report::Response("a".into())));
        assert!(!slot.report("1", Report::Response("b".into())));
        assert_eq!(sent.report.await, Ok(Report::Response("a".into())));
    }

    #[tokio::test]
    async fn an_event_can_be_withdrawn_until_it_is_taken() {
        let slot = Slot::default();
        let _sent = slot.offer(event("1"));
        assert_eq!(slot.withdraw().map(|event| event.request_id), Some("1".into()));
        let _sent = slot.offer(event("2"));
        assert_eq!(slot.next().await.request_id, "2");
        assert!(slot.withdraw().is_none());
    }
}
