//! How the set-aside file fares, for the log and for readiness: one line when it takes nothing more, not one for each event.

use crate::repeats::{Repeats, Say};
use runtime::clock::SharedClock;
use runtime::health::Beat;
use std::io::Error;
use std::path::Path;
use std::time::Duration;

/// How often a file that took nothing is tried again.
const TRY_EVERY: Duration = Duration::from_secs(3);

/// What is known of the file.
pub(super) struct Watch {
    beat: Beat,
    clock: SharedClock,
    refused: Repeats<()>,
    /// When it took nothing last, and how large that was.
    trouble: Option<(Duration, usize)>,
}

impl Watch {
    pub(super) fn new(beat: Beat, clock: SharedClock) -> Self {
        // Nothing is expected of it before there is something to set aside.
        beat.rest();
        beat.ready(true, "");
        Self { beat, clock, refused: Repeats::default(), trouble: None }
    }

    /// It took so many bytes, or did not.
    pub(super) fn written(&mut self, path: &Path, refused: Option<&Error>, bytes: usize) {
        let file = path.display();
        let Some(error) = refused else {
            if self.trouble.take().is_some() {
                let more = if let Some(Say::Ended { count }) = self.refused.end(&()) { count } else { 0 };
                tracing::info!(%file, more, "the set-aside file can be written again");
                self.beat.ready(true, "");
            }
            return;
        };
        let now = self.clock.now();
        let most = self.trouble.map_or(bytes, |(_, most)| most.max(bytes));
        self.trouble = Some((now, most));
        self.beat.ready(false, &format!("{file} cannot be written: {error}"));
        match self.refused.note(&(), now) {
            Some(Say::Begins) => {
                tracing::error!(%file, %error, "the set-aside file takes nothing: events find no place")
            }
            Some(Say::GoesOn { count }) => tracing::error!(%file, %error, count, "more events found no place"),
            Some(Say::Ended { .. }) | None => {}
        }
    }

    /// The bytes of a trial that is due.
    pub(super) fn trial(&mut self, now: Duration) -> Option<usize> {
        let (tried, bytes) = self.trouble.as_mut().filter(|(tried, _)| now.saturating_sub(*tried) >= TRY_EVERY)?;
        *tried = now;
        Some(*bytes)
    }
}
