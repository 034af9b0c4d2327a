//! The one conversion from a finished record to what may be committed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::offset::Offset;
use proptest::prelude::*;

proptest! {
    #[test]
    fn what_is_committed_is_one_past_the_last_finished(offset in 0..i64::MAX) {
        let next = Offset(offset).next();
        prop_assert_eq!(next.0 - 1, offset);
        prop_assert_eq!(next.to_string(), (offset + 1).to_string());
    }

    #[test]
    fn the_order_of_records_is_the_order_of_commits(a in 0..i64::MAX, b in 0..i64::MAX) {
        prop_assert_eq!(Offset(a).cmp(&Offset(b)), Offset(a).next().cmp(&Offset(b).next()));
    }
}
