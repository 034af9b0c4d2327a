//! Strategy `offsets`: one fence for each lane says up to which offset everything is finished (`domain::fence` has its rules).
//!
//! In: the valid records and where their batch stands. Out: those that the fence does not hold. `settle` moves the fence when the board is final.
//! Never: trusts a fence of another log; moves it over a record that was rejected or must come again.

use super::hold_all;
use super::store::{FenceStore, StoreFailure};
use crate::board::Board;
use crate::record::{Head, Lane, Record, Valid};
use domain::fence::{Fence, Passed};
use domain::offset::Offset;
use domain::verdict::Verdict;

/// What one invocation has read.
pub struct Known {
    name: String,
    /// The store's text, to be replaced by the next.
    text: Option<String>,
    fence: Option<Fence>,
}

/// Settles what is finished already on the board. `None` when the request does not say enough to move a fence.
pub async fn claim<'a>(
    store: &dyn FenceStore,
    valid: Vec<Valid<'a>>,
    head: &Head<'_>,
    board: &mut Board,
) -> (Vec<Valid<'a>>, Option<Known>) {
    let Some(lane) = &head.lane else { return (valid, None) };
    let read = match read(store, name(head, lane)).await {
        Ok(known) => known,
        Err(failure) => {
            hold_all(&valid, &failure.to_string(), board);
            return (Vec::new(), None);
        }
    };
    let Some((log, _)) = lane.log.zip(lane.since) else {
        return forget(store, read, valid, board).await;
    };
    let holds = |offset| read.fence.as_ref().is_some_and(|fence| fence.holds(log, offset));
    let (finished, fresh): (Vec<_>, Vec<_>) = valid.into_iter().partition(|record| holds(record.offset));
    for record in finished {
        board.settle(record.place, Verdict::Duplicate);
    }
    (fresh, Some(read))
}

/// The log was cut, or nobody knows which it is: what stands there may speak of other records.
async fn forget<'a>(
    store: &dyn FenceStore,
    known: Known,
    valid: Vec<Valid<'a>>,
    board: &mut Board,
) -> (Vec<Valid<'a>>, Option<Known>) {
    let Some(text) = &known.text else { return (valid, None) };
    match store.swap(&known.name, Some(text), None).await {
        // Whoever wrote there meanwhile speaks of the same log as the fence that was read.
        Ok(true) => (valid, None),
        Ok(false) => {
            hold_all(&valid, "another invocation moves the fence of this lane", board);
            (Vec::new(), None)
        }
        Err(failure) => {
            hold_all(&valid, &failure.to_string(), board);
            (Vec::new(), None)
        }
    }
}

/// To be called once the board is final: moves the fence over what is finished.
pub async fn settle(store: &dyn FenceStore, known: &Known, head: &Head<'_>, records: &[Record<'_>], board: &Board) {
    let lane = head.lane.as_ref().and_then(|lane| lane.log.zip(lane.since));
    let (Some((log, since)), Some(last)) = (lane, records.last()) else { return };
    let open = records.iter().find(|record| !board.is_finished(record.place));
    let passed = Passed { log, since, open: open.map_or(Offset(last.offset.0 + 1), |record| record.offset) };
    let Some(after) = Fence::after(known.fence.as_ref(), passed) else { return };
    let Ok(text) = serde_json::to_string(&after) else { return };
    match store.swap(&known.name, known.text.as_deref(), Some(&text)).await {
        Ok(true) => {}
        // Only a repeat is at stake in both cases.
        Ok(false) => tracing::debug!(fence = %known.name, "another invocation has moved the fence"),
        Err(failure) => tracing::warn!(error = %failure, fence = %known.name, "the fence could not be moved"),
    }
}

async fn read(store: &dyn FenceStore, name: String) -> Result<Known, StoreFailure> {
    let text = store.read(&name).await?;
    // What nobody can read is replaced by the next batch.
    let fence = text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    Ok(Known { name, text, fence })
}

/// Whose offsets these are. An intended replay raises the epoch, and other numbers of lanes have other records in them.
fn name(head: &Head<'_>, lane: &Lane<'_>) -> String {
    let Lane { group, lane, lanes, epoch, .. } = lane;
    // The group may hold any letter, so it comes last.
    format!("fence/{}/{}/{lane}/{lanes}/{epoch}/{group}", head.topic, head.partition)
}
