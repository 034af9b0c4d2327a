//! Slots run out and come back; a sender that waits for one is woken.

use super::{Flying, InFlight, Slots, Ticket};
use std::time::Duration;

fn flying(seq: u64) -> Flying {
    Flying {
        due: Duration::from_nanos(seq * 7),
        waited: Duration::from_secs(seq * 3_600),
        series: u32::MAX - 1,
        seq,
        topic: 3,
        ticket: Ticket::of_number(seq as u32),
        spooled: seq + 9,
    }
}

#[test]
fn slots_run_out_and_come_back_with_what_was_put_in() {
    let shared = InFlight::new(2);
    let mut slots = Slots::new(shared.clone());
    let (a, b) = (
        slots.take(flying(1), Duration::from_secs(1)).unwrap(),
        slots.take(flying(2), Duration::from_secs(2)).unwrap(),
    );
    assert_eq!(slots.take(flying(3), Duration::from_secs(3)), None);
    assert_eq!((shared.get(a), shared.get(b)), (Some(flying(1)), Some(flying(2))));
    shared.release(a);
    let c = slots.take(flying(4), Duration::from_secs(4)).unwrap();
    assert_eq!((shared.get(c), shared.get(99)), (Some(flying(4)), None));
    let oldest = || shared.oldest_sent(&|_| Duration::ZERO);
    assert_eq!((oldest(), shared.sent(b)), (Some(Duration::from_secs(2)), Duration::from_secs(2)));
    let more_time = |number| Duration::from_secs(if number == 11 { 9 } else { 1 });
    assert_eq!(shared.oldest_sent(&more_time), Some(Duration::from_secs(5)));
    assert!(shared.letters().is_empty());
    shared.becomes_letter(b);
    assert_eq!((oldest(), shared.order(c)), (Some(Duration::from_secs(4)), 3));
    assert_eq!(shared.letters(), [11]);
    assert!(!slots.all_back());
    shared.release(b);
    slots.put_back(c);
    assert!(slots.all_back());
    assert_eq!((oldest(), shared.letters().len()), (None, 0));
}

#[test]
fn a_waiting_sender_is_woken_by_an_answer() {
    let shared = InFlight::new(1);
    let mut slots = Slots::new(shared.clone());
    let slot = slots.take(flying(1), Duration::from_secs(1)).unwrap();
    let waiting = std::thread::spawn(move || {
        while slots.take(flying(2), Duration::from_secs(2)).is_none() {
            slots.shared.wait_for_room(Duration::from_secs(60));
        }
    });
    while !shared.free().sender_waits {
        std::thread::yield_now();
    }
    shared.release(slot);
    waiting.join().unwrap();
}
