//! A consumer's log, and what must stand in it: each line about records says which ones.

use serde_json::Value;
use std::path::Path;

/// The lines of a log, as JSON.
pub struct Log(Vec<Value>);

/// Complaints about the process, a client, a function or a setting as a whole; every other one is about records or a partition, and says which.
/// What begins so is meant: the rest of a line may be a reason.
const ABOUT_NONE: [&str; 25] = [
    "Kafka refuses us",
    "Kafka's client reports an error and goes on",
    "Kafka has shut the client out",
    "Kafka keeps the place of consumer.instance_id",
    "no client can be made with the new settings",
    "no other client can be made",
    "no other client for dead letters can be made",
    "the client for dead letters was shut out by Kafka",
    "the client before does not come to its end",
    "the Kafka client does not come to its end",
    "the ends of our partitions are not known now",
    "the new certificates are not taken over",
    "new certificates are refused",
    "certificates cannot be checked",
    "certificate ",
    "smaller batches:",
    "fewer invocations at once:",
    "the breaker is open",
    "the function does not answer yet",
    "nothing was answered while a call waited",
    "paused by hand",
    "told to hurry",
    "telemetry cannot be exported",
    "the last telemetry was not exported",
    "ended with an error",
];
/// They are about a whole partition.
const WITHOUT_OFFSET: [&str; 3] = [
    "opened: dead letters are written again",
    "where the group stands is not known",
    "a partition is lost before anything of it was read",
];

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

    /// Every complaint has topic, partition and offset, unless it is known to be about none; how many there are. librdkafka's own lines are
    /// about its connections.
    pub fn assert_coordinates(&self) -> usize {
        let about = |line: &&Value| {
            let said = line["message"].as_str().unwrap();
            line["target"] != "librdkafka" && !ABOUT_NONE.iter().any(|known| said.starts_with(known))
        };
        let about: Vec<&Value> = self.complaints().filter(about).collect();
        for line in &about {
            let said = line["message"].as_str().unwrap();
            let whole = WITHOUT_OFFSET.iter().any(|known| said.starts_with(known));
            assert!(line["topic"].is_string() && line["partition"].is_i64(), "no topic and partition: {line}");
            assert!(whole || line["offset"].is_i64(), "no offset: {line}");
        }
        about.len()
    }

    /// The same for every consumer whose log lies in `folder`; how many these are.
    #[allow(dead_code)]
    pub fn assert_coordinates_of_all(folder: &Path) -> usize {
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let name = |file: &Path| file.file_name().unwrap().to_str().unwrap().to_owned();
        let logs = files.filter(|file| name(file).starts_with("consumer-") && name(file).ends_with(".log"));
        logs.inspect(|file| _ = Self::read(file).assert_coordinates()).count()
    }

    /// The complaint that says this.
    pub fn find(&self, words: &str) -> &Value {
        let said = |line: &&Value| line["message"].as_str().is_some_and(|message| message.contains(words));
        self.complaints().find(said).unwrap_or_else(|| panic!("nothing says `{words}`"))
    }
}
