//! Verdicts are per record: what is wrong with one costs the others nothing.

use crate::requests::{batch, event, judged, listed};
use crate::scripted::{Act, Scripted, dispatcher, with_script, with_versions};
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::record::Need;
use domain::event::Versions;
use domain::failure::FailureClass::{Ours, Rejected, Transient};
use std::time::Duration;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

#[tokio::test(start_paused = true)]
async fn bad_values_are_rejected_and_the_others_delivered() {
    let (dispatcher, taken) = with_script(vec![], Act::Take, 1);
    let values = [
        event("BR00001", 1),
        "[]".to_owned(),
        event("BR00001", 2).replace("\"v\":1", "\"v\":7"),
        event("BR00002", 1).replace("82.4", "999"),
        event("BR00002", 2),
        "null".to_owned(),
    ];
    let batch = batch(&values);
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    let judgement = judged(&batch, &response);
    assert_eq!(judgement.delivered, 2);
    assert_eq!(listed(&judgement.rejected), ["101:schema", "102:version", "103:schema", "105:schema"]);
    assert_eq!(taken.values(), [values[0].clone(), values[4].clone()]);
}

/// The way of a migration: dispatchers of version 1, of both, of version 2.
#[tokio::test(start_paused = true)]
async fn a_batch_of_both_versions_is_judged_by_what_is_known() {
    let second = event("BR00001", 2).replace("\"v\":1", "\"v\":2");
    let electric = second.replace("\"fuel\":61.2", "\"battery\":80.5");
    let values = [
        event("BR00001", 1),
        second,
        electric.clone(),
        electric.replace("\"v\":2", "\"v\":1"),
        electric.replace("80.5", "180.5"),
        electric.replace("\"v\":2", "\"v\":3"),
    ];
    let cases: [(Versions, &[usize], &[&str]); 3] = [
        (Versions::V1, &[0], &["101:version", "102:version", "103:schema", "104:version", "105:version"]),
        (Versions::Both, &[0, 1, 2], &["103:schema", "104:schema", "105:version"]),
        (Versions::V2, &[1, 2], &["100:version", "103:version", "104:schema", "105:version"]),
    ];
    let batch = batch(&values);
    for (versions, delivered, rejected) in cases {
        let (dispatcher, taken) = with_versions(versions);
        let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
        assert_eq!(listed(&judged(&batch, &response).rejected), rejected, "{versions}");
        let delivered: Vec<_> = delivered.iter().map(|place| values[*place].clone()).collect();
        assert_eq!(taken.values(), delivered, "{versions}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeat_is_a_duplicate_also_within_one_request() {
    let (dispatcher, taken) = with_script(vec![], Act::Take, 1);
    let values = [event("BR00001", 1), event("BR00001", 2), event("BR00001", 1)];
    let batch = batch(&values);
    let first = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    assert_eq!((first.delivered, first.duplicates), (2, 1));
    let second = dispatcher.dispatch(&batch.request(2, None), soon()).await.unwrap();
    assert_eq!((second.delivered, second.duplicates), (0, 3));
    judged(&batch, &second);
    assert_eq!(taken.values().len(), 2);
    let counts = dispatcher.metrics().snapshot();
    assert_eq!((counts.delivered, counts.duplicates), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_delivered_is_never_remembered_as_delivered() {
    for failure in [Act::Fail(Transient), Act::Fail(Ours), Act::Panic, Act::Hang] {
        let (dispatcher, taken) = with_script(vec![failure.clone()], Act::Take, 1);
        let batch = batch(&[event("BR00001", 1), event("BR00001", 1)]);
        let down = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
        assert_eq!(judged(&batch, &down).retry.len(), 2, "{failure:?}");
        let up = dispatcher.dispatch(&batch.request(2, None), soon()).await.unwrap();
        assert_eq!((up.delivered, up.duplicates), (1, 1), "{failure:?}");
        assert_eq!(taken.values().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_is_rejected_again_when_it_comes_again() {
    let (dispatcher, _) = with_script(vec![], Act::RejectWith("BR00002"), 1);
    let batch = batch(&[event("BR00001", 1), event("BR00002", 1), event("BR00003", 1)]);
    for (attempt, delivered) in [(1, 2), (2, 0)] {
        let response = dispatcher.dispatch(&batch.request(attempt, None), soon()).await.unwrap();
        let judgement = judged(&batch, &response);
        assert_eq!(listed(&judgement.rejected), ["101:rejected"]);
        assert_eq!(judgement.delivered, delivered);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_passes_costs_one_more_attempt() {
    let (dispatcher, taken) = with_script(vec![Act::Fail(Transient), Act::Panic], Act::Take, 3);
    let batch = batch(&[event("BR00001", 1)]);
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    assert_eq!((judged(&batch, &response).delivered, taken.calls()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_destination_is_told_as_a_retry() {
    let (dispatcher, _) = with_script(vec![], Act::Panic, 2);
    let batch = batch(&[event("BR00001", 1), "[]".to_owned()]);
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    let judgement = judged(&batch, &response);
    assert_eq!(listed(&judgement.rejected), ["101:schema"]);
    assert_eq!(judgement.retry[0].detail, "collector: panicked: scripted panic");
}

#[tokio::test(start_paused = true)]
async fn an_optional_destination_changes_no_verdict_and_is_counted() {
    let (good, taken) = Scripted::new(vec![], Act::Take, 10);
    let (bad, _) = Scripted::new(vec![], Act::Fail(Transient), 10);
    let dispatcher = dispatcher(vec![(Box::new(good), Need::Required), (Box::new(bad), Need::Optional)], 5);
    let batch = batch(&[event("BR00001", 1), event("BR00001", 2)]);
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    assert_eq!((judged(&batch, &response).delivered, taken.values().len()), (2, 2));
    assert_eq!(dispatcher.metrics().snapshot().optional_failures, 2);
}

#[tokio::test(start_paused = true)]
async fn every_required_destination_must_hold_an_event() {
    let (one, _) = Scripted::new(vec![], Act::Take, 10);
    let (two, _) = Scripted::new(vec![], Act::Part(vec![1], Rejected), 10);
    let (three, _) = Scripted::new(vec![], Act::Part(vec![2], Transient), 10);
    let all = vec![(one, Need::Required), (two, Need::Required), (three, Need::Required)];
    let dispatcher = dispatcher(all.into_iter().map(|(d, need)| (Box::new(d) as _, need)).collect(), 1);
    let batch = batch(&[event("BR00001", 1), event("BR00002", 1), event("BR00003", 1)]);
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    let judgement = judged(&batch, &response);
    assert_eq!(judgement.delivered, 1);
    assert_eq!(listed(&judgement.rejected), ["101:rejected"]);
    assert_eq!(listed(&judgement.retry), ["102:transient"]);
}
