//! How owned partitions stand, for whoever asks.

use super::Desk;
use super::seat::Seat;
use crate::assignment::Held;

/// How one owned partition stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub held: Held,
    /// The next offset that Kafka has confirmed in this generation.
    pub committed: Option<i64>,
    /// One past the highest record that was polled in this generation.
    pub polled: Option<i64>,
    /// For whichever reason.
    pub paused: bool,
    pub paused_by_hand: bool,
    /// Batches handed over and not settled.
    pub outstanding: usize,
    /// Records of a retry topic that were read and are not due.
    pub put_off: usize,
}

impl Desk {
    /// How every owned partition stands.
    pub fn standings(&self) -> Vec<Standing> {
        let standing = |seat: &Seat| Standing {
            held: seat.held().clone(),
            committed: self.ledger.committed(seat.held()).map(|next| next.0),
            polled: self.ledger.end(seat.held()).map(|next| next.0),
            paused: seat.stands_still(),
            paused_by_hand: seat.is_held(),
            outstanding: seat.outstanding(),
            put_off: seat.put_off(),
        };
        self.seats.iter().map(standing).collect()
    }
}
