//! The trucks of a run: who they are and where they start.

use super::truck::Truck;
use rand::Rng;

/// Two letters of a state, as they stand in the truck's id.
const STATES: [&str; 8] = ["SP", "MG", "PR", "SC", "RS", "GO", "BA", "MT"];

/// The id of truck number `index`: 12 characters of A-Z and 0-9, for example `BRSP00000000`.
pub fn truck_id(index: u32) -> String {
    let state = STATES[index as usize % STATES.len()];
    format!("BR{state}{index:08}")
}

/// The trucks by their number.
pub(super) struct Fleet {
    ids: Vec<String>,
    trucks: Vec<Truck>,
}

impl Fleet {
    pub(super) fn new<R: Rng>(count: u32, rng: &mut R) -> Self {
        Self { ids: (0..count).map(truck_id).collect(), trucks: (0..count).map(|_| Truck::new(rng)).collect() }
    }

    pub(super) fn len(&self) -> u32 {
        self.trucks.len() as u32
    }

    pub(super) fn id(&self, index: u32) -> &str {
        self.ids.get(index as usize).map_or("", String::as_str)
    }

    pub(super) fn truck(&mut self, index: u32) -> &mut Truck {
        &mut self.trucks[index as usize]
    }
}
