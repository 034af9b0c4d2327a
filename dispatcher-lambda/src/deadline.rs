//! How long one invocation may still work, with time kept back for the answer.

use std::time::Duration;
use tokio::time::Instant;

/// The one place of this crate that reads monotonic time.
#[allow(clippy::disallowed_methods, reason = "tokio's clock: tests pause it together with the timers that wait for it")]
pub fn now() -> Instant {
    Instant::now()
}

/// A point in time on tokio's clock; work stops there, the answer follows.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
}

impl Deadline {
    /// Work may go on for `span` from now.
    pub fn after(span: Duration) -> Self {
        Self { at: now() + span }
    }

    /// From the Runtime API's `Lambda-Runtime-Deadline-Ms` and the wall clock, both in milliseconds since the epoch.
    /// `margin` is kept back for the answer. A deadline that is already over leaves nothing.
    pub fn of_invocation(deadline_ms: u64, wall_ms: i64, margin: Duration) -> Self {
        let wall_ms = u64::try_from(wall_ms).unwrap_or(0);
        let budget = Duration::from_millis(deadline_ms.saturating_sub(wall_ms)).min(LONGEST);
        Self::after(budget.saturating_sub(margin))
    }

    /// What is left; zero when time is up.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(now())
    }
}

/// Lambda lets no invocation run longer than 15 minutes. Source: Lambda quotas, "Function timeout".
const LONGEST: Duration = Duration::from_secs(900);

#[cfg(test)]
mod tests {
    use super::Deadline;
    use std::time::Duration;

    const MARGIN: Duration = Duration::from_millis(500);

    #[tokio::test(start_paused = true)]
    async fn the_margin_is_kept_back_and_time_runs_down() {
        let deadline = Deadline::of_invocation(13_000, 10_000, MARGIN);
        assert_eq!(deadline.left(), Duration::from_millis(2_500));
        tokio::time::advance(Duration::from_millis(2_000)).await;
        assert_eq!(deadline.left(), Duration::from_millis(500));
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(deadline.left(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn nonsense_leaves_nothing_or_the_longest_invocation() {
        assert_eq!(Deadline::of_invocation(0, 10_000, MARGIN).left(), Duration::ZERO);
        assert_eq!(Deadline::of_invocation(100, 0, MARGIN).left(), Duration::ZERO);
        assert!(Deadline::of_invocation(u64::MAX, -5, MARGIN).left() <= Duration::from_secs(900));
    }
}
