//! How long things took: acknowledgement latency over the run, per second and since the last lap, and the lateness of sends.
//!
//! One histogram holds the second that runs. When that second is over it is added to the whole, becomes one point of the
//! series and is handed to the histogram log: an answer costs one recording, and memory does not grow with the run.

mod lateness;
mod series;
mod summary;

pub use lateness::{LATE, LateMoment, Lateness, LatenessSummary, MOMENTS};
pub use series::{Point, Series};
pub use summary::{Latency, Quantile, distribution};

use crossbeam_channel::{Sender, TrySendError};
use hdrhistogram::{CreationError, Histogram};
use std::time::Duration;

/// Times up to this are told apart, in microseconds.
const LONGEST_US: u64 = 600_000_000;
const SECOND: Duration = Duration::from_secs(1);

/// A histogram of microseconds: three digits hold, up to [`LONGEST_US`].
///
/// # Errors
/// Never: the bounds are constants that a histogram can have.
fn histogram() -> Result<Histogram<u64>, CreationError> {
    Histogram::new_with_bounds(1, LONGEST_US, 3)
}

/// The acknowledgements of one second of the run, microseconds.
#[derive(Debug, Clone)]
pub struct Interval {
    /// Since the start of the run.
    pub start: Duration,
    /// A second; the last interval of a run is shorter.
    pub length: Duration,
    pub histogram: Histogram<u64>,
}

/// The acknowledgements since the last lap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lap {
    pub acknowledged: u64,
    /// `None` without an acknowledgement.
    pub p99: Option<Duration>,
}

/// What is left of the latencies at the end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Latencies {
    pub whole: Latency,
    pub series: Series,
    pub distribution: Vec<Quantile>,
    /// When the last acknowledgement came, since the start of the run.
    pub last: Duration,
}

/// Takes the latency of every acknowledgement.
pub struct Recorder {
    /// All seconds that are over.
    whole: Histogram<u64>,
    /// The second that runs, and its number.
    second: Histogram<u64>,
    number: u64,
    /// When the last acknowledgement came.
    last: Duration,
    series: Series,
    /// Kept from the first lap on.
    lap: Option<Histogram<u64>>,
    log: Option<Sender<Interval>>,
}

impl Recorder {
    /// # Errors
    /// Never: the bounds are constants that a histogram can have.
    pub fn new() -> Result<Self, CreationError> {
        let (whole, second) = (histogram()?, histogram()?);
        Ok(Self { whole, second, number: 0, last: Duration::ZERO, series: Series::default(), lap: None, log: None })
    }

    /// An acknowledgement came at `at` (since the start of the run), `latency` after its event was due. Laps hold only
    /// events `of_this_run`: they judge its load.
    pub fn record(&mut self, at: Duration, latency: Duration, of_this_run: bool) {
        if at.as_secs() > self.number {
            self.turn(SECOND);
            self.number = at.as_secs();
        }
        self.last = at;
        let micros = micros(latency);
        self.second.saturating_record(micros);
        if let Some(lap) = self.lap.as_mut().filter(|_| of_this_run) {
            lap.saturating_record(micros);
        }
    }

    /// Ends the second that runs.
    fn turn(&mut self, length: Duration) {
        if self.second.is_empty() {
            return;
        }
        self.series.push(Point::of(self.number, &self.second));
        self.hand_over(length);
        // Equal bounds: nothing can be out of range.
        let _ = self.whole.add(&self.second);
        self.second.reset();
    }

    /// Never waits: a disk that does not keep up costs a line of the log and not an answer.
    fn hand_over(&mut self, length: Duration) {
        let Some(log) = &self.log else { return };
        let start = Duration::from_secs(self.number);
        match log.try_send(Interval { start, length, histogram: self.second.clone() }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                tracing::warn!(second = self.number, "histogram log does not keep up, left out");
            }
            // Its thread ended with an error, which the end of the run tells.
            Err(TrySendError::Disconnected(_)) => self.log = None,
        }
    }

    /// Hands every second to `log` from now on.
    pub fn log(&mut self, log: Sender<Interval>) {
        self.log = Some(log);
    }

    /// What was acknowledged since the last lap; the first call starts the first one.
    pub fn lap(&mut self) -> Lap {
        let Some(lap) = &mut self.lap else {
            self.lap = histogram().ok();
            return Lap::default();
        };
        let p99 = (!lap.is_empty()).then(|| Duration::from_micros(lap.value_at_quantile(0.99)));
        let ended = Lap { acknowledged: lap.len(), p99 };
        lap.reset();
        ended
    }

    fn all(&self) -> Histogram<u64> {
        let mut all = self.whole.clone();
        let _ = all.add(&self.second);
        all
    }

    /// The latencies so far.
    pub fn so_far(&self) -> Latency {
        Latency::of(&self.all())
    }

    /// The run is over at `at`; the log gets its last interval and its end.
    pub fn finish(&mut self, at: Duration) -> Latencies {
        self.turn(at.saturating_sub(Duration::from_secs(self.number)).clamp(Duration::from_millis(1), SECOND));
        self.log = None;
        Latencies {
            whole: Latency::of(&self.whole),
            series: std::mem::take(&mut self.series),
            distribution: distribution(&self.whole),
            last: self.last,
        }
    }
}

fn micros(time: Duration) -> u64 {
    // Once or twice an event, so without 128-bit numbers.
    time.as_secs().saturating_mul(1_000_000).saturating_add(time.subsec_micros().into())
}

#[cfg(test)]
mod tests;
