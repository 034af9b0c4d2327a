//! Answers of which more becomes a dead letter than the flood guard lets pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::flood::FloodLimits;
use rig::{Answer, Rig, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn guarded(records: usize, in_a_row: u64) -> Rig {
    let mut rig = Rig::flooded(settings(1, records), FloodLimits { in_a_row, ..FloodLimits::default() });
    rig.assign(&[0]);
    rig
}

fn letters(rig: &Rig) -> Vec<i64> {
    rig.dead_letters().iter().map(|letter| letter.record.offset.0).collect()
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_rejected_records_stops_at_the_limit_and_the_rest_is_asked_for_again_when_it_is_opened() {
    let mut rig = guarded(500, 100);
    rig.lambda.standing(Some(Answer::Reject((0..500).collect())));
    rig.receive(0, 0..500);
    rig.pass(SECOND * 10).await;
    assert_eq!(letters(&rig), (0..100).collect::<Vec<_>>());
    assert_eq!((rig.commit(), rig.calls().len()), (vec![(0, 100)], 1));
    let why = rig.condition.why().unwrap();
    assert!(why.contains("t/0 is stopped: 100 dead letters in a row and no record was delivered"), "{why}");

    // Nothing is mended: as many again, and no more.
    assert_eq!(rig.open_flood(), 1);
    rig.pass(SECOND * 10).await;
    assert_eq!(letters(&rig), (0..200).collect::<Vec<_>>());
    assert_eq!(rig.sent()[1], (100..500).collect::<Vec<_>>());
    assert_eq!((rig.commit(), rig.calls().len()), (vec![(0, 200)], 2));

    // The function is mended: what waited is delivered.
    rig.lambda.standing(None);
    assert_eq!(rig.open_flood(), 1);
    rig.pass(SECOND * 10).await;
    assert_eq!(rig.sent()[2], (200..500).collect::<Vec<_>>());
    assert_eq!((letters(&rig).len(), rig.commit(), rig.condition.why()), (200, vec![(0, 500)], None));
    assert_eq!(rig.meters.delivered.get(), 300);
}

#[tokio::test(start_paused = true)]
async fn letters_with_delivered_records_between_them_are_no_row() {
    let mut rig = guarded(100, 3);
    // Two of three.
    rig.lambda.standing(Some(Answer::Reject((0..300).filter(|offset| offset % 3 != 0).collect())));
    rig.receive(0, 0..300);
    rig.pass(SECOND * 10).await;
    assert_eq!((letters(&rig).len(), rig.commit(), rig.condition.why()), (200, vec![(0, 300)], None));
}

#[tokio::test(start_paused = true)]
async fn what_may_not_enter_a_request_stops_at_the_limit_too_and_waits_beside_what_must_come_again() {
    let mut rig = guarded(12, 3);
    rig.lambda.script([Answer::Reject((0..12).collect()), Answer::Retry(vec![10])]);
    for offset in 0..12 {
        let value: &[u8] = if offset % 2 == 0 { b"{}" } else { b"{\"broken" };
        rig.receive_value(0, offset, Some(value));
    }
    rig.pass(SECOND * 10).await;
    assert_eq!((letters(&rig), rig.commit()), (vec![0, 1, 2], vec![(0, 3)]));
    // 4, 6 and 8 are taken now, 10 comes again, and between the others something was delivered.
    assert_eq!(rig.open_flood(), 1);
    rig.pass(SECOND * 10).await;
    assert_eq!(rig.sent(), [vec![0, 2, 4, 6, 8, 10], vec![4, 6, 8, 10], vec![10]]);
    assert_eq!(
        (letters(&rig), rig.commit(), rig.condition.why()),
        (vec![0, 1, 2, 3, 5, 7, 9, 11], vec![(0, 12)], None)
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_but_broken_values_is_set_aside_by_as_many_as_the_limit_says() {
    let mut rig = guarded(8, 3);
    (0..8).for_each(|offset| rig.receive_value(0, offset, Some(b"{\"broken")));
    for most in [3, 6] {
        rig.pass(SECOND * 10).await;
        assert_eq!((letters(&rig).len(), rig.commit()), (most, vec![(0, most as i64)]));
        assert_eq!(rig.open_flood(), 1);
    }
    rig.pass(SECOND * 10).await;
    assert_eq!((letters(&rig).len(), rig.commit(), rig.condition.why()), (8, vec![(0, 8)], None));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_rest_can_be_given_away() {
    let mut rig = Rig::flooded(settings(1, 8), FloodLimits { in_a_row: 3, ..FloodLimits::default() });
    let held = rig.assign(&[0]);
    rig.script([Answer::Reject((0..8).collect())]);
    rig.receive(0, 0..8);
    rig.pass(SECOND).await;
    let (ticket, _) = rig.revoke(&[0]);
    rig.pass(SECOND / 10).await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!((rig.give_back(&held), rig.condition.why()), (vec![(0, 3)], None));
}
