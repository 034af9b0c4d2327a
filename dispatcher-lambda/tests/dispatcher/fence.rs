//! Strategy `offsets`: what is finished is a duplicate, and each rule that keeps a fence from losing something.

use crate::requests::{event, judged, listed};
use crate::scripted::{Act, Scripted, Taken, with_dedupe};
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dedupe::{Dedupe, FenceStore, MemoryStore, StoreFailure};
use dispatcher_lambda::dispatcher::Dispatcher;
use dispatcher_lambda::record::Need;
use dispatcher_lambda::together::BoxFuture;
use domain::contract::{BatchHead, Judgement, OpenBatch, Push};
use domain::failure::FailureClass::{Rejected, Transient};
use domain::offset::Offset;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

fn fenced(script: Vec<Act>) -> (Dispatcher, Taken) {
    with_store(script, Box::new(MemoryStore::new(10)))
}

fn with_store(script: Vec<Act>, store: Box<dyn FenceStore>) -> (Dispatcher, Taken) {
    let (destination, taken) = Scripted::new(script, Act::Take, 100);
    (with_dedupe(vec![(Box::new(destination), Need::Required)], 1, Dedupe::Offsets { store }), taken)
}

fn head() -> BatchHead {
    let (group, topic, log) = ("cg".into(), "mt-c300".into(), Some("topic-1".into()));
    BatchHead { group, topic, partition: 3, lane: 0, lanes: 1, epoch: 0, log, since: Some(Offset(100)) }
}

/// Events of as many trucks at these offsets.
async fn bring(dispatcher: &Dispatcher, head: BatchHead, offsets: Range<i64>) -> Judgement {
    let mut batch = OpenBatch::new(head, usize::MAX);
    for offset in offsets {
        let value = event(&format!("BR{offset:05}"), 1);
        assert_eq!(batch.push(Offset(offset), 1_763_701_200_123, value.as_bytes()), Push::Taken);
    }
    let deadline = Deadline::after(Duration::from_secs(5));
    let response = dispatcher.dispatch(&batch.request(1, None), deadline).await.unwrap();
    judged(&batch, &response)
}

fn counts(judgement: &Judgement) -> (u64, u64) {
    (judgement.delivered, judgement.duplicates)
}

#[tokio::test]
async fn what_is_finished_is_a_duplicate_however_it_is_cut() {
    let (dispatcher, taken) = fenced(vec![]);
    assert_eq!(counts(&bring(&dispatcher, head(), 100..150).await), (50, 0));
    assert_eq!(counts(&bring(&dispatcher, head(), 150..200).await), (50, 0));
    assert_eq!(counts(&bring(&dispatcher, head(), 120..170).await), (0, 50));
    assert_eq!(counts(&bring(&dispatcher, head(), 190..210).await), (10, 10));
    assert_eq!(taken.values().len(), 110);
}

#[tokio::test]
async fn what_must_come_again_is_not_passed() {
    let (dispatcher, taken) = fenced(vec![Act::Part(vec![2, 4], Transient)]);
    let first = bring(&dispatcher, head(), 100..106).await;
    assert_eq!(listed(&first.retry), ["102:transient", "104:transient"]);
    // Another instance reads from the committed offset; what was delivered behind the first open record comes twice.
    assert_eq!(counts(&bring(&dispatcher, head(), 100..106).await), (4, 2));
    assert_eq!(taken.values().len(), 8);
    assert_eq!(counts(&bring(&dispatcher, head(), 100..106).await), (0, 6));
}

#[tokio::test]
async fn a_rejected_record_is_not_passed_before_its_dead_letter_can_be_there() {
    let (dispatcher, _) = fenced(vec![Act::Part(vec![1], Rejected), Act::Part(vec![0], Rejected)]);
    assert_eq!(listed(&bring(&dispatcher, head(), 100..103).await.rejected), ["101:rejected"]);
    // The consumer was killed before it wrote the letter.
    assert_eq!(listed(&bring(&dispatcher, head(), 100..103).await.rejected), ["101:rejected"]);
    // The next batch comes only when the letter is written.
    bring(&dispatcher, head(), 103..104).await;
    assert_eq!(counts(&bring(&dispatcher, head(), 100..104).await), (0, 4));
}

