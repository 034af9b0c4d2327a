//! Events that are sent a second time, byte for byte: each waits for its truck's next turn.

/// What is kept of an event until then.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub ts: i64,
    /// The place of its codigo in the profile.
    pub rank: usize,
    pub seq: u64,
    pub value: Vec<u8>,
}

/// A place for each truck; empty when nothing is sent twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Again {
    kept: Vec<Kept>,
    waiting: Vec<bool>,
}

impl Again {
    pub(super) fn new(trucks: usize, duplicate_share: f64) -> Self {
        let trucks = if duplicate_share > 0.0 { trucks } else { 0 };
        Self { kept: vec![Kept::default(); trucks], waiting: vec![false; trucks] }
    }

    /// Keeps an event of the truck at `place`; its place is free, because what waits goes before anything new.
    pub(super) fn keep(&mut self, place: usize, ts: i64, (rank, seq): (usize, u64), value: &[u8]) {
        if let (Some(kept), Some(waiting)) = (self.kept.get_mut(place), self.waiting.get_mut(place)) {
            (kept.ts, kept.rank, kept.seq, *waiting) = (ts, rank, seq, true);
            kept.value.clear();
            kept.value.extend_from_slice(value);
        }
    }

    /// The event that the truck at `place` sends again now.
    #[inline]
    pub(super) fn take(&mut self, place: usize) -> Option<&Kept> {
        let waiting = self.waiting.get_mut(place)?;
        if std::mem::take(waiting) { self.kept.get(place) } else { None }
    }
}
