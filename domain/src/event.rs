//! The telemetry event: its fields, the bytes it travels as, its identity and the checks it must pass.
//!
//! In: readings of a truck, or a record's value. Out: JSON of schemas/telemetry-event.v1.json, or a checked event of a version that is known.
//! Never: touches fields it does not know; they pass through untouched because only the original bytes travel on.

mod check;
mod encode;
mod id;
mod pen;
mod versions;

pub use check::{CheckedEvent, Invalid, check, check_against};
pub use encode::encode;
pub use id::EventId;
pub use versions::{NoVersions, Versions};

/// The version of the event that this code writes.
pub const VERSION: u32 = 1;

/// What every event of version 1 has at its top level, in the order of the schema.
pub const FIELDS: [&str; 11] = ["v", "id", "codigo", "truck_id", "seq", "ts", "lat", "lon", "speed", "fuel", "odo"];

/// One telemetry event as a truck reports it. Readings are fixed-point integers, so that the same event is the same bytes everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// Which run of which producer made it: 1 to 16 characters of `[0-9a-z]`.
    pub run: &'a str,
    /// What the truck reports: the code of the telemetry signal.
    pub codigo: u32,
    /// Which truck: 3 to 16 characters of `[0-9A-Z]`.
    pub truck_id: &'a str,
    /// Starts at 1 and grows by exactly one per (run, truck_id, codigo).
    pub seq: u64,
    /// Event time in milliseconds since the epoch.
    pub ts: i64,
    /// What the sensors said.
    pub readings: Readings,
}

/// The readings of one event, in fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readings {
    /// Latitude in 1/100,000 degree, -9,000,000 to 9,000,000.
    pub lat_e5: i32,
    /// Longitude in 1/100,000 degree, -18,000,000 to 18,000,000.
    pub lon_e5: i32,
    /// Speed in tenths of km/h.
    pub speed_tenths: u32,
    /// Fuel in tenths of a per cent, 0 to 1000.
    pub fuel_tenths: u32,
    /// Odometer in tenths of a kilometre.
    pub odo_tenths: u64,
}
