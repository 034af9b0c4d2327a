//! Records that keep their place although the function fails at them, because it fails at everything else too.

use crate::assignment::TopicPartition;
use crate::condition::{Condition, Part};
use domain::offset::Offset;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// What the complaints of holds are about, so that they do not take those of dead letters with them.
const ABOUT: &str = "held";

/// All records that are held; clones are the same ones.
#[derive(Clone)]
pub(super) struct Holds {
    held: Arc<Mutex<Held>>,
    condition: Condition,
}

#[derive(Default)]
struct Held {
    next: u64,
    /// Why, by the number of the hold.
    holds: BTreeMap<u64, (TopicPartition, String)>,
}

/// One record that is held; dropping it lets the record go.
pub struct Hold {
    all: Holds,
    number: u64,
    opened: watch::Receiver<()>,
}

impl Holds {
    pub(super) fn new(condition: Condition) -> Self {
        Self { held: Arc::default(), condition }
    }

    pub(super) fn begin(
        &self,
        at: &TopicPartition,
        offset: Offset,
        function: &str,
        opened: watch::Receiver<()>,
    ) -> Hold {
        let why = format!("function {function} fails at offset {offset} alone, and nothing shows that it takes others");
        tracing::error!(
            topic = &*at.topic,
            partition = at.partition,
            offset = offset.0,
            function,
            "the function fails at the record, and nothing shows that it takes others: the partition is stopped with its offsets intact"
        );
        let mut held = self.held();
        let number = held.next;
        held.next += 1;
        held.holds.insert(number, (at.clone(), why));
        self.show(&held);
        Hold { all: self.clone(), number, opened }
    }

    /// The partitions with a record that is held, and why: of several the first.
    pub(super) fn all(&self) -> BTreeMap<TopicPartition, String> {
        by_partition(&self.held())
    }

    fn show(&self, held: &Held) {
        let each = |(at, why): (TopicPartition, String)| format!("{at} is stopped: {why}");
        let stopped: Vec<String> = by_partition(held).into_iter().map(each).collect();
        if stopped.is_empty() {
            self.condition.clear_about(Part::Flood, ABOUT);
        } else {
            let why = format!(
                "{}; it goes on when the function takes the record or others, and somebody can open it",
                stopped.join("; ")
            );
            self.condition.complain_about(Part::Flood, ABOUT, why);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_partition(held: &Held) -> BTreeMap<TopicPartition, String> {
    // Of several the first, which is inserted last.
    held.holds.values().rev().cloned().collect()
}

impl Hold {
    /// Comes back when somebody has opened the partition since this began. May be dropped at any time.
    pub async fn opened(&mut self) {
        if self.opened.changed().await.is_err() {
            // Nobody is left who could.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.all.held();
        held.holds.remove(&self.number);
        self.all.show(&held);
    }
}
