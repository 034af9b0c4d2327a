//! Plan: what a profile makes, computed without a broker; for one instance of several, its part.

mod rounded;
mod spread;
mod text;

use crate::chunk::{Chunk, Room};
use crate::config::ToPlan;
use crate::instance::Instance;
use crate::limit::Limits;
use crate::profile::Profile;
use crate::source::{Generator, Load, Run, Source};
use domain::key::KeyStrategy;
use rounded::rounded;
use serde::Serialize;
use std::time::Duration;

/// What a run of the profile comes to. `Display` is for people, serde for programs. Counts of events are expected values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    pub purpose: String,
    /// `2/3`, and the part of the whole load that it has.
    pub instance: String,
    #[serde(serialize_with = "rounded")]
    pub part: f64,
    /// Of this instance; 0 is no limit.
    pub limits: Limits,
    #[serde(serialize_with = "rounded")]
    pub duration_seconds: f64,
    #[serde(serialize_with = "rounded")]
    pub events: f64,
    /// Events/s, and the highest of any second.
    #[serde(serialize_with = "rounded")]
    pub mean_rate: f64,
    #[serde(serialize_with = "rounded")]
    pub peak_rate: f64,
    /// How the climb of all instances goes up, and what ends it.
    pub climb: Option<String>,
    /// Distinct keys.
    pub keys: u64,
    pub mix: PlannedMix,
    /// Mean size of a value, measured on the profile's first events, and of all values.
    #[serde(serialize_with = "rounded")]
    pub event_bytes: f64,
    #[serde(serialize_with = "rounded")]
    pub total_bytes: f64,
    pub hottest_codes: usize,
    #[serde(serialize_with = "rounded")]
    pub hottest_codes_share: f64,
    pub trucks: PlannedTrucks,
    pub codes: Vec<PlannedCode>,
    pub topics: Vec<PlannedTopic>,
    pub expected: String,
}

/// Events that are not like the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedMix {
    /// Rejected behind Kafka.
    #[serde(serialize_with = "rounded")]
    pub invalid: f64,
    /// Dead letters of the producer.
    #[serde(serialize_with = "rounded")]
    pub oversize: f64,
    /// Sent a second time.
    #[serde(serialize_with = "rounded")]
    pub duplicates: f64,
    /// Sent when their truck came back.
    #[serde(serialize_with = "rounded")]
    pub late: f64,
    /// Of the hot key, beside what it gets like every other.
    #[serde(serialize_with = "rounded")]
    pub hot_key: f64,
}

/// The trucks of the instance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedTrucks {
    pub count: u32,
    /// Of all instances.
    pub of: u32,
    pub hottest: String,
    /// The share of the instance's load that the hottest truck has, and the hottest fifth of them.
    #[serde(serialize_with = "rounded")]
    pub hottest_share: f64,
    #[serde(serialize_with = "rounded")]
    pub hottest_fifth_share: f64,
}

/// One code, hottest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedCode {
    pub codigo: u32,
    #[serde(serialize_with = "rounded")]
    pub share: f64,
    #[serde(serialize_with = "rounded")]
    pub rate: f64,
    pub topic: Option<String>,
}

/// One topic of the routes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedTopic {
    pub topic: String,
    #[serde(serialize_with = "rounded")]
    pub share: f64,
    #[serde(serialize_with = "rounded")]
    pub rate: f64,
    pub partitions: u32,
    /// The busiest partition over the mean; grows with hot keys.
    #[serde(serialize_with = "rounded")]
    pub hottest_partition_over_mean: f64,
}

/// So many events are made to measure their size.
const SAMPLE: usize = 2_000;

/// Computes the plan for `partitions` in every topic.
///
/// # Errors
/// Codes that make no distribution; a checked profile has none.
pub fn plan(parts: &ToPlan, partitions: u32) -> Result<Plan, String> {
    let (profile, instance) = (&parts.profile, parts.instance);
    let load = Load::new(profile, instance)?;
    let (events, seconds) = (profile.events() as f64 * load.whole, profile.duration.as_secs_f64());
    let mean_rate = events / seconds;
    let event_bytes = event_bytes(profile, instance)?;
    let hottest_codes = profile.codes.hottest();
    let codes = spread::codes(parts, &load, mean_rate);
    Ok(Plan {
        purpose: profile.purpose.clone(),
        instance: instance.to_string(),
        part: load.whole,
        limits: parts.limits,
        duration_seconds: seconds,
        events,
        mean_rate,
        peak_rate: profile.shape.peak() * load.whole,
        climb: profile.shape.climb().map(ToString::to_string),
        keys: keys(profile, instance, parts.strategy),
        mix: mix(profile, &load, events),
        event_bytes,
        total_bytes: event_bytes * events,
        hottest_codes,
        hottest_codes_share: load.hottest_share(hottest_codes),
        trucks: spread::trucks(profile, instance, &load),
        topics: spread::topics(parts, &load, &codes, partitions),
        codes,
        expected: profile.expected.result.clone(),
    })
}

fn keys(profile: &Profile, instance: Instance, strategy: KeyStrategy) -> u64 {
    let (trucks, codes) = (u64::from(instance.trucks(profile.trucks)), profile.codes.codes.len() as u64);
    match strategy {
        KeyStrategy::HashCodigoTruck | KeyStrategy::CodigoTruck => trucks * codes,
        KeyStrategy::Codigo => codes,
        KeyStrategy::TruckId => trucks,
    }
}

/// An event that is sent twice takes two turns, so there are fewer new events than turns.
fn mix(profile: &Profile, load: &Load, events: f64) -> PlannedMix {
    let mix = &profile.mix;
    let twice = (1.0 - mix.invalid_share - mix.oversize_share) * mix.duplicate_share;
    let new = events / (1.0 + twice);
    PlannedMix {
        invalid: new * mix.invalid_share,
        oversize: new * mix.oversize_share,
        duplicates: new * twice,
        late: load.late_events(profile),
        hot_key: profile.events() as f64 * load.hot.map_or(0.0, |(_, _, share)| share),
    }
}

fn event_bytes(profile: &Profile, instance: Instance) -> Result<f64, String> {
    let run = Run { id: "0".repeat(12), start_ms: 1_763_701_200_000 };
    let mut generator = Generator::of_instance(profile, run, instance)?;
    let mut chunk = Chunk::default();
    let room = Room { events: SAMPLE, bytes: usize::MAX };
    generator.fill(Duration::MAX, room, &mut chunk).map_err(|error| error.to_string())?;
    Ok(chunk.value_bytes() as f64 / chunk.len().max(1) as f64)
}
