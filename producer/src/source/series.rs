//! Numbers the series of events from outside by what stands before the seq in their ids.

use super::SeriesName;
use crate::chunk::NO_SERIES;
use domain::event::EventId;
use std::collections::HashMap;

pub(super) struct SeriesTable {
    /// `run-truck-codigo` to number; looked up without allocating.
    numbers: HashMap<Box<str>, u32>,
    names: Vec<SeriesName>,
    most: usize,
}

impl Default for SeriesTable {
    fn default() -> Self {
        Self::at_most(NO_SERIES as usize)
    }
}

impl SeriesTable {
    /// Numbers the first `most` series; what comes later has none.
    pub(super) fn at_most(most: usize) -> Self {
        Self { numbers: HashMap::new(), names: Vec::new(), most }
    }

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
        if self.names.len() >= self.most {
            return NO_SERIES;
        }
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

#[cfg(test)]
mod tests {
    use super::{NO_SERIES, SeriesTable};

    #[test]
    fn series_are_numbered_up_to_a_bound_and_known_ones_stay_known() {
        let mut table = SeriesTable::at_most(2);
        assert_eq!((table.place("r-BR1-400-7"), table.place("r-BR2-400-1")), ((0, 7), (1, 1)));
        assert_eq!((table.place("r-BR3-400-1").0, table.place("r-BR1-400-8")), (NO_SERIES, (0, 8)));
        assert_eq!((table.place("no id").0, table.place("r-BR1-400-0").0), (NO_SERIES, NO_SERIES));
        assert_eq!(table.name(1).map(|name| name.truck_id).as_deref(), Some("BR2"));
    }
}
