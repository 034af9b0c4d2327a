//! Ends the process when the Kafka client does not come to its end: closing it can block for ever (rust-rdkafka issues 509 and 597).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// A thread with a deadline; dropping it calls it off.
pub(super) struct Watchdog {
    orders: Sender<Order>,
    committed: Arc<AtomicBool>,
}

enum Order {
    /// Count again from here.
    Restart(Duration),
    Stop,
}

impl Watchdog {
    /// # Errors
    /// No thread can be had.
    pub(super) fn start(deadline: Duration) -> std::io::Result<Self> {
        let (orders, received) = channel();
        let committed = Arc::new(AtomicBool::new(false));
        let known = committed.clone();
        std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            let mut left = deadline;
            loop {
                match received.recv_timeout(left) {
                    Ok(Order::Restart(deadline)) => left = deadline,
                    Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => bite(known.load(Ordering::Relaxed)),
                }
            }
        })?;
        Ok(Self { orders, committed })
    }

    pub(super) fn restart(&self, deadline: Duration) {
        let _ = self.orders.send(Order::Restart(deadline));
    }

    /// Decides with which code the process would be ended.
    pub(super) fn everything_committed(&self, yes: bool) {
        self.committed.store(yes, Ordering::Relaxed);
    }

    pub(super) fn stop(self) {
        let _ = self.orders.send(Order::Stop);
    }
}

#[allow(clippy::disallowed_methods, reason = "a client that blocks in its destructor leaves no other way to end")]
fn bite(committed: bool) {
    tracing::warn!(committed, "the Kafka client does not come to its end: ending the process");
    std::process::exit(i32::from(!committed));
}
