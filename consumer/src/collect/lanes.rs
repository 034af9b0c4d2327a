//! All records of one key are on one lane, in this process and in every other.

use domain::offset::Offset;

/// The lane of a record, below `lanes`. A record without a key has no order to keep and goes by its offset.
///
/// FNV-1a on purpose, not the hash that chose the partition: within a partition that one is the same for all keys
/// modulo the number of partitions, and would leave lanes empty. The dedupe fence relies on this never changing.
pub fn lane_of(key: Option<&[u8]>, offset: Offset, lanes: u32) -> u32 {
    if lanes <= 1 {
        return 0;
    }
    let hash = key.map_or(offset.0.unsigned_abs(), fnv1a);
    u32::try_from((hash ^ (hash >> 32)) % u64::from(lanes)).unwrap_or_default()
}

/// Source: Fowler, Noll, Vo, "The FNV Non-Cryptographic Hash Algorithm" (64-bit FNV-1a).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::{fnv1a, lane_of};
    use domain::offset::Offset;

    #[test]
    fn the_hash_is_the_published_one() {
        // Source: the FNV authors' test vectors.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_key_stays_on_its_lane_and_lanes_share_the_keys() {
        let mut load = [0; 4];
        for truck in 0..4_000 {
            let key = format!("{:016x}", truck * 7_919);
            let lane = lane_of(Some(key.as_bytes()), Offset(truck), 4);
            assert_eq!(lane, lane_of(Some(key.as_bytes()), Offset(truck + 1), 4));
            load[lane as usize] += 1;
        }
        assert!(load.iter().all(|n| (800..1_200).contains(n)), "{load:?}");
    }

    #[test]
    fn keys_of_one_partition_use_every_lane() {
        let keys =
            (0..4_000).map(|n| format!("{n:016x}")).filter(|key| domain::key::partition_of(key.as_bytes(), 24) == 5);
        let lanes: std::collections::HashSet<_> = keys.map(|key| lane_of(Some(key.as_bytes()), Offset(0), 4)).collect();
        assert_eq!(lanes.len(), 4);
    }
}
