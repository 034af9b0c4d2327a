//! Whatever the order of fates and the size of chunks: every waiting side is told once and right, and no event is lost,
//! repeated or moved.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use producer::chunk::{Chunk, Room, Text};
use producer::parcel::{Allowance, Parcel, Parceled, Parcels, Share};
use producer::source::{Fill, Ingest, Source};
use producer::ticket::{Fate, Receiver, Settled, Ticket, Tickets};
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;
use std::time::Duration;

/// An open ticket as the model sees it.
struct Open {
    ticket: Ticket,
    told: Receiver,
    left: u32,
    sum: Settled,
}

fn note(sum: &mut Settled, fate: Fate) {
    match fate {
        Fate::Acknowledged => sum.acknowledged += 1,
        Fate::Spooled => sum.spooled += 1,
        Fate::DeadLettered => sum.dead_lettered += 1,
        Fate::Failed => sum.failed += 1,
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Acknowledged), Just(Fate::Spooled), Just(Fate::DeadLettered), Just(Fate::Failed)]
}

/// Opens a ticket, settles one event of an open one, or settles a ticket that is long closed.
#[derive(Debug, Clone)]
enum Step {
    Open(u32),
    Settle(Index, Fate),
    Late(Index, Fate),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (1_u32..6).prop_map(Step::Open),
        4 => (any::<Index>(), fate()).prop_map(|(which, fate)| Step::Settle(which, fate)),
        1 => (any::<Index>(), fate()).prop_map(|(which, fate)| Step::Late(which, fate)),
    ]
}

/// A parcel whose events are numbered from `first`.
fn parcel(first: u64, events: u64, allowance: &Arc<Allowance>) -> Parcel {
    let mut bytes = Vec::new();
    let mut write = |text: String| {
        let start = bytes.len();
        bytes.extend_from_slice(text.as_bytes());
        Text::since(start, &bytes)
    };
    let events: Vec<Parceled> = (first..first + events)
        .map(|seq| Parceled {
            id: write(format!("r-BR1-400-{seq}")),
            truck: write("BR1".into()),
            value: write(format!("value {seq}")),
            codigo: 400,
            ts: 0,
        })
        .collect();
    let mut share = Share::of(allowance);
    assert!(share.grow(events.len(), bytes.len()));
    Parcel { arrived: Duration::ZERO, ticket: Ticket::NONE, bytes, events, share }
}

proptest! {
    #[test]
    fn each_ticket_is_told_once_what_became_of_its_events(steps in prop::collection::vec(step(), 1..400)) {
        let tickets = Tickets::default();
        let (mut open, mut closed): (Vec<Open>, Vec<Ticket>) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Open(events) => {
                    let (ticket, told) = tickets.open(events);
                    prop_assert!(open.iter().all(|other| other.ticket != ticket));
                    open.push(Open { ticket, told, left: events, sum: Settled::default() });
                }
                Step::Settle(which, fate) if !open.is_empty() => {
                    let place = which.index(open.len());
                    tickets.settle(open[place].ticket, fate);
                    note(&mut open[place].sum, fate);
                    open[place].left -= 1;
                    if open[place].left == 0 {
                        let mut done = open.swap_remove(place);
                        prop_assert_eq!(done.told.try_recv(), Ok(done.sum));
                        closed.push(done.ticket);
                    }
                }
                // Uses of a place are counted up to 1,024: further back a ticket may come again.
                Step::Late(which, fate) if !closed.is_empty() => {
                    tickets.settle(closed[which.index(closed.len())], fate);
                }
                Step::Settle(..) | Step::Late(..) => {}
            }
            for open in &mut open {
                prop_assert!(open.told.try_recv().is_err());
                prop_assert_eq!(tickets.so_far(open.ticket), open.sum);
            }
            prop_assert_eq!(tickets.open_now(), open.len());
        }
    }

    #[test]
    fn parcels_of_any_size_come_out_whole_and_in_order(
        sizes in prop::collection::vec(1_u64..20, 0..20),
        rooms in prop::collection::vec((1_usize..10, 1_usize..200), 1..5),
    ) {
        let (parcels, allowance) = (Parcels::default(), Allowance::new(1_000, 1_000_000));
        let mut source = Ingest::new(parcels.clone(), Duration::ZERO);
        let mut first = 1;
        for size in &sizes {
            parcels.push(parcel(first, *size, &allowance)).unwrap();
            first += size;
        }
        prop_assert!(source.drain());
        let (mut chunk, mut next) = (Chunk::default(), 1);
        for (events, bytes) in rooms.iter().cycle() {
            chunk.clear();
            match source.fill(Duration::ZERO, Room { events: *events, bytes: *bytes }, &mut chunk).unwrap() {
                Fill::End => break,
                Fill::Taken => prop_assert!((1..=*events).contains(&chunk.len())),
                Fill::Wait(_) => prop_assert!(false, "nothing more can come"),
            }
            for item in chunk.items() {
                let value = format!("value {next}");
                prop_assert_eq!((item.seq, chunk.text(item.value)), (next, value.as_bytes()));
                next += 1;
            }
        }
        prop_assert_eq!((next, allowance.used()), (first, (0, 0)));
    }
}
