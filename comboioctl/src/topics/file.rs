//! The file that says what shall be: `[[topics]]` in TOML.

use runtime::config::ConfigError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One topic as it shall be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    pub name: String,
    pub partitions: i32,
    /// Copies of each partition.
    #[serde(default = "three")]
    pub replication: i32,
    /// Topic settings by Kafka's names. Only those that stand here are compared.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
}

/// What a cluster with three availability zones wants.
fn three() -> i32 {
    3
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    topics: Vec<Declared>,
}

/// Reads and checks the file; every fault is wrong usage and names the file, and the topic if there is one.
pub fn read(path: &Path) -> Result<Vec<Declared>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::other(format!("{} cannot be read: {error}; --file names the topics file", path.display()))
    })?;
    parse(&text).map_err(|fault| ConfigError::other(format!("{}: {fault}", path.display())))
}

/// Parses the text of a topics file; the error is one sentence.
pub fn parse(text: &str) -> Result<Vec<Declared>, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = 1 + error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count());
        format!("line {line}: {}", error.message().replace('\n', ", "))
    })?;
    let mut names = BTreeSet::new();
    for topic in &file.topics {
        check(topic)?;
        if !names.insert(&topic.name) {
            return Err(format!("topic {} stands twice", topic.name));
        }
    }
    Ok(file.topics)
}

fn check(topic: &Declared) -> Result<(), String> {
    let Declared { name, partitions, replication, .. } = topic;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > 249 || !name.chars().all(legal) || matches!(name.as_str(), "." | "..") {
        return Err(format!("topic name `{name}` is not allowed: 1 to 249 letters, digits, '.', '_' and '-'"));
    }
    if !(1..=10_000).contains(partitions) {
        return Err(format!("topic {name} has partitions = {partitions}: allowed is 1 to 10000"));
    }
    if !(1..=100).contains(replication) {
        return Err(format!("topic {name} has replication = {replication}: allowed is 1 to 100"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_three_copies_unless_it_says_otherwise() {
        let text = "[[topics]]\nname = \"a\"\npartitions = 12\nconfig = { \"retention.ms\" = \"1000\" }\n\
                    [[topics]]\nname = \"b\"\npartitions = 1\nreplication = 1\n";
        let topics = parse(text).unwrap();
        assert_eq!((topics[0].replication, topics[1].replication), (3, 1));
        assert_eq!(topics[0].config["retention.ms"], "1000");
    }

    #[test]
    fn faults_name_the_line_or_the_topic() {
        for (text, names) in [
            ("[[topics]]\nname = \"a\"\npartition = 1\n", "line 3: unknown field `partition`"),
            ("[[topics]]\nname = \"a\"\npartitions = 0\n", "topic a has partitions = 0"),
            ("[[topics]]\nname = \"a\"\npartitions = 1\nreplication = 0\n", "topic a has replication = 0"),
            ("[[topics]]\nname = \"a b\"\npartitions = 1\n", "topic name `a b`"),
            (
                "[[topics]]\nname = \"a\"\npartitions = 1\n[[topics]]\nname = \"a\"\npartitions = 1\n",
                "topic a stands twice",
            ),
            ("topics = 5\n", "line 1"),
        ] {
            let fault = parse(text).unwrap_err();
            assert!(fault.contains(names) && !fault.contains('\n'), "{text}: {fault}");
        }
    }
}
