//! The answer that AWS reads: which records failed and must come again.

use serde::Serialize;

/// Empty: everything is done.
///
/// Source: AWS Lambda developer guide, "Configuring error handling controls for Kafka event sources", "PartialBatchResponse":
/// `{"batchItemFailures":[{"itemIdentifier":{"partition":"topic-partition_number","offset":100}}]}`. Only the records that are
/// named come again; an identifier that was not in the event makes all of it come again. (Earlier editions of that page called
/// the member `topic-partition`; AWS's own Powertools and Rust runtime write `partition`.)
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailures {
    pub batch_item_failures: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    pub item_identifier: Identifier,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identifier {
    /// As the event names it, `mytopic-0`.
    pub partition: String,
    pub offset: i64,
}

impl Item {
    pub fn new(partition: &str, offset: i64) -> Self {
        Self { item_identifier: Identifier { partition: partition.to_owned(), offset } }
    }
}
