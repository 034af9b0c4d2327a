//! Ends a client whose partitions are released, on a thread of its own: that lasts until Kafka has answered what it was asked last.
//!
//! The next client need not wait for it. A static member of a classic group leaves without a word, and what it still says, it says under a
//! member id that the next one's joining makes void. One of a group that the brokers form says that it goes, and until then Kafka refuses
//! the next one of its name, which asks again.

use super::context::PollContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use runtime::clock::SharedClock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// So long the next client waits all the same: one that is gone is no trouble to anybody.
const PATIENCE: Duration = Duration::from_secs(2);

/// Begins the end of a client that owns nothing any more. The thread is done when nothing is left of it; `None`: it is already.
pub(super) fn end(client: BaseConsumer<PollContext>, clock: &SharedClock) -> Option<JoinHandle<()>> {
    client.context().retire();
    let (gone, is_gone) = channel::<()>();
    let (clock, began) = (clock.clone(), clock.now());
    let body = move || {
        drop(client);
        let took = clock.now().saturating_sub(began);
        if took >= PATIENCE {
            tracing::info!(took_ms = took.as_millis() as u64, "the client before has come to its end");
        }
        drop(gone);
    };
    // Without a thread the client is dropped here, and blocks.
    let thread = std::thread::Builder::new().name("closing".to_owned()).spawn(body).ok()?;
    if is_gone.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        tracing::warn!(
            "the client before does not come to its end, as when no broker answers; the next one does not wait for it"
        );
        return Some(thread);
    }
    let _ = thread.join();
    None
}
