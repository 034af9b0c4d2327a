//! Nothing overtakes an earlier record of its key on the way to a destination.

use crate::requests::{batch, event, judged, listed};
use crate::scripted::{Act, with_script};
use dispatcher_lambda::deadline::Deadline;
use domain::failure::FailureClass::{Throttled, Transient};
use std::time::Duration;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// Calls hold two records each.
fn six() -> Vec<String> {
    (1..=6).map(|seq| event(if seq % 2 == 0 { "BR00002" } else { "BR00001" }, seq)).collect()
}

#[tokio::test(start_paused = true)]
async fn records_of_one_request_are_delivered_in_their_order() {
    let (dispatcher, taken) = with_script(vec![Act::Take, Act::Fail(Transient), Act::Fail(Throttled)], Act::Take, 5);
    let batch = batch(&six());
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    assert_eq!(judged(&batch, &response).delivered, 6);
    assert_eq!(taken.values(), six());
}

#[tokio::test(start_paused = true)]
async fn behind_a_call_that_failed_for_now_nothing_is_sent() {
    let (dispatcher, taken) = with_script(vec![Act::Take, Act::Fail(Transient), Act::Fail(Transient)], Act::Take, 2);
    let batch = batch(&six());
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    let judgement = judged(&batch, &response);
    assert_eq!(judgement.delivered, 2);
    assert_eq!(listed(&judgement.retry), ["102:transient", "103:transient", "104:transient", "105:transient"]);
    assert_eq!(taken.values(), six()[..2]);

    let again = dispatcher.dispatch(&batch.request(2, None), soon()).await.unwrap();
    assert_eq!((again.delivered, again.duplicates), (4, 2));
    assert_eq!(taken.values(), six());
}

#[tokio::test(start_paused = true)]
async fn one_key_that_must_come_again_holds_back_only_itself() {
    let (dispatcher, taken) = with_script(vec![Act::Part(vec![0], Throttled)], Act::Take, 1);
    let batch = batch(&six());
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    let judgement = judged(&batch, &response);
    assert_eq!(listed(&judgement.retry), ["100:throttled", "102:behind-earlier", "104:behind-earlier"]);
    assert_eq!(taken.values(), [six()[1].clone(), six()[3].clone(), six()[5].clone()]);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_record_holds_back_nobody() {
    let (dispatcher, taken) = with_script(vec![], Act::RejectWith("-300-3\""), 1);
    let batch = batch(&six());
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    let judgement = judged(&batch, &response);
    assert_eq!((judgement.delivered, listed(&judgement.rejected)), (5, vec!["102:rejected".to_owned()]));
    assert_eq!(taken.values().len(), 5);
}
