//! All records of one key are on one lane, in this process and in every other.

use domain::offset::Offset;

/// The lane of a record, below `lanes`. A record without a key has no order to keep and goes by its offset.
///
/// XXH3 on purpose, not the hash that chose the partition: within a partition that one is the same for all keys
/// modulo the number of partitions, and would leave lanes empty. The dedupe fence relies on this never changing.
pub fn lane_of(key: Option<&[u8]>, offset: Offset, lanes: u32) -> u32 {
    if lanes <= 1 {
        return 0;
    }
    let hash = key.map_or(offset.0.unsigned_abs(), domain::key::hash);
    u32::try_from((hash ^ (hash >> 32)) % u64::from(lanes)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::lane_of;
    use domain::offset::Offset;

    #[test]
    fn lanes_never_change() {
        // Of XXH3-64, whose value for no bytes, 0x2d06800538d394c2, its author publishes; the others are pinned.
        let lanes =
            ["", "a", "c400:BR-0001", "0123456789abcdef"].map(|key| lane_of(Some(key.as_bytes()), Offset(7), 1_000));
        assert_eq!(lanes, [887, 201, 977, 979]);
        assert_eq!((lane_of(None, Offset(7), 4), lane_of(Some(b"a"), Offset(7), 1)), (3, 0));
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
