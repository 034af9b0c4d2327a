//! How the planned load spreads over trucks, codes, topics and partitions.

use super::{PlannedCode, PlannedTopic, PlannedTrucks};
use crate::config::ToPlan;
use crate::instance::Instance;
use crate::profile::Profile;
use crate::source::{Load, truck_id};
use domain::key::partition_of;

/// The codes with their shares of the instance's load; `rate` is that of all of it.
pub(super) fn codes(parts: &ToPlan, load: &Load, rate: f64) -> Vec<PlannedCode> {
    let router = &parts.router;
    let topic = |codigo: u32| router.find(codigo).and_then(|number| router.topics().get(usize::from(number)));
    let code = |(codigo, share): (&u32, f64)| PlannedCode {
        codigo: *codigo,
        share,
        rate: share * rate,
        topic: topic(*codigo).cloned(),
    };
    parts.profile.codes.codes.iter().zip(load.code_shares()).map(code).collect()
}

/// The trucks with their shares of the instance's load.
pub(super) fn trucks(profile: &Profile, instance: Instance, load: &Load) -> PlannedTrucks {
    let mut shares: Vec<(u32, f64)> =
        (0..).zip(load.truck_shares()).filter(|(truck, _)| instance.owns(*truck)).collect();
    shares.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let of_ours = |share: f64| share / load.whole.max(f64::MIN_POSITIVE);
    let (hottest, share) = shares.first().copied().unwrap_or_default();
    let fifth = shares.len().div_ceil(5);
    PlannedTrucks {
        count: instance.trucks(profile.trucks),
        of: profile.trucks,
        hottest: truck_id(hottest),
        hottest_share: of_ours(share),
        hottest_fifth_share: of_ours(shares.iter().take(fifth).map(|(_, share)| share).sum()),
    }
}

/// Every (truck, code) sends its part of the load to its key's partition.
pub(super) fn topics(parts: &ToPlan, load: &Load, codes: &[PlannedCode], partitions: u32) -> Vec<PlannedTopic> {
    let loads = partition_loads(parts, load, partitions);
    let topic = |(name, loads): (&String, Vec<f64>)| {
        let whole: f64 = loads.iter().sum();
        let hottest = loads.iter().copied().fold(0.0, f64::max) * loads.len() as f64;
        let ours = || codes.iter().filter(|code| code.topic.as_ref() == Some(name));
        PlannedTopic {
            topic: name.clone(),
            share: ours().map(|code| code.share).sum(),
            rate: ours().map(|code| code.rate).sum(),
            partitions,
            hottest_partition_over_mean: if whole > 0.0 { hottest / whole } else { 0.0 },
        }
    };
    parts.router.topics().iter().zip(loads).map(topic).collect()
}

/// The load of each partition of each topic.
fn partition_loads(parts: &ToPlan, load: &Load, partitions: u32) -> Vec<Vec<f64>> {
    let (router, all) = (&parts.router, &parts.profile.codes.codes);
    let mut loads = vec![vec![0.0; partitions.max(1) as usize]; router.topics().len()];
    let mut key = Vec::new();
    let mut add = |codigo: u32, truck: &str, share: f64| {
        let Some(topic) = router.find(codigo) else { return };
        key.clear();
        parts.strategy.write(codigo, truck, &mut key);
        loads[usize::from(topic)][partition_of(&key, partitions) as usize] += share;
    };
    for (truck, share) in load.trucks.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let id = truck_id(truck as u32);
        all.iter().zip(&load.codes).for_each(|(codigo, of_it)| add(*codigo, &id, share * of_it));
    }
    if let Some((truck, rank, share)) = load.hot {
        add(all[rank], &truck_id(truck), share);
    }
    loads
}
