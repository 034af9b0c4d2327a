//! The strategy around a store: what is fresh, what shares a fate, what must wait.

use super::{Claim, Claimant, Claimed, Dedupe, MemoryStore, SeenStore, StoreFailure};
use crate::board::{Board, reason, retry};
use crate::record::{Head, Valid};
use crate::together::BoxFuture;
use domain::offset::Offset;
use domain::verdict::Verdict;
use std::time::Duration;

fn valid(place: usize, id: &'static str, key: &str) -> Valid<'static> {
    Valid { place, offset: Offset(0), id: id.into(), codigo: 1, key: key.into(), value: "{}" }
}

fn memory() -> Dedupe {
    Dedupe::EventId { store: Box::new(MemoryStore::new(100)), claim: Duration::from_secs(60) }
}

const HEAD: Head<'_> =
    Head { batch_id: "t/0/0-9", topic: "t", partition: 0, attempt: 1, traceparent: None, lane: None };

async fn claim<'a>(dedupe: &Dedupe, valid: Vec<Valid<'a>>, board: &mut Board) -> Claimed<'a> {
    dedupe.claim(valid, &HEAD, Duration::from_secs(5), board).await
}

async fn settle(dedupe: &Dedupe, claimed: &Claimed<'_>, board: &Board) {
    dedupe.settle(claimed, &HEAD, &[], board).await;
}

fn places(fresh: &[Valid<'_>]) -> Vec<usize> {
    fresh.iter().map(|record| record.place).collect()
}

#[tokio::test]
async fn only_what_was_delivered_is_a_duplicate_the_next_time() {
    let dedupe = memory();
    let mut board = Board::new(2);
    let claimed = claim(&dedupe, vec![valid(0, "a", "k"), valid(1, "b", "k")], &mut board).await;
    assert_eq!(places(&claimed.fresh), [0, 1]);
    board.settle(0, Verdict::Delivered);
    board.retry(1, "transient", "down");
    settle(&dedupe, &claimed, &board).await;

    let mut board = Board::new(2);
    let again = claim(&dedupe, vec![valid(0, "a", "k"), valid(1, "b", "k")], &mut board).await;
    assert_eq!(places(&again.fresh), [1]);
    assert_eq!(board.verdicts("x")[0], Verdict::Duplicate);
}

#[tokio::test]
async fn twins_of_one_request_share_a_fate() {
    let dedupe = memory();
    let mut board = Board::new(3);
    let records = vec![valid(0, "a", "k"), valid(1, "a", "k"), valid(2, "b", "k")];
    let claimed = claim(&dedupe, records, &mut board).await;
    assert_eq!(places(&claimed.fresh), [0, 2]);
    board.settle(0, Verdict::Delivered);
    assert_eq!(board.verdicts("x")[..2], [Verdict::Delivered, Verdict::Duplicate]);
}

#[tokio::test]
async fn nothing_overtakes_an_event_that_another_invocation_holds() {
    let dedupe = memory();
    let mut first = Board::new(1);
    let running = claim(&dedupe, vec![valid(0, "a", "k")], &mut first).await;

    let mut board = Board::new(3);
    let records = vec![valid(0, "a", "k"), valid(1, "b", "k"), valid(2, "c", "other")];
    let claimed = claim(&dedupe, records, &mut board).await;
    assert_eq!(places(&claimed.fresh), [2]);
    let reasons: Vec<Verdict> = board.verdicts("open");
    assert!(matches!(&reasons[0], Verdict::Retry { reason, .. } if reason == reason::CLAIMED));
    assert!(matches!(&reasons[1], Verdict::Retry { reason, .. } if reason == reason::BEHIND_EARLIER));
    settle(&dedupe, &claimed, &board).await;
    first.settle(0, Verdict::Delivered);
    settle(&dedupe, &running, &first).await;

    let mut board = Board::new(2);
    let again = claim(&dedupe, vec![valid(0, "a", "k"), valid(1, "b", "k")], &mut board).await;
    assert_eq!(places(&again.fresh), [1], "b was released, a is delivered");
}

struct Broken {
    answers: Result<Vec<Claim>, StoreFailure>,
}

impl SeenStore for Broken {
    fn claim<'a>(
        &'a self,
        _: &'a [&'a str],
        _: Claimant,
        _: Duration,
    ) -> BoxFuture<'a, Result<Vec<Claim>, StoreFailure>> {
        Box::pin(std::future::ready(self.answers.clone()))
    }

    fn settle<'a>(
        &'a self,
        _: &'a [&'a str],
        _: &'a [&'a str],
        _: Claimant,
    ) -> BoxFuture<'a, Result<(), StoreFailure>> {
        Box::pin(std::future::ready(Err(StoreFailure("gone".into()))))
    }
}

#[tokio::test]
async fn without_its_store_everything_comes_again() {
    for answers in [Err(StoreFailure("gone".into())), Ok(vec![])] {
        let dedupe =
            Dedupe::EventId { store: Box::new(Broken { answers: answers.clone() }), claim: Duration::from_secs(60) };
        let mut board = Board::new(1);
        let claimed = claim(&dedupe, vec![valid(0, "a", "k")], &mut board).await;
        assert!(claimed.fresh.is_empty());
        let why = match answers {
            Err(failure) => failure.to_string(),
            Ok(_) => "the dedupe store gave 0 answers to 1 questions".to_owned(),
        };
        assert_eq!(board.verdicts("x"), [retry(reason::DEDUPE_STORE, &why)]);
        settle(&dedupe, &claimed, &board).await;
    }
}