#[tokio::test]
async fn another_log_group_epoch_number_of_lanes_or_lane_has_its_own_fence() {
    let others: [fn(&mut BatchHead); 6] = [
        |head| head.log = Some("topic-2".into()),
        |head| head.group = "other".into(),
        |head| head.epoch = 1,
        |head| head.lanes = 2,
        |head| (head.lane, head.lanes) = (1, 2),
        |head| head.partition = 4,
    ];
    let (dispatcher, taken) = fenced(vec![]);
    bring(&dispatcher, head(), 100..110).await;
    for change in others {
        let mut other = head();
        change(&mut other);
        assert_eq!(counts(&bring(&dispatcher, other.clone(), 100..110).await), (10, 0), "{other:?}");
        assert_eq!(counts(&bring(&dispatcher, other, 100..110).await), (0, 10));
    }
    assert_eq!(taken.values().len(), 70);
}

#[tokio::test]
async fn offsets_that_were_skipped_are_delivered_when_they_are_read_after_all() {
    let (dispatcher, _) = fenced(vec![]);
    bring(&dispatcher, head(), 100..110).await;
    let since = |offset| BatchHead { since: Some(Offset(offset)), ..head() };
    bring(&dispatcher, since(500), 500..510).await;
    assert_eq!(counts(&bring(&dispatcher, since(110), 110..120).await), (10, 0));
}

#[tokio::test]
async fn a_log_that_was_cut_leaves_no_fence_behind() {
    let (dispatcher, taken) = fenced(vec![]);
    bring(&dispatcher, head(), 100..110).await;
    let cut = BatchHead { log: None, ..head() };
    assert_eq!(counts(&bring(&dispatcher, cut.clone(), 105..107).await), (2, 0), "others at the same offsets");
    assert_eq!(counts(&bring(&dispatcher, cut, 107..108).await), (1, 0));
    // The next owner knows the topic again.
    let next = BatchHead { since: Some(Offset(105)), ..head() };
    assert_eq!(counts(&bring(&dispatcher, next, 105..110).await), (5, 0));
    assert_eq!(taken.values().len(), 18);
}

/// Somebody else always writes between our reading and our writing.
struct Contested(Arc<MemoryStore>);

impl FenceStore for Contested {
    fn read<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFailure>> {
        self.0.read(name)
    }

    fn swap<'a>(
        &'a self,
        name: &'a str,
        before: Option<&'a str>,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StoreFailure>> {
        Box::pin(async move {
            self.0.swap(name, before, Some("{\"log\":\"topic-9\",\"from\":0,\"next\":5}")).await?;
            self.0.swap(name, before, after).await
        })
    }
}

#[tokio::test]
async fn a_fence_that_another_invocation_moved_meanwhile_is_left_as_it_is() {
    let store = Arc::new(MemoryStore::new(10));
    let (dispatcher, _) = with_store(vec![], Box::new(Contested(store)));
    assert_eq!(counts(&bring(&dispatcher, head(), 100..110).await), (10, 0));
    assert_eq!(counts(&bring(&dispatcher, head(), 100..110).await), (10, 0), "repeats, and nothing else");
    let cut = BatchHead { log: None, ..head() };
    let held = bring(&dispatcher, cut, 100..101).await;
    assert_eq!(listed(&held.retry), ["100:dedupe-store"], "what stands there may be of the log that was cut");
}

/// Answers in its own time, which is none.
struct Silent;

impl FenceStore for Silent {
    fn read<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFailure>> {
        Box::pin(std::future::pending())
    }

    fn swap<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a str>,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StoreFailure>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_costs_no_verdict() {
    let (dispatcher, taken) = with_store(vec![], Box::new(Silent));
    let begun = tokio::time::Instant::now();
    let held = bring(&dispatcher, head(), 100..102).await;
    assert_eq!(listed(&held.retry), ["100:deadline", "101:deadline"]);
    assert!(begun.elapsed() <= Duration::from_secs(5) && taken.values().is_empty());
}

struct Gone;

impl FenceStore for Gone {
    fn read<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFailure>> {
        Box::pin(async { Err(StoreFailure("gone".into())) })
    }

    fn swap<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a str>,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StoreFailure>> {
        Box::pin(async { Err(StoreFailure("gone".into())) })
    }
}

#[tokio::test]
async fn without_its_store_everything_comes_again_and_nothing_is_delivered() {
    let (dispatcher, taken) = with_store(vec![], Box::new(Gone));
    let held = bring(&dispatcher, head(), 100..102).await;
    assert_eq!(listed(&held.retry), ["100:dedupe-store", "101:dedupe-store"]);
    assert!(taken.values().is_empty());
}
