//! Which truck an event comes from: all alike, by Zipf's law, or one key that has a share of everything.

use crate::profile::Profile;
use rand::{Rng, RngExt};
use rand_distr::Distribution;
use rand_distr::weighted::WeightedAliasIndex;

/// The heaviest truck's weight: fine enough that rounding never shows, small enough for ten million trucks.
const HEAVIEST: f64 = 1e12;

/// A distribution over the trucks of all instances.
#[derive(Clone)]
pub(super) struct TruckMix {
    trucks: u32,
    /// Without it all are alike.
    unequal: Option<WeightedAliasIndex<u64>>,
    /// Below this a draw belongs to the hot key.
    hot: u64,
    hot_truck: u32,
}

impl TruckMix {
    /// # Errors
    /// Trucks that make no distribution; a checked profile has none.
    pub(super) fn new(profile: &Profile) -> Result<Self, String> {
        let unequal = if profile.zipf > 0.0 {
            let weights = zipf_weights(profile.trucks, profile.zipf);
            Some(WeightedAliasIndex::new(weights).map_err(|error| format!("fleet: {error}"))?)
        } else {
            None
        };
        let hot = profile.mix.hot_key;
        Ok(Self {
            trucks: profile.trucks,
            unequal,
            hot: hot.map_or(0, |hot| threshold(hot.share)),
            hot_truck: hot.map_or(0, |hot| hot.truck),
        })
    }

    /// The truck of the next event, and whether it is an event of the hot key.
    #[inline]
    pub(super) fn draw<R: Rng>(&self, rng: &mut R) -> (u32, bool) {
        if self.hot > 0 && rng.next_u64() < self.hot {
            return (self.hot_truck, true);
        }
        match &self.unequal {
            None => (rng.random_range(0..self.trucks), false),
            Some(unequal) => (unequal.sample(rng) as u32, false),
        }
    }
}

/// A share as a bound for a random 64-bit number.
pub(super) fn threshold(share: f64) -> u64 {
    (share * 2f64.powi(64)) as u64
}

fn zipf_weights(trucks: u32, exponent: f64) -> Vec<u64> {
    let weight = |truck: u32| (HEAVIEST / f64::from(truck + 1).powf(exponent)).round() as u64;
    (0..trucks).map(|truck| weight(truck).max(1)).collect()
}

/// What share of the load each truck has beside the hot key; they add up to 1.
pub(super) fn shares(profile: &Profile) -> Vec<f64> {
    let weights = zipf_weights(profile.trucks, profile.zipf);
    let total: f64 = weights.iter().map(|weight| *weight as f64).sum();
    weights.into_iter().map(|weight| weight as f64 / total).collect()
}
