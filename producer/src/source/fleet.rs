//! The trucks of an instance: who they are, where they start, and each one's random stream.

use super::stream::Stream;
use super::truck::Truck;
use crate::instance::Instance;

/// Two letters of a state, as they stand in the truck's id.
const STATES: [&str; 8] = ["SP", "MG", "PR", "SC", "RS", "GO", "BA", "MT"];

/// The id of truck number `index`: 12 characters of A-Z and 0-9, for example `BRSP00000000`.
pub fn truck_id(index: u32) -> String {
    let state = STATES[index as usize % STATES.len()];
    format!("BR{state}{index:08}")
}

/// One truck on the road.
pub(super) struct Driven {
    pub id: String,
    pub truck: Truck,
    pub stream: Stream,
}

/// The trucks of an instance, by their place among them.
pub(super) struct Fleet(Vec<Driven>);

impl Fleet {
    /// The part of `trucks` that is `instance`'s.
    pub(super) fn new(trucks: u32, instance: Instance, seed: u64) -> Self {
        let driven = |number: u32| {
            let mut stream = Stream::of(seed, number);
            Driven { id: truck_id(number), truck: Truck::new(&mut stream), stream }
        };
        Self((0..instance.trucks(trucks)).map(|place| driven(instance.truck(place))).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn id(&self, place: usize) -> Option<&str> {
        self.0.get(place).map(|driven| driven.id.as_str())
    }

    pub(super) fn at(&mut self, place: usize) -> &mut Driven {
        &mut self.0[place]
    }
}
