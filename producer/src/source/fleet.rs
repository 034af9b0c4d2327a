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

/// One truck on the road: two lines of the cache.
#[repr(align(64))]
pub(super) struct Driven {
    pub stream: Stream,
    pub truck: Truck,
}

impl Driven {
    /// Something of each line.
    #[inline]
    pub(super) fn touched(&self) -> u64 {
        self.stream.state() ^ self.truck.seen().to_bits()
    }
}

/// The trucks of an instance, by their place among them.
pub(super) struct Fleet {
    driven: Vec<Driven>,
    /// All ids, one after the other, each of the same length.
    ids: String,
    id_length: usize,
}

impl Fleet {
    /// The part of `trucks` that is `instance`'s.
    pub(super) fn new(trucks: u32, instance: Instance, seed: u64) -> Self {
        let driven = |number: u32| {
            let mut stream = Stream::of(seed, number);
            Driven { truck: Truck::new(&mut stream), stream }
        };
        let numbers = || (0..instance.trucks(trucks)).map(|place| instance.truck(place));
        let ids = numbers().map(truck_id).collect();
        Self { driven: numbers().map(driven).collect(), ids, id_length: truck_id(0).len() }
    }

    pub(super) fn len(&self) -> usize {
        self.driven.len()
    }

    pub(super) fn id(&self, place: usize) -> Option<&str> {
        let start = place.checked_mul(self.id_length)?;
        self.ids.get(start..start + self.id_length)
    }

    /// The truck at `place`, and its id.
    #[inline]
    pub(super) fn at(&mut self, place: usize) -> (&mut Driven, &str) {
        let start = place * self.id_length;
        (&mut self.driven[place], &self.ids[start..start + self.id_length])
    }

    #[inline]
    pub(super) fn look_at(&self, place: usize) -> &Driven {
        &self.driven[place]
    }
}
