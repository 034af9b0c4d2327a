//! Strategy `event-id`: each event is claimed by its id before delivery, and remembered after it.
//!
//! In: the valid records. Out: the fresh ones, claimed; the others have their verdict on the board. `settle` remembers what was delivered and
//! forgets every other claim.
//! Never: remembers an event as delivered before its verdict says so; lets a record pass an earlier one of its key.

use super::hold_all;
use super::store::{Claim, Claimant, SeenStore};
use crate::board::{Board, reason};
use crate::record::Valid;
use domain::verdict::Verdict;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// What one invocation holds.
pub struct Claims {
    by: Claimant,
    /// Place and id of each.
    held: Vec<(usize, String)>,
}

/// Settles duplicates, twins and what must wait on the board, and claims the rest for so long.
pub async fn claim<'a>(
    store: &dyn SeenStore,
    valid: Vec<Valid<'a>>,
    span: Duration,
    board: &mut Board,
) -> (Vec<Valid<'a>>, Claims) {
    let by = Claimant(rand::random());
    let originals = set_twins_aside(valid, board);
    let ids: Vec<&str> = originals.iter().map(|record| record.id.as_ref()).collect();
    match store.claim(&ids, by, span).await {
        Ok(answers) if answers.len() == originals.len() => sort_out(originals, &answers, by, board),
        Ok(answers) => {
            hold_all(&originals, &short(answers.len(), originals.len()), board);
            (Vec::new(), Claims { by, held: Vec::new() })
        }
        Err(failure) => {
            // Some may be ours by now, and would keep the next attempt waiting.
            let _ = store.settle(&[], &ids, by).await;
            hold_all(&originals, &failure.to_string(), board);
            (Vec::new(), Claims { by, held: Vec::new() })
        }
    }
}

/// To be called once the board is final.
pub async fn settle(store: &dyn SeenStore, claims: &Claims, board: &Board) {
    let (mut delivered, mut released) = (Vec::new(), Vec::new());
    for (place, id) in &claims.held {
        let side = if board.is_delivered(*place) { &mut delivered } else { &mut released };
        side.push(id.as_str());
    }
    if let Err(failure) = store.settle(&delivered, &released, claims.by).await {
        // Only a repeat is at stake: the records are delivered, and a later repeat of them would be delivered again.
        tracing::warn!(error = %failure, events = delivered.len(), "delivered events could not be remembered");
    }
}

fn short(answers: usize, asked: usize) -> String {
    format!("the dedupe store gave {answers} answers to {asked} questions")
}

/// The same event twice in one request: the later one shares the fate of the earlier.
fn set_twins_aside<'a>(valid: Vec<Valid<'a>>, board: &mut Board) -> Vec<Valid<'a>> {
    let mut first: HashMap<String, usize> = HashMap::with_capacity(valid.len());
    let mut originals = Vec::with_capacity(valid.len());
    for record in valid {
        match first.get(record.id.as_ref()) {
            Some(earlier) => board.twin(record.place, *earlier),
            None => {
                first.insert(record.id.to_string(), record.place);
                originals.push(record);
            }
        }
    }
    originals
}

fn sort_out<'a>(
    originals: Vec<Valid<'a>>,
    answers: &[Claim],
    by: Claimant,
    board: &mut Board,
) -> (Vec<Valid<'a>>, Claims) {
    let mut waiting: HashSet<Vec<u8>> = HashSet::new();
    let (mut fresh, mut held) = (Vec::with_capacity(originals.len()), Vec::with_capacity(originals.len()));
    for (record, answer) in originals.into_iter().zip(answers) {
        match answer {
            Claim::Delivered => board.settle(record.place, Verdict::Duplicate),
            Claim::Taken => {
                board.retry(record.place, reason::CLAIMED, "another invocation has claimed this event");
                waiting.insert(record.key);
            }
            Claim::Fresh => {
                held.push((record.place, record.id.to_string()));
                if waiting.contains(&record.key) {
                    board.retry(
                        record.place,
                        reason::BEHIND_EARLIER,
                        "an earlier event of this key is claimed elsewhere",
                    );
                } else {
                    fresh.push(record);
                }
            }
        }
    }
    (fresh, Claims { by, held })
}
