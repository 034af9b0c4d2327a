//! A consumer's log, and what must stand in it: each line about records says which ones.

use serde_json::Value;
use std::path::Path;

/// The lines of a log, as JSON.
pub struct Log(Vec<Value>);

/// Fields that only a line about records has.
const ABOUT_RECORDS: [&str; 6] = ["records", "attempt", "offset", "partition", "topic", "suspicion"];
/// They are about a whole partition.
const WITHOUT_OFFSET: [&str; 1] = ["opened: dead letters are written again"];

impl Log {
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        // The last line may still be on its way.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        Self(whole.lines().map(line).collect())
    }

    /// Warnings and errors, which is what people read.
    pub fn complaints(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(|line| line["level"] == "warn" || line["level"] == "error")
    }

    /// Every complaint about records has topic, partition and offset; how many there are.
    pub fn assert_coordinates(&self) -> usize {
        let about = |line: &&Value| ABOUT_RECORDS.iter().any(|field| line.get(field).is_some());
        let about: Vec<&Value> = self.complaints().filter(about).collect();
        for line in &about {
            let said = line["message"].as_str().unwrap();
            assert!(line["topic"].is_string() && line["partition"].is_i64(), "no topic and partition: {line}");
            assert!(line["offset"].is_i64() || WITHOUT_OFFSET.contains(&said), "no offset: {line}");
        }
        about.len()
    }

    /// The complaint that says this.
    pub fn find(&self, words: &str) -> &Value {
        let said = |line: &&Value| line["message"].as_str().is_some_and(|message| message.contains(words));
        self.complaints().find(said).unwrap_or_else(|| panic!("nothing says `{words}`"))
    }
}
