//! The sending side of the proof: which seqs of each series were offered, acknowledged, set aside, or have a fate on purpose.

use crate::chunk::{Intent, Item, NO_SERIES};
use crate::source::{SeriesName, Source};
use domain::ledger::{LedgerKey, ProducedKey, SeqSet};
use runtime::output_file;
use std::path::Path;

/// A set of seqs for each series; grows with the highest series it was told.
#[derive(Debug, Clone, Default)]
pub struct SeriesSets {
    sets: Vec<SeqSet>,
}

impl SeriesSets {
    pub fn insert(&mut self, series: u32, seq: u64) {
        if series == NO_SERIES {
            return;
        }
        let place = series as usize;
        if self.sets.len() <= place {
            self.sets.resize(place + 1, SeqSet::default());
        }
        self.sets[place].insert(seq);
    }

    fn of(&self, series: u32) -> SeqSet {
        self.sets.get(series as usize).cloned().unwrap_or_default()
    }
}

/// What the flow writes down.
#[derive(Debug, Clone, Default)]
pub struct Offers {
    offered: SeriesSets,
    expect_rejected: SeriesSets,
    expect_dead_letter: SeriesSets,
    repeated: SeriesSets,
}

impl Offers {
    pub fn note(&mut self, items: &[Item]) {
        items.iter().for_each(|item| self.offered.insert(item.series, item.seq));
        for item in items {
            let meant = match item.intent {
                Intent::Delivered => continue,
                Intent::Rejected => &mut self.expect_rejected,
                Intent::DeadLetter => &mut self.expect_dead_letter,
                Intent::Repeat => &mut self.repeated,
            };
            meant.insert(item.series, item.seq);
        }
    }
}

/// What Kafka's answers write down.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    pub acknowledged: SeriesSets,
    pub dead_lettered: SeriesSets,
}

/// Both sides of a run that is over, and who can name its series.
pub struct Ledger {
    pub offers: Offers,
    pub answered: Answered,
    pub source: Box<dyn Source>,
}

impl Ledger {
    /// What became of each series, in the order of their numbers. There may be hundreds of thousands: one at a time.
    pub fn lines(&self) -> impl Iterator<Item = (LedgerKey, ProducedKey)> {
        let offered = |series: &u32| self.offers.offered.sets.get(*series as usize).is_some_and(|set| !set.is_empty());
        let all = 0..self.offers.offered.sets.len() as u32;
        all.filter(offered).filter_map(|series| Some((self.key(series)?, self.seqs(series))))
    }

    fn key(&self, series: u32) -> Option<LedgerKey> {
        let SeriesName { run, truck_id, codigo } = self.source.series(series)?;
        Some(LedgerKey { run, truck_id, codigo })
    }

    fn seqs(&self, series: u32) -> ProducedKey {
        let Self { offers, answered, .. } = self;
        ProducedKey {
            offered: offers.offered.of(series),
            acknowledged: answered.acknowledged.of(series),
            dead_lettered: answered.dead_lettered.of(series),
            expect_rejected: offers.expect_rejected.of(series),
            expect_dead_letter: offers.expect_dead_letter.of(series),
            repeated: offers.repeated.of(series),
        }
    }

    /// Writes the ledger; who sees the file sees all of it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        output_file::replace(path, |mut file| self.lines().try_for_each(|(key, seqs)| seqs.write(&key, &mut file)))
    }
}
