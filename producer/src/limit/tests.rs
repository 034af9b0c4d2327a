//! The limiter on a clock turned by hand: never more than allowed, never less than possible.

use super::{Admission, LimitControl, Limiter, Limits};
use runtime::clock::{Clock, ManualClock};
use runtime::config::Size;
use std::sync::Arc;
use std::time::Duration;

/// Sends chunks of 200-byte events as fast as the limiter lets them; events per whole second.
fn run(limiter: &mut Limiter, clock: &ManualClock, seconds: u64) -> Vec<u64> {
    let start = clock.now();
    let mut counts = vec![0; seconds as usize];
    loop {
        let events = limiter.room().events.min(limiter.room().bytes.div_ceil(200));
        let mut ask = limiter.ask(events, events * 200);
        while let Some(wait) = limiter.pay(&mut ask) {
            clock.advance(wait.max(Duration::from_nanos(1)));
        }
        let second = (clock.now() - start).as_secs() as usize;
        match counts.get_mut(second) {
            Some(count) => *count += events as u64,
            None => return counts,
        }
    }
}

fn limiter(limits: Limits) -> (Limiter, LimitControl, ManualClock) {
    let clock = ManualClock::starting_at(0);
    let control = LimitControl::new(limits);
    (Limiter::new(control.clone(), Arc::new(clock.clone())), control, clock)
}

#[test]
fn every_second_holds_the_rate_even_the_first() {
    for rate in [1.0, 7.0, 500.0, 13_000.0, 300_000.0] {
        let limits = Limits { events_per_second: rate, ..Limits::default() };
        let (mut limiter, _, clock) = limiter(limits);
        for count in run(&mut limiter, &clock, 4) {
            let error = (count as f64 - rate).abs();
            assert!(error <= (rate * 0.011).max(1.0), "{count} events in a second at {rate}");
        }
    }
}

#[test]
fn bytes_are_limited_over_small_events_too() {
    for rate in [10_000, 2_600_000, 100_000_000, 600_000_000] {
        let limits = Limits { bytes_per_second: Size::from_bytes(rate), ..Limits::default() };
        let (mut limiter, _, clock) = limiter(limits);
        let bytes: u64 = run(&mut limiter, &clock, 5).iter().map(|events| events * 200).sum();
        let share = bytes as f64 / (5 * rate) as f64;
        assert!((0.97..1.03).contains(&share), "{share} of {rate} bytes/s");
    }
}

#[test]
fn the_tighter_limit_wins() {
    let limits = Limits { events_per_second: 1_000.0, bytes_per_second: Size::from_bytes(100_000) };
    let (mut limiter, _, clock) = limiter(limits);
    let events: u64 = run(&mut limiter, &clock, 5).iter().sum();
    assert!((2_400..2_600).contains(&events), "{events} events of 200 bytes in 5 s at 100 kB/s");
}

#[test]
fn limits_change_while_a_chunk_waits() {
    let (mut limiter, control, clock) = limiter(Limits { events_per_second: 0.1, ..Limits::default() });
    let mut ask = limiter.ask(3, 600);
    assert!(limiter.pay(&mut ask).is_some_and(|wait| wait > Duration::from_secs(9)));
    control.set(Limits::default());
    assert_eq!(limiter.pay(&mut ask), None);
    control.set(Limits { events_per_second: 100.0, ..Limits::default() });
    assert!(run(&mut limiter, &clock, 2).iter().all(|count| (99..=102).contains(count)));
}

#[test]
fn a_rate_that_cannot_be_kept_is_refused() {
    let events = |events_per_second| Limits { events_per_second, ..Limits::default() };
    let bytes = |bytes| Limits { bytes_per_second: Size::from_bytes(bytes), ..Limits::default() };
    assert!([events(0.0), events(0.1), bytes(1024)].iter().all(|limits| limits.validate().is_ok()));
    assert_eq!(events(-1.0).validate().map_err(|(name, _)| name), Err("events_per_second"));
    assert_eq!(events(f64::NAN).validate().map_err(|(name, _)| name), Err("events_per_second"));
    assert_eq!(bytes(10).validate().map_err(|(name, _)| name), Err("bytes_per_second"));
}

/// Requests of `size` events of 200 bytes as fast as they are let in; events in `seconds`.
fn let_in(admission: &Admission, clock: &ManualClock, size: usize, seconds: u64) -> usize {
    let (end, mut events) = (clock.now() + Duration::from_secs(seconds), 0);
    while clock.now() < end {
        match admission.admit(size, size * 200) {
            Ok(()) => events += size,
            Err(wait) => clock.advance(wait.max(Duration::from_nanos(1))),
        }
    }
    events
}

fn admission(limits: Limits) -> (Admission, LimitControl, ManualClock) {
    let clock = ManualClock::starting_at(0);
    let control = LimitControl::new(limits);
    (Admission::new(control.clone(), Arc::new(clock.clone())), control, clock)
}

#[test]
fn admission_keeps_the_rate_for_requests_of_any_size() {
    for size in [1, 7, 100, 999, 5_000] {
        let (events, _, clock) = admission(Limits { events_per_second: 1_000.0, ..Limits::default() });
        let let_in = let_in(&events, &clock, size, 60);
        assert!((59_900..=61_000 + size).contains(&let_in), "{let_in} events in requests of {size}");
        let (bytes, _, clock) = admission(Limits { bytes_per_second: Size::from_bytes(200_000), ..Limits::default() });
        let let_in = self::let_in(&bytes, &clock, size, 60);
        assert!((59_900..=61_000 + size).contains(&let_in), "{let_in} events by bytes in requests of {size}");
    }
}

#[test]
fn a_large_request_passes_an_idle_limit_and_the_time_it_costs_is_told() {
    let (admission, control, clock) = admission(Limits { events_per_second: 100.0, ..Limits::default() });
    assert_eq!(admission.admit(0, 0), Ok(()));
    assert_eq!(admission.admit(1_000, 0), Ok(()));
    let wait = admission.admit(1, 0).unwrap_err();
    assert!((8.9..=10.1).contains(&wait.as_secs_f64()), "{wait:?}");
    assert!(admission.admit(0, 0).is_err());
    control.set(Limits { events_per_second: 1_000.0, ..Limits::default() });
    let faster = admission.admit(1, 0).unwrap_err();
    assert!((0.9..=1.1).contains(&faster.as_secs_f64()), "{faster:?}");
    clock.advance(faster);
    assert_eq!(admission.admit(1, 0), Ok(()));
    assert_eq!(admission.admit(1_000, 0), Err(Duration::from_millis(1)));
    control.set(Limits::default());
    assert_eq!((admission.admit(1_000_000, 1 << 30), admission.admit(1, 0)), (Ok(()), Ok(())));
}
