//! What a topic shall be.

/// A topic to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: i32,
    /// How many replicas of each; `None` is as many as there are brokers, up to 3.
    pub replication: Option<i32>,
    /// Topic settings by their Kafka names, such as `retention.ms`. The embedded broker has none and ignores them.
    pub config: Vec<(String, String)>,
}

impl Topic {
    /// A topic with the broker's default settings.
    #[must_use]
    pub fn new(name: impl Into<String>, partitions: i32) -> Self {
        Self { name: name.into(), partitions, replication: None, config: Vec::new() }
    }

    /// With `replication` replicas of each partition.
    #[must_use]
    pub fn replicated(mut self, replication: i32) -> Self {
        self.replication = Some(replication);
        self
    }

    /// With one more setting.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.push((key.into(), value.into()));
        self
    }
}
