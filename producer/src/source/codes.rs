//! Which code an event has: a Pareto mix whose share is exact by construction.
//!
//! The weight of the code of rank k out of n is the Lorenz curve's growth over ((k-1)/n, k/n], with L(p) = p^g and
//! g = ln(share) / ln(of). So L(of) = share, whatever n is, and 80/20 means 80/20.

use crate::profile::Codes;
use rand::Rng;
use rand_distr::Distribution;
use rand_distr::weighted::WeightedAliasIndex;

/// All weights add up to this: fine enough that rounding never shows.
const WHOLE: f64 = 1e12;

/// A distribution over codes, hottest first.
pub struct CodeMix {
    weights: Vec<u64>,
    alias: WeightedAliasIndex<u64>,
}

impl CodeMix {
    /// # Errors
    /// No codes at all, or more than the distribution can hold; a checked profile has neither.
    pub fn new(codes: &Codes) -> Result<Self, String> {
        let weights = lorenz_weights(codes.codes.len(), codes.share, codes.of);
        let alias = WeightedAliasIndex::new(weights.clone()).map_err(|error| format!("codes: {error}"))?;
        Ok(Self { weights, alias })
    }

    /// The rank of the next event's code, 0 is the hottest.
    pub fn draw<R: Rng>(&self, rng: &mut R) -> usize {
        self.alias.sample(rng)
    }

    /// The share of the traffic that each rank has; they add up to 1.
    pub fn shares(&self) -> Vec<f64> {
        self.weights.iter().map(|weight| *weight as f64 / WHOLE).collect()
    }
}

fn lorenz_weights(count: usize, share: f64, of: f64) -> Vec<u64> {
    let exponent = share.ln() / of.ln();
    let up_to = |rank: usize| ((rank as f64 / count as f64).powf(exponent) * WHOLE).round() as u64;
    (1..=count).map(|rank| up_to(rank) - up_to(rank - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::{WHOLE, lorenz_weights};

    #[test]
    fn the_share_is_exact_for_every_count() {
        for count in [5, 10, 100, 1_000, 10_000] {
            let weights = lorenz_weights(count, 0.8, 0.2);
            let total: u64 = weights.iter().sum();
            let hottest: u64 = weights.iter().take(count / 5).sum();
            assert_eq!(total as f64, WHOLE, "{count}");
            assert!((hottest as f64 / WHOLE - 0.8).abs() < 1e-9, "{count}");
            assert!(weights.is_sorted_by(|a, b| a >= b), "{count}");
        }
    }

    #[test]
    fn equal_shares_make_equal_codes() {
        assert_eq!(lorenz_weights(4, 0.25, 0.25), [250_000_000_000; 4]);
    }
}
