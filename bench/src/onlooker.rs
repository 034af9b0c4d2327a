//! A thread that does nothing but sleep, and notes how late it is woken: what the machine does to everybody.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const NAP: Duration = Duration::from_millis(2);

/// The thread, at the priority of every client.
pub struct Onlooker {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Onlooker {
    /// # Errors
    /// The operating system gives no thread.
    pub fn start() -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("onlooker".into()).spawn(move || latest(&stopped))?;
        Ok(Self { stop, thread })
    }

    /// The latest that it was woken after its time.
    pub fn stop(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

fn latest(stopped: &AtomicBool) -> Duration {
    let (clock, mut latest) = (runtime::clock::system(), Duration::ZERO);
    while !stopped.load(Ordering::Relaxed) {
        let before = clock.now();
        std::thread::sleep(NAP);
        latest = latest.max((clock.now() - before).saturating_sub(NAP));
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::{NAP, Onlooker};

    #[test]
    fn nobody_is_woken_early_and_everybody_a_little_late() {
        let onlooker = Onlooker::start().unwrap();
        std::thread::sleep(NAP * 20);
        assert!(!onlooker.stop().is_zero());
    }
}
