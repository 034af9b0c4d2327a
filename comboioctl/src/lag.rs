//! `lag`: how far a group is behind, in records. The group is not joined and nothing is committed.

use crate::answer::Answer;
use crate::cli::{Connection, LagArgs};
use crate::{connection, table};
use kafka_client::offsets::{Position, positions};
use kafka_client::settings::ConsumerTuning;
use runtime::config::ConfigError;
use runtime::exit::Failure;
use serde::Serialize;
use serde_json::json;

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    position: &'a Position,
    lag_records: u64,
}

pub(crate) fn run(connection: &Connection, args: &LagArgs) -> Result<Answer, Failure> {
    if args.group.is_empty() {
        return Err(ConfigError::other("--group is empty: give the consumer group").into());
    }
    let settings = connection::open(connection)?.consumer(&ConsumerTuning::for_group(&args.group));
    let topics: Vec<&str> = args.topic.iter().map(String::as_str).collect();
    let positions = positions(&settings, &topics, connection.timeout.get())?;
    answer(&args.group, &positions)
}

fn answer(group: &str, positions: &[Position]) -> Result<Answer, Failure> {
    let total: u64 = positions.iter().map(Position::lag_records).sum();
    let silent = positions.iter().all(|position| position.committed.is_none());
    let rows: Vec<_> = positions.iter().map(|position| Row { position, lag_records: position.lag_records() }).collect();
    let text = if positions.is_empty() {
        format!("group {group} has committed nothing in any topic that we may see\n")
    } else {
        let lines: Vec<_> = positions.iter().map(line).collect();
        let table = table::columns(&["topic", ">partition", ">committed", ">end", ">lag"], &lines);
        let never = if silent { "the group has committed nothing in these topics\n" } else { "" };
        format!("{table}{never}lag of {group}: {total} records\n")
    };
    Answer::new(text, &json!({ "group": group, "lag_records": total, "partitions": rows }), silent)
}

fn line(position: &Position) -> Vec<String> {
    let committed = position.committed.map_or_else(|| "-".to_owned(), |next| next.to_string());
    let (topic, partition) = (position.topic.clone(), position.partition.to_string());
    vec![topic, partition, committed, position.end.to_string(), position.lag_records().to_string()]
}
