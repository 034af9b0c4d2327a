//! Numbers the series of replayed events by what stands before the seq in their ids.

use super::super::SeriesName;
use crate::chunk::NO_SERIES;
use domain::event::EventId;
use std::collections::HashMap;

#[derive(Default)]
pub(super) struct SeriesTable {
    /// `run-truck-codigo` to number; looked up without allocating.
    numbers: HashMap<Box<str>, u32>,
    names: Vec<SeriesName>,
}

impl SeriesTable {
    /// The series and the seq of an event; [`NO_SERIES`] when the id does not hold them.
    pub(super) fn place(&mut self, id: &str) -> (u32, u64) {
        let Some((series, seq)) = id.rsplit_once('-') else { return (NO_SERIES, 0) };
        let Some(seq) = seq.parse().ok().filter(|seq| *seq > 0) else { return (NO_SERIES, 0) };
        match self.numbers.get(series) {
            Some(number) => (*number, seq),
            None => (self.number(id, series), seq),
        }
    }

    fn number(&mut self, id: &str, series: &str) -> u32 {
        let Some(id) = EventId::parse(id) else { return NO_SERIES };
        let number = self.names.len() as u32;
        self.names.push(SeriesName { run: id.run, truck_id: id.truck_id, codigo: id.codigo });
        self.numbers.insert(series.into(), number);
        number
    }

    pub(super) fn name(&self, number: u32) -> Option<SeriesName> {
        self.names.get(number as usize).cloned()
    }
}
