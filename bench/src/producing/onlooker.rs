//! A thread on every processor that does nothing but sleep, and notes when it is woken late: what the machine does to everybody.

use crate::producing::steadiness::Stall;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const NAP: Duration = Duration::from_millis(1);
/// Waking up always takes a moment; this is more.
const STALLED: Duration = Duration::from_millis(1);

/// The threads, at the priority of every client.
pub struct Onlooker {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Seen>>,
}

/// What they saw.
#[derive(Debug, Default, PartialEq)]
pub struct Seen {
    /// The latest that one was woken after its time.
    pub latest: Duration,
    pub stalls: Vec<Stall>,
}

impl Onlooker {
    /// # Errors
    /// The operating system gives no thread.
    pub fn start() -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let look = |processor: usize| {
            let stopped = stop.clone();
            std::thread::Builder::new().name("onlooker".into()).spawn(move || {
                // A processor that we may not use is nobody's matter: the thread looks at another one then.
                let mut only = CpuSet::new();
                let _ = only.set(processor).and_then(|()| sched_setaffinity(Pid::from_raw(0), &only));
                look(&stopped)
            })
        };
        let processors = std::thread::available_parallelism()?.get();
        let threads = (0..processors).map(look).collect::<io::Result<_>>()?;
        Ok(Self { stop, threads })
    }

    /// All of it together.
    pub fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        for seen in self.threads.into_iter().map(|thread| thread.join().unwrap_or_default()) {
            all.latest = all.latest.max(seen.latest);
            all.stalls.extend(seen.stalls);
        }
        all
    }
}

fn look(stopped: &AtomicBool) -> Seen {
    let (clock, mut seen) = (runtime::clock::system(), Seen::default());
    while !stopped.load(Ordering::Relaxed) {
        let before = clock.now();
        std::thread::sleep(NAP);
        let late = (clock.now() - before).saturating_sub(NAP);
        seen.latest = seen.latest.max(late);
        if late > STALLED {
            let until_ms = clock.wall_ms() as f64;
            seen.stalls.push(Stall { from_ms: until_ms - late.as_secs_f64() * 1_000.0, until_ms });
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::{NAP, Onlooker};

    #[test]
    fn nobody_is_woken_early_and_everybody_a_little_late() {
        let onlooker = Onlooker::start().unwrap();
        std::thread::sleep(NAP * 40);
        let seen = onlooker.stop();
        assert!(!seen.latest.is_zero());
        assert!(seen.stalls.iter().all(|stall| stall.until_ms > stall.from_ms));
    }
}
