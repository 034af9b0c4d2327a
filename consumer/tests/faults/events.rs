//! Events of a few trucks, each with its seq: what arrives can be held against what was sent.

use domain::event::{Event, Readings, encode};
use std::collections::HashMap;

const TRUCKS: u64 = 24;
const READINGS: Readings =
    Readings { lat_e5: -2_355_052, lon_e5: -4_663_331, speed_tenths: 824, fuel_tenths: 612, odo_tenths: 1_827_332 };

/// Makes the events of one test.
#[derive(Default)]
pub struct Events {
    seqs: HashMap<String, u64>,
    made: u64,
}

impl Events {
    /// The next event: its key and its value.
    pub fn next(&mut self) -> (String, Vec<u8>) {
        let truck = format!("BR{:05}", self.made % TRUCKS);
        self.of(truck)
    }

    /// The next event of a truck.
    pub fn of(&mut self, truck: String) -> (String, Vec<u8>) {
        self.made += 1;
        let seq = self.seqs.entry(truck.clone()).or_default();
        *seq += 1;
        let event = Event {
            run: "faults",
            codigo: 400,
            truck_id: &truck,
            seq: *seq,
            ts: 1_763_701_200_000 + i64::try_from(self.made).unwrap(),
            readings: READINGS,
        };
        let mut value = Vec::new();
        encode(&event, &mut value);
        (truck, value)
    }

    /// How many there are.
    pub fn made(&self) -> u64 {
        self.made
    }
}
