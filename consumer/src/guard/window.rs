//! How many calls of the last while went well and how many did not, forgotten in ten steps. Pure: time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

const STEPS: u32 = 10;

/// Counts of the last `span`; memory is a few steps, however many calls there are.
#[derive(Debug, Clone)]
pub(super) struct Window {
    span: Duration,
    steps: VecDeque<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    from: Duration,
    tally: Tally,
}

/// Calls that went well, and calls that did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) up: u32,
    pub(super) down: u32,
}

impl Window {
    pub(super) fn new(span: Duration) -> Self {
        Self { span, steps: VecDeque::new() }
    }

    pub(super) fn add(&mut self, down: bool, now: Duration) {
        self.steps.retain(|step| now.saturating_sub(step.from) < self.span);
        let (span, fresh) = (self.span / STEPS, Step { from: now, tally: Tally::default() });
        if self.steps.back().is_none_or(|step| now.saturating_sub(step.from) >= span) {
            self.steps.push_back(fresh);
        }
        if let Some(step) = self.steps.back_mut() {
            let count = if down { &mut step.tally.down } else { &mut step.tally.up };
            *count = count.saturating_add(1);
        }
    }

    /// What happened within the span before `now`; the oldest step counts as a whole or not at all.
    pub(super) fn tally(&self, now: Duration) -> Tally {
        let recent = self.steps.iter().filter(|step| now.saturating_sub(step.from) < self.span);
        recent.fold(Tally::default(), |sum, step| Tally {
            up: sum.up.saturating_add(step.tally.up),
            down: sum.down.saturating_add(step.tally.down),
        })
    }

    pub(super) fn clear(&mut self) {
        self.steps.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Tally, Window};
    use std::time::Duration;

    #[test]
    fn what_is_older_than_the_span_is_forgotten_and_memory_stays_small() {
        let second = Duration::from_secs(1);
        let mut window = Window::new(second * 10);
        for ms in 0..20_000_u32 {
            window.add(ms % 4 == 0, Duration::from_millis(ms.into()));
        }
        let Tally { up, down } = window.tally(second * 20);
        assert!((9_000..=10_000).contains(&(up + down)) && up == 3 * down, "{up} and {down}");
        assert!(window.steps.len() <= 11, "{} steps", window.steps.len());
        assert_eq!(window.tally(second * 40), Tally::default());
    }
}
