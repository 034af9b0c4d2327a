//! The waits before attempts: bounded, growing, and never shorter than the server asks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::backoff::Backoff;
use proptest::prelude::*;
use std::time::Duration;

fn backoffs() -> impl Strategy<Value = Backoff> {
    (0_u64..100_000, 0_u64..10_000_000)
        .prop_map(|(base, cap)| Backoff { base: Duration::from_millis(base), cap: Duration::from_millis(cap) })
}

proptest! {
    #[test]
    fn a_wait_lies_between_zero_and_its_ceiling(backoff in backoffs(), failures: u32, unit in -1.0..2.0_f64) {
        prop_assert!(backoff.delay(failures, unit, None) <= backoff.ceiling(failures));
        prop_assert!(backoff.ceiling(failures) <= backoff.cap);
    }

    #[test]
    fn ceilings_never_shrink(backoff in backoffs(), failures in 1_u32..u32::MAX) {
        prop_assert!(backoff.ceiling(failures) <= backoff.ceiling(failures + 1));
    }

    #[test]
    fn the_server_s_wish_is_a_floor(backoff in backoffs(), failures: u32, unit in 0.0..=1.0_f64, wish in 0_u64..1 << 40) {
        let wish = Duration::from_millis(wish);
        prop_assert!(backoff.delay(failures, unit, Some(wish)) >= wish);
    }
}
