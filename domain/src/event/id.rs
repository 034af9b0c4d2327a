//! The identity of an event: run, truck, codigo and seq, written `{run}-{truck_id}-{codigo}-{seq}`.

use super::{Event, encode};
use std::fmt;

/// What makes an event unique; the dedupe key, and the ledger's coordinates.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId {
    pub run: String,
    pub truck_id: String,
    pub codigo: u32,
    pub seq: u64,
}

impl EventId {
    /// Reads the text form; `None` when it is not four parts with a number in the last two.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (run, truck_id) = (parts.next()?, parts.next()?);
        let (codigo, seq) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let complete = parts.next().is_none() && !run.is_empty() && !truck_id.is_empty() && seq > 0;
        complete.then(|| Self { run: run.into(), truck_id: truck_id.into(), codigo, seq })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}-{}", self.run, self.truck_id, self.codigo, self.seq)
    }
}

impl Event<'_> {
    /// Appends the id's text to `out` without allocating.
    pub fn write_id(&self, out: &mut Vec<u8>) {
        encode::write_id(self, out);
    }
}

#[cfg(test)]
mod tests {
    use super::EventId;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = EventId { run: "7f3a91c2".into(), truck_id: "BR04217".into(), codigo: 300, seq: 18231 };
        assert_eq!(EventId::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn anything_else_is_no_id() {
        for text in ["", "a-b-1", "a-b-1-0", "a-b-x-1", "a-b-1-1-1", "-b-1-1", "a--1-1"] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }
}
