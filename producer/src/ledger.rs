//! The sending side of the proof: which seqs of each series were offered, acknowledged, set aside, or have a fate on purpose.

use crate::chunk::{Intent, Item, NO_SERIES};
use crate::source::SeriesName;
use domain::ledger::{LedgerKey, Produced, ProducedKey, SeqSet};
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

    fn take(&mut self, series: u32) -> SeqSet {
        self.sets.get_mut(series as usize).map(std::mem::take).unwrap_or_default()
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
    pub fn note(&mut self, item: &Item) {
        self.offered.insert(item.series, item.seq);
        let meant = match item.intent {
            Intent::Delivered => return,
            Intent::Rejected => &mut self.expect_rejected,
            Intent::DeadLetter => &mut self.expect_dead_letter,
            Intent::Repeat => &mut self.repeated,
        };
        meant.insert(item.series, item.seq);
    }
}

/// What Kafka's answers write down.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    pub acknowledged: SeriesSets,
    pub dead_lettered: SeriesSets,
}

/// Puts both sides together, series by series.
pub fn assemble(mut offers: Offers, mut answered: Answered, name: impl Fn(u32) -> Option<SeriesName>) -> Produced {
    let mut produced = Produced::default();
    for series in 0..offers.offered.sets.len() as u32 {
        let offered = offers.offered.take(series);
        let Some(name) = name(series).filter(|_| !offered.is_empty()) else { continue };
        let key = LedgerKey { run: name.run, truck_id: name.truck_id, codigo: name.codigo };
        *produced.key(key) = ProducedKey {
            offered,
            acknowledged: answered.acknowledged.take(series),
            dead_lettered: answered.dead_lettered.take(series),
            expect_rejected: offers.expect_rejected.take(series),
            expect_dead_letter: offers.expect_dead_letter.take(series),
            repeated: offers.repeated.take(series),
        };
    }
    produced
}

/// Writes the ledger; who sees the file sees all of it.
///
/// # Errors
/// The file cannot be written.
pub fn write(produced: &Produced, path: &Path) -> std::io::Result<()> {
    output_file::replace(path, |mut file| produced.write(&mut file))
}
