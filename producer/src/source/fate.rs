//! What is to become of an event, by one draw: good, good and sent twice, invalid, or oversize.

use super::trucks::threshold;
use crate::chunk::Intent;
use crate::profile::{InvalidKind, Mix};
use rand::{Rng, RngExt};

/// What a new event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Good,
    /// Good, and sent again at the truck's next turn.
    Twice,
    Invalid(InvalidKind),
    Oversize,
}

impl Fate {
    pub(super) fn intent(self) -> Intent {
        match self {
            Self::Good | Self::Twice => Intent::Delivered,
            Self::Invalid(_) => Intent::Rejected,
            Self::Oversize => Intent::DeadLetter,
        }
    }
}

/// How likely each fate is, as bounds for one random number.
#[derive(Debug, Clone)]
pub(super) struct Fates {
    invalid: u64,
    oversize: u64,
    twice: u64,
    kinds: Vec<InvalidKind>,
}

impl Fates {
    pub(super) fn new(mix: &Mix) -> Self {
        let bad = mix.invalid_share + mix.oversize_share;
        Self {
            invalid: threshold(mix.invalid_share),
            oversize: threshold(bad),
            twice: threshold(bad + (1.0 - bad) * mix.duplicate_share),
            kinds: mix.invalid_kinds.clone(),
        }
    }

    #[inline]
    pub(super) fn draw<R: Rng>(&self, rng: &mut R) -> Fate {
        if self.twice == 0 {
            return Fate::Good;
        }
        match rng.next_u64() {
            draw if draw < self.invalid => Fate::Invalid(self.kinds[rng.random_range(0..self.kinds.len())]),
            draw if draw < self.oversize => Fate::Oversize,
            draw if draw < self.twice => Fate::Twice,
            _ => Fate::Good,
        }
    }
}
