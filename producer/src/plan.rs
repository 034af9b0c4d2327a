//! Plan: what a profile makes, computed without a broker.

mod text;

use crate::chunk::{Chunk, Room};
use crate::profile::Profile;
use crate::route::Router;
use crate::source::{CodeMix, Generator, Run, Source, truck_id};
use domain::key::{KeyStrategy, partition_of};
use serde::Serialize;
use std::time::Duration;

/// What a run of the profile comes to. `Display` is for people, serde for programs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    pub purpose: String,
    pub duration_seconds: f64,
    pub events: u64,
    /// Events/s, and the highest of any second.
    pub mean_rate: f64,
    pub peak_rate: f64,
    /// How a climb goes up, and what ends it.
    pub climb: Option<String>,
    /// Distinct keys.
    pub keys: u64,
    pub invalid_events: f64,
    /// Mean size of a value, measured on the profile's first events, and of all values.
    pub event_bytes: f64,
    pub total_bytes: f64,
    pub hottest_codes: usize,
    pub hottest_codes_share: f64,
    pub codes: Vec<PlannedCode>,
    pub topics: Vec<PlannedTopic>,
    pub expected: String,
}

/// One code, hottest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedCode {
    pub codigo: u32,
    pub share: f64,
    pub rate: f64,
    pub topic: Option<String>,
}

/// One topic of the routes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedTopic {
    pub topic: String,
    pub share: f64,
    pub rate: f64,
    pub partitions: u32,
    /// The busiest partition over the mean; grows with hot keys.
    pub hottest_partition_over_mean: f64,
}

/// So many events are made to measure their size.
const SAMPLE: usize = 2_000;

/// Computes the plan of `profile` for `partitions` in every topic.
///
/// # Errors
/// Codes that make no distribution; a checked profile has none.
pub fn plan(profile: &Profile, router: &Router, strategy: KeyStrategy, partitions: u32) -> Result<Plan, String> {
    let shares = CodeMix::new(&profile.codes)?.shares();
    let (events, seconds) = (profile.events(), profile.duration.as_secs_f64());
    let mean_rate = events as f64 / seconds;
    let event_bytes = event_bytes(profile)?;
    let hottest_codes = profile.codes.hottest();
    let topic = |codigo: u32| router.find(codigo).and_then(|number| router.topics().get(usize::from(number)));
    let code = |(codigo, share): (&u32, &f64)| PlannedCode {
        codigo: *codigo,
        share: *share,
        rate: share * mean_rate,
        topic: topic(*codigo).cloned(),
    };
    let codes: Vec<PlannedCode> = profile.codes.codes.iter().zip(&shares).map(code).collect();
    Ok(Plan {
        purpose: profile.purpose.clone(),
        duration_seconds: seconds,
        events,
        mean_rate,
        peak_rate: profile.shape.peak(),
        climb: profile.shape.climb().map(ToString::to_string),
        keys: keys(profile, strategy),
        invalid_events: events as f64 * profile.invalid_share,
        event_bytes,
        total_bytes: event_bytes * events as f64,
        hottest_codes,
        hottest_codes_share: shares.iter().take(hottest_codes).sum(),
        topics: topics(&codes, profile.trucks, router, strategy, partitions),
        codes,
        expected: profile.expected.result.clone(),
    })
}

fn keys(profile: &Profile, strategy: KeyStrategy) -> u64 {
    let (trucks, codes) = (u64::from(profile.trucks), profile.codes.codes.len() as u64);
    match strategy {
        KeyStrategy::HashCodigoTruck | KeyStrategy::CodigoTruck => trucks * codes,
        KeyStrategy::Codigo => codes,
        KeyStrategy::TruckId => trucks,
    }
}

fn event_bytes(profile: &Profile) -> Result<f64, String> {
    let run = Run { id: "0".repeat(12), start_ms: 1_763_701_200_000 };
    let mut generator = Generator::new(profile, run)?;
    let mut chunk = Chunk::default();
    let room = Room { events: SAMPLE, bytes: usize::MAX };
    generator.fill(Duration::MAX, room, &mut chunk).map_err(|error| error.to_string())?;
    Ok(chunk.value_bytes() as f64 / chunk.len().max(1) as f64)
}

/// Every (truck, code) sends its code's share over the number of trucks to its key's partition.
fn topics(
    codes: &[PlannedCode],
    trucks: u32,
    router: &Router,
    strategy: KeyStrategy,
    partitions: u32,
) -> Vec<PlannedTopic> {
    let mut load = vec![vec![0.0; partitions.max(1) as usize]; router.topics().len()];
    let mut key = Vec::new();
    for truck in (0..trucks).map(truck_id) {
        for code in codes {
            let Some(topic) = router.find(code.codigo) else { continue };
            key.clear();
            strategy.write(code.codigo, &truck, &mut key);
            load[usize::from(topic)][partition_of(&key, partitions) as usize] += code.share / f64::from(trucks);
        }
    }
    let topic = |(name, load): (&String, Vec<f64>)| {
        let share: f64 = load.iter().sum();
        let hottest = load.iter().copied().fold(0.0, f64::max) * load.len() as f64;
        PlannedTopic {
            topic: name.clone(),
            share,
            rate: codes.iter().filter(|code| code.topic.as_ref() == Some(name)).map(|code| code.rate).sum(),
            partitions,
            hottest_partition_over_mean: if share > 0.0 { hottest / share } else { 0.0 },
        }
    };
    router.topics().iter().zip(load).map(topic).collect()
}
