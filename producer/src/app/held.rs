//! The end of a run whose flow is held by a disk that hangs: said what became of every event, without the flow.

use super::finish::Ended;
use crate::answers::Answers;
use crate::parcel::Parcels;
use crate::pipeline::{End, Flown};
use crate::send::Books;
use crate::source::Ingest;
use crate::ticket::Ticket;
use runtime::exit::Failure;
use std::time::Duration;

/// So long the report and all that is written with it may take: they may lie on the same disk.
const LAST_RESORT: Duration = Duration::from_secs(10);

/// Ends the process also when the disk holds the end as well.
pub fn end_anyway(why: &str) {
    tracing::error!(why, "the flow is left behind: its books and the ledger are lost, what the spool holds is safe");
    let spawned = std::thread::Builder::new().name("last-resort".into()).spawn(last_resort);
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread that ends the process in any case");
    }
}

#[allow(clippy::disallowed_methods, reason = "a thread that a disk holds leaves no other way to end")]
fn last_resort() {
    std::thread::sleep(LAST_RESORT);
    tracing::error!("the report could not be written in time: ending the process");
    std::process::exit(1);
}

const WHY: &str = "a disk does not answer";

/// What can be known of the flow. What is neither in Kafka nor in the spool, as far as is known, counts as failed.
pub fn flown(answers: &Answers) -> Flown {
    (answers.in_spool()..answers.tally.unanswered()).for_each(|_| answers.lost_sight(WHY, Ticket::NONE));
    let source = Box::new(Ingest::new(Parcels::default(), Duration::ZERO));
    let elapsed = answers.elapsed().unwrap_or_default();
    Flown { end: End::Stopped, source, books: Books::default(), elapsed }
}

/// Good when Kafka, the spool or a dead letter has every event.
///
/// # Errors
/// The sentence about those that may be nowhere.
pub fn verdict(why: &str, ended: &Ended) -> Result<(), Failure> {
    let (failed, offered) = (ended.report.failed, ended.report.offered);
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "{why}: {failed} of {offered} events are neither in Kafka nor known to be on a disk, check the disks under spool.dir and dead_letter.file"
    )))
}
