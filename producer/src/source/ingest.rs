//! Takes what other processes hand over by HTTP, in the order of arrival; each event is due when its request was complete.
//!
//! The other end of the queue is the HTTP server (`crate::ingest`). After a drain was asked for nothing new comes in, and the
//! source ends when everything that had come in is out: somebody waits for each answer.

use super::series::SeriesTable;
use super::{BadLine, Fill, ReplayError, SeriesName, Source};
use crate::chunk::{Chunk, Intent, Item, Room, Text};
use crate::parcel::{Parcel, Parcels};
use std::time::Duration;

/// So many series are told apart; a service that runs for months meets ever new ones, and the ledger leaves out the rest.
const MOST_SERIES: usize = 1 << 18;
/// Nothing is due before something comes, which ends the wait.
const LONG: Duration = Duration::from_secs(1);

/// A source that is fed from outside.
pub struct Ingest {
    parcels: Parcels,
    /// The start of the run on the clock.
    start: Duration,
    /// The parcel that is being unpacked, and how many of its events are out.
    open: Option<(Parcel, usize)>,
    series: SeriesTable,
}

impl Ingest {
    /// `start` is the start of the run on the clock that stamps the parcels.
    pub fn new(parcels: Parcels, start: Duration) -> Self {
        Self { parcels, start, open: None, series: SeriesTable::at_most(MOST_SERIES) }
    }

    /// Moves events of the open parcel to the chunk; what does not fit stays for the next one.
    fn unpack(&mut self, parcel: Parcel, mut next: usize, room: Room, chunk: &mut Chunk) {
        while let Some(event) = parcel.events.get(next).filter(|_| !chunk.is_full(room)) {
            let id = std::str::from_utf8(event.id.of(&parcel.bytes)).unwrap_or_default();
            let (series, seq) = self.series.place(id);
            let mut copy = |text: Text| chunk.write(|buffer| buffer.extend_from_slice(text.of(&parcel.bytes)));
            let item = Item {
                due: parcel.arrived.saturating_sub(self.start),
                ts: event.ts,
                codigo: event.codigo,
                truck: copy(event.truck),
                value: copy(event.value),
                series,
                seq,
                invalid_id: None,
                intent: Intent::Delivered,
                ticket: parcel.ticket,
                topic: 0,
                key: Text::default(),
            };
            chunk.push(item);
            next += 1;
        }
        self.open = (next < parcel.events.len()).then_some((parcel, next));
    }
}

impl Source for Ingest {
    fn fill(&mut self, now: Duration, room: Room, chunk: &mut Chunk) -> Result<Fill, ReplayError> {
        while !chunk.is_full(room) {
            let Some((parcel, next)) = self.open.take().or_else(|| Some((self.parcels.pop()?, 0))) else { break };
            self.unpack(parcel, next, room, chunk);
        }
        Ok(match (chunk.is_empty(), self.parcels.is_over()) {
            (false, _) => Fill::Taken,
            (true, true) => Fill::End,
            (true, false) => Fill::Wait(now + LONG),
        })
    }

    fn bad_lines(&mut self) -> Vec<BadLine> {
        // Their sender is told at once.
        Vec::new()
    }

    fn series(&self, number: u32) -> Option<SeriesName> {
        self.series.name(number)
    }

    fn planned(&self, _: Duration) -> Option<u64> {
        None
    }

    fn drain(&mut self) -> bool {
        self.parcels.close();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Ingest;
    use crate::chunk::{Chunk, Room, Text};
    use crate::parcel::{Allowance, Parcel, Parceled, Parcels, Share};
    use crate::source::{Fill, Source};
    use crate::ticket::Tickets;
    use std::time::Duration;

    const ROOM: Room = Room { events: 3, bytes: 1_000 };

    fn parcel(share: Share, seqs: std::ops::Range<u64>, arrived_ms: u64) -> Parcel {
        let mut bytes = Vec::new();
        let mut write = |text: String| {
            let start = bytes.len();
            bytes.extend_from_slice(text.as_bytes());
            Text::since(start, &bytes)
        };
        let events = seqs.clone().map(|seq| Parceled {
            id: write(format!("r-BR1-400-{seq}")),
            truck: write("BR1".into()),
            value: write(format!("value {seq}")),
            codigo: 400,
            ts: 7,
        });
        let events = events.collect();
        let ticket = Tickets::default().open(seqs.count() as u32).0;
        Parcel { arrived: Duration::from_millis(arrived_ms), ticket, bytes, events, share }
    }

    #[test]
    fn parcels_come_out_in_order_across_chunks_and_the_end_comes_after_the_last_event() {
        let (parcels, allowance) = (Parcels::default(), Allowance::new(100, 1_000));
        let mut source = Ingest::new(parcels.clone(), Duration::from_millis(1_000));
        let mut chunk = Chunk::default();
        let now = Duration::from_secs(1);
        assert!(matches!(source.fill(now, ROOM, &mut chunk), Ok(Fill::Wait(until)) if until > now));
        let mut share = Share::of(&allowance);
        assert!(share.grow(4, 40));
        parcels.push(parcel(share, 1..5, 1_500)).unwrap();
        parcels.push(parcel(Share::of(&allowance), 5..6, 1_700)).unwrap();
        let mut out = Vec::new();
        assert!(source.drain());
        loop {
            chunk.clear();
            match source.fill(now, ROOM, &mut chunk).unwrap() {
                Fill::Taken => assert!(chunk.len() <= 3),
                Fill::End => break,
                Fill::Wait(_) => panic!("nothing more can come"),
            }
            for item in chunk.items() {
                assert_eq!((chunk.text(item.truck), item.series), (&b"BR1"[..], 0));
                assert_eq!(chunk.text(item.value), format!("value {}", item.seq).as_bytes());
                out.push((item.seq, item.due.as_millis()));
            }
        }
        assert_eq!(out, [(1, 500), (2, 500), (3, 500), (4, 500), (5, 700)]);
        assert_eq!((allowance.used(), source.series(0).unwrap().truck_id.as_str()), ((0, 0), "BR1"));
        assert!(parcels.push(parcel(Share::of(&allowance), 1..2, 1)).is_err(), "a drained source takes nothing");
    }
}
