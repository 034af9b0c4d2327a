//! Random numbers for one truck: SplitMix64, whose whole state is 8 bytes.
//!
//! Every truck has a stream of its own, so its events are the same whichever instance it is on. Algorithm: Steele, Lea and
//! Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

use rand::TryRng;
use std::convert::Infallible;

/// The golden ratio in 64 bits: the step of the sequence.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The state.
#[derive(Debug, Clone)]
pub(super) struct Stream(u64);

impl Stream {
    /// The stream of truck number `truck`.
    pub(super) fn of(seed: u64, truck: u32) -> Self {
        Self(hash(seed, truck))
    }

    pub(super) fn state(&self) -> u64 {
        self.0
    }
}

/// A number that any two (seed, truck) share only by chance.
pub(super) fn hash(seed: u64, truck: u32) -> u64 {
    mixed(mixed(seed) ^ u64::from(truck).wrapping_add(1).wrapping_mul(STEP))
}

#[inline]
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|bits| (bits >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(STEP);
        Ok(mixed(self.0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        rand::rand_core::utils::fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::Stream;
    use rand::Rng;

    #[test]
    fn the_numbers_are_those_of_the_reference() {
        // From the public domain splitmix64.c of Sebastiano Vigna, seed 1234567.
        let mut stream = Stream(1_234_567);
        let numbers: Vec<u64> = (0..3).map(|_| stream.next_u64()).collect();
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn trucks_have_streams_of_their_own() {
        let first = |seed, truck| Stream::of(seed, truck).next_u64();
        let firsts: std::collections::HashSet<u64> =
            (0..100).flat_map(|seed| (0..1_000).map(move |truck| first(seed, truck))).collect();
        assert_eq!(firsts.len(), 100_000);
    }
}
