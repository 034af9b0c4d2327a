//! How a profile's load is shared out: over trucks, codes and instances, as expected values.

use super::codes::CodeMix;
use super::offline::Offline;
use super::trucks;
use crate::instance::Instance;
use crate::profile::Profile;
use std::time::Duration;

/// The shares of one instance. Parts of the whole load of all instances, unless they say otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// By truck number; 0 for trucks of other instances. The hot key's own load is not in it.
    pub trucks: Vec<f64>,
    /// By rank; they add up to 1. The hot key's own load is not in it.
    pub codes: Vec<f64>,
    /// The hot key's own load: its truck, its rank, and its share (0 when another instance has the truck).
    pub hot: Option<(u32, usize, f64)>,
    /// All of this instance's load.
    pub whole: f64,
}

impl Load {
    /// # Errors
    /// Codes that make no distribution; a checked profile has none.
    pub fn new(profile: &Profile, instance: Instance) -> Result<Self, String> {
        let codes = CodeMix::new(&profile.codes)?.shares();
        let rank = |codigo: u32| profile.codes.codes.iter().position(|other| *other == codigo).unwrap_or_default();
        let hot = profile.mix.hot_key.map(|hot| {
            let share = if instance.owns(hot.truck) { hot.share } else { 0.0 };
            (hot.truck, rank(hot.codigo), share)
        });
        let cold = 1.0 - profile.mix.hot_key.map_or(0.0, |hot| hot.share);
        let own = |(truck, share): (usize, f64)| if instance.owns(truck as u32) { share * cold } else { 0.0 };
        let trucks: Vec<f64> = trucks::shares(profile).into_iter().enumerate().map(own).collect();
        let whole = trucks.iter().sum::<f64>() + hot.map_or(0.0, |(_, _, share)| share);
        Ok(Self { trucks, codes, hot, whole })
    }

    /// The share of this instance's load that each rank has; they add up to 1.
    pub fn code_shares(&self) -> Vec<f64> {
        let hot = self.hot.map_or(0.0, |(_, _, share)| share) / self.whole.max(f64::MIN_POSITIVE);
        let mut shares: Vec<f64> = self.codes.iter().map(|share| share * (1.0 - hot)).collect();
        if let Some((_, rank, _)) = self.hot {
            shares[rank] += hot;
        }
        shares
    }

    /// The share of this instance's load that its `hottest` busiest codes have.
    pub fn hottest_share(&self, hottest: usize) -> f64 {
        let mut shares = self.code_shares();
        shares.sort_unstable_by(|a, b| b.total_cmp(a));
        shares.iter().take(hottest).sum()
    }

    /// The share of the whole load that each truck has, the hot key's own load included.
    pub fn truck_shares(&self) -> Vec<f64> {
        let mut shares = self.trucks.clone();
        if let Some((truck, _, share)) = self.hot {
            shares[truck as usize] += share;
        }
        shares
    }

    /// How many events of this instance are sent late.
    pub fn late_events(&self, profile: &Profile) -> f64 {
        let Some(offline) = Offline::new(profile) else { return 0.0 };
        let curve = profile.shape.curve();
        let due = |nanos: u64| curve.count(Duration::from_nanos(nanos)) as f64;
        let shares = self.truck_shares();
        let owned = shares.iter().enumerate().filter(|(_, share)| **share > 0.0);
        let late = |(truck, share): (usize, &f64)| {
            offline.windows(truck as u32).map(|(from, until)| share * (due(until) - due(from))).sum::<f64>()
        };
        owned.map(late).sum()
    }
}
