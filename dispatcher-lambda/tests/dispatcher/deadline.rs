//! The dispatcher answers before its own deadline, whatever the destinations do.

use crate::requests::{batch, event, judged, listed};
use crate::scripted::{Act, Scripted, dispatcher, with_script};
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::record::Need;
use domain::failure::FailureClass::Transient;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn what_hangs_comes_again_and_what_was_done_stays_done() {
    let (dispatcher, _) = with_script(vec![Act::Take], Act::Hang, 3);
    let batch = batch(&[event("BR00001", 1), event("BR00001", 2), event("BR00001", 3), "[]".to_owned()]);
    let start = Instant::now();
    let response = dispatcher.dispatch(&batch.request(1, None), Deadline::after(Duration::from_secs(2))).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    let judgement = judged(&batch, &response);
    assert_eq!(judgement.delivered, 2);
    assert_eq!(
        (listed(&judgement.retry), listed(&judgement.rejected)),
        (vec!["102:deadline".to_owned()], vec!["103:schema".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_hangs_keeps_no_other_from_its_events() {
    let (hangs, _) = Scripted::new(vec![], Act::Hang, 10);
    let (good, taken) = Scripted::new(vec![], Act::Take, 10);
    let dispatcher = dispatcher(vec![(Box::new(hangs), Need::Optional), (Box::new(good), Need::Required)], 3);
    let batch = batch(&[event("BR00001", 1)]);
    let response = dispatcher.dispatch(&batch.request(1, None), Deadline::after(Duration::from_secs(2))).await.unwrap();
    assert_eq!((judged(&batch, &response).delivered, taken.values().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_made_that_would_end_too_late() {
    let (dispatcher, taken) = with_script(vec![], Act::Fail(Transient), 100);
    let batch = batch(&[event("BR00001", 1)]);
    let start = Instant::now();
    let response = dispatcher.dispatch(&batch.request(1, None), Deadline::after(Duration::from_secs(3))).await.unwrap();
    assert!(start.elapsed() <= Duration::from_secs(3));
    assert_eq!(listed(&judged(&batch, &response).retry), ["100:deadline"]);
    assert!(taken.calls() > 3);
}

#[tokio::test(start_paused = true)]
async fn with_no_time_at_all_everything_comes_again() {
    let (dispatcher, taken) = with_script(vec![], Act::Take, 3);
    let batch = batch(&[event("BR00001", 1), "[]".to_owned()]);
    let response = dispatcher.dispatch(&batch.request(1, None), dispatcher.deadline(1_000, 2_000)).await.unwrap();
    let judgement = judged(&batch, &response);
    assert_eq!((listed(&judgement.retry), judgement.rejected.len()), (vec!["100:deadline".to_owned()], 1));
    assert_eq!(taken.calls(), 0);
}
