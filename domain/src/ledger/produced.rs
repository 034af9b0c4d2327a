//! The sending side of the ledger, and its file: one JSON line per key.

use super::{LedgerKey, SeqSet};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::{self, BufRead, Write};

/// What a producer offered and what Kafka acknowledged, per key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Produced {
    keys: HashMap<LedgerKey, ProducedKey>,
}

/// The seqs of one key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducedKey {
    /// Made by the source.
    pub offered: SeqSet,
    /// Held by Kafka.
    pub acknowledged: SeqSet,
    /// Set aside by the producer itself.
    #[serde(default, skip_serializing_if = "SeqSet::is_empty")]
    pub dead_lettered: SeqSet,
    /// Invalid on purpose: they must end as dead letters, exactly once.
    #[serde(default, skip_serializing_if = "SeqSet::is_empty")]
    pub expect_rejected: SeqSet,
    /// Too large on purpose: the producer must set them aside.
    #[serde(default, skip_serializing_if = "SeqSet::is_empty")]
    pub expect_dead_letter: SeqSet,
    /// Offered a second time on purpose: a second delivery of these is no surprise.
    #[serde(default, skip_serializing_if = "SeqSet::is_empty")]
    pub repeated: SeqSet,
}

#[derive(Deserialize)]
struct Line {
    run: String,
    truck_id: String,
    codigo: u32,
    #[serde(flatten)]
    seqs: ProducedKey,
}

/// The same, lent: there may be hundreds of thousands.
#[derive(Serialize)]
struct LentLine<'a> {
    run: &'a str,
    truck_id: &'a str,
    codigo: u32,
    #[serde(flatten)]
    seqs: &'a ProducedKey,
}

impl Produced {
    /// The seqs of `key`, to be written to.
    pub fn key(&mut self, key: LedgerKey) -> &mut ProducedKey {
        self.keys.entry(key).or_default()
    }

    pub fn keys(&self) -> impl Iterator<Item = (&LedgerKey, &ProducedKey)> {
        self.keys.iter()
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Writes one JSON line per key, sorted.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut keys: Vec<_> = self.keys.iter().collect();
        keys.sort_unstable_by_key(|(key, _)| *key);
        keys.into_iter().try_for_each(|(key, seqs)| seqs.write(key, out))
    }

    /// Adds what a ledger file says; several instances' files add up.
    ///
    /// # Errors
    /// Those of the reader, and `InvalidData` with the line number for what is no ledger line.
    pub fn read(&mut self, input: impl BufRead) -> io::Result<()> {
        for (place, line) in input.lines().enumerate() {
            let line: Line = serde_json::from_str(&line?)
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("ledger line {}: {e}", place + 1)))?;
            let key = LedgerKey { run: line.run, truck_id: line.truck_id, codigo: line.codigo };
            self.key(key).add(&line.seqs);
        }
        Ok(())
    }
}

impl ProducedKey {
    /// Writes the line of `key`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, key: &LedgerKey, out: &mut impl Write) -> io::Result<()> {
        let line = LentLine { run: &key.run, truck_id: &key.truck_id, codigo: key.codigo, seqs: self };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")
    }

    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.offered, &other.offered),
            (&mut self.acknowledged, &other.acknowledged),
            (&mut self.dead_lettered, &other.dead_lettered),
            (&mut self.expect_rejected, &other.expect_rejected),
            (&mut self.expect_dead_letter, &other.expect_dead_letter),
            (&mut self.repeated, &other.repeated),
        ];
        for (into, from) in pairs {
            from.iter().for_each(|seq| {
                into.insert(seq);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LedgerKey, Produced};

    #[test]
    fn the_file_is_read_as_it_was_written() {
        let mut produced = Produced::default();
        for (truck, seqs) in [("BR1", 1..=4), ("BR2", 2..=9)] {
            let key = produced.key(LedgerKey { run: "r".into(), truck_id: truck.into(), codigo: 4 });
            key.offered = seqs.collect();
            key.expect_rejected.insert(3);
            key.expect_dead_letter.insert(4);
            key.repeated.insert(2);
        }
        let mut file = Vec::new();
        produced.write(&mut file).expect("to memory");
        let mut again = Produced::default();
        again.read(&file[..]).expect("its own file");
        assert_eq!(again, produced);
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = Produced::default().read(&b"{}\n"[..]).expect_err("no ledger line");
        assert!(error.to_string().contains("ledger line 1"), "{error}");
    }
}
