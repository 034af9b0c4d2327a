//! A set of offsets as blocks of bits: lanes finish every so-many-th record of a partition, and ranges would be as many as records then.

use domain::offset::Offset;
use std::collections::BTreeMap;

/// Bits of a block, as a power of two.
const BLOCK: u32 = 9;
const WORD: u32 = 6;

/// What is in the set of 512 offsets that follow each other.
type Block = [u64; 1 << (BLOCK - WORD)];

/// Any offsets; most follow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Offsets {
    /// By number; none is empty.
    blocks: BTreeMap<i64, Block>,
}

impl Offsets {
    /// Adds `offset`; nothing happens when it is there.
    pub(super) fn insert(&mut self, offset: Offset) {
        let (block, word, bit) = place(offset);
        // Records come in order.
        match self.blocks.last_entry() {
            Some(mut last) if *last.key() == block => last.get_mut()[word] |= bit,
            _ => self.blocks.entry(block).or_default()[word] |= bit,
        }
    }

    /// Takes `offsets` out, whatever of them is there. Those of one block cost least beside each other.
    pub(super) fn remove(&mut self, offsets: &[Offset]) {
        for of_one in offsets.chunk_by(|one, next| place(*one).0 == place(*next).0) {
            let Some((number, _, _)) = of_one.first().map(|offset| place(*offset)) else { continue };
            let Some(block) = self.blocks.get_mut(&number) else { continue };
            for offset in of_one {
                let (_, word, bit) = place(*offset);
                block[word] &= !bit;
            }
            if *block == Block::default() {
                self.blocks.remove(&number);
            }
        }
    }

    pub(super) fn first(&self) -> Option<Offset> {
        let (number, block) = self.blocks.first_key_value()?;
        let (word, bits) = block.iter().enumerate().find(|(_, bits)| **bits != 0)?;
        Some(Offset((number << BLOCK) + ((word as i64) << WORD) + i64::from(bits.trailing_zeros())))
    }

    /// How many blocks it takes.
    pub(super) fn blocks(&self) -> usize {
        self.blocks.len()
    }
}

/// The block of an offset, the word in the block, and the bit in the word.
fn place(Offset(offset): Offset) -> (i64, usize, u64) {
    let within = offset & ((1 << BLOCK) - 1);
    (offset >> BLOCK, (within >> WORD) as usize, 1 << (within & ((1 << WORD) - 1)))
}

#[cfg(test)]
mod tests {
    use super::Offsets;
    use domain::offset::Offset;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_first_one_is_found_over_blocks_and_empty_blocks_go() {
        let mut offsets = Offsets::default();
        [i64::MAX, 511, 512, 5, 512, 0].into_iter().for_each(|offset| offsets.insert(Offset(offset)));
        assert_eq!((offsets.blocks(), offsets.first()), (3, Some(Offset(0))));
        offsets.remove(&[0, 1, 5, 511].map(Offset));
        assert_eq!((offsets.blocks(), offsets.first()), (2, Some(Offset(512))));
        offsets.remove(&[512, 600_000].map(Offset));
        assert_eq!((offsets.blocks(), offsets.first()), (1, Some(Offset(i64::MAX))));
        offsets.remove(&[Offset(i64::MAX)]);
        assert_eq!((offsets.blocks(), offsets.first()), (0, None));
    }

    proptest! {
        #[test]
        fn is_the_set_that_it_stands_for(steps in prop::collection::vec((any::<bool>(), 0_i64..2_000, 0_usize..400, 1_usize..9), 1..60)) {
            let (mut offsets, mut set) = (Offsets::default(), BTreeSet::new());
            for (insert, first, many, step) in steps {
                let some: Vec<Offset> = (first..).step_by(step).take(many).map(Offset).collect();
                if insert {
                    some.iter().for_each(|offset| offsets.insert(*offset));
                    set.extend(some);
                } else {
                    offsets.remove(&some);
                    set.retain(|offset| !some.contains(offset));
                }
                let blocks = set.iter().map(|offset| offset.0 / 512).collect::<BTreeSet<_>>().len();
                prop_assert_eq!((offsets.blocks(), offsets.first()), (blocks, set.first().copied()));
            }
            for offset in set {
                prop_assert_eq!(offsets.first(), Some(offset));
                offsets.remove(&[offset]);
            }
            prop_assert_eq!(offsets.blocks(), 0);
        }
    }
}
