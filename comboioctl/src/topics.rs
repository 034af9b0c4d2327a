//! `topics list|plan|apply`: what is there, what shall be, what to do about it.

/// The file that says what shall be.
pub mod file;
/// What would have to change; pure.
pub mod plan;

use crate::answer::Answer;
use crate::cli::{ApplyArgs, Connection, TopicsFile};
use crate::{connection, table};
use file::Declared;
use kafka_client::settings::ClientSettings;
use kafka_client::topics::NewTopic;
use kafka_client::{probe, topics};
use plan::{Action, Plan, Present};
use runtime::exit::Failure;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) fn list(connection: &Connection) -> Result<Answer, Failure> {
    let settings = connection::open(connection)?.admin();
    let topics = probe::all_topics(&settings, connection.timeout.get())?;
    let row = |topic: &probe::TopicInfo| {
        vec![topic.name.clone(), topic.partitions.to_string(), topic.replication.to_string()]
    };
    let rows: Vec<_> = topics.iter().map(row).collect();
    let text = match rows.is_empty() {
        true => "no topic that we may see\n".to_owned(),
        false => table::columns(&["topic", ">partitions", ">replication"], &rows),
    };
    Answer::new(text, &json!({ "topics": topics }), false)
}

pub(crate) fn plan(connection: &Connection, file: &TopicsFile) -> Result<Answer, Failure> {
    let declared = file::read(&file.file)?;
    let settings = connection::open(connection)?.admin();
    let plan = compare(&settings, &declared, connection.timeout.get())?;
    Answer::new(plan.to_string(), &json!({ "changed": false, "plan": plan }), plan.is_finding())
}

pub(crate) fn apply(connection: &Connection, args: &ApplyArgs) -> Result<Answer, Failure> {
    let declared = file::read(&args.file.file)?;
    let settings = connection::open(connection)?.admin();
    let deadline = connection.timeout.get();
    let before = compare(&settings, &declared, deadline)?;
    if !args.apply {
        let text = format!("{before}\nNothing was changed: add --apply to do it.\n");
        return Answer::new(text, &json!({ "changed": false, "plan": before }), before.is_finding());
    }
    carry_out(&settings, &declared, &before, deadline)?;
    let after = compare(&settings, &declared, deadline)?;
    let text = format!("{before}\nDone. What is left:\n{after}");
    let data = json!({ "changed": before.has_changes(), "plan": before, "left": after });
    Answer::new(text, &data, after.is_finding())
}

/// Asks Kafka and compares. Settings are only asked for topics that are there and declare some.
fn compare(settings: &ClientSettings, declared: &[Declared], deadline: Duration) -> Result<Plan, Failure> {
    let there = probe::all_topics(settings, deadline)?;
    let mut present: BTreeMap<String, Present> = there
        .into_iter()
        .map(|topic| {
            let shape =
                Present { partitions: topic.partitions, replication: topic.replication, config: BTreeMap::new() };
            (topic.name, shape)
        })
        .collect();
    let asked: Vec<&str> = declared
        .iter()
        .filter(|topic| !topic.config.is_empty() && present.contains_key(&topic.name))
        .map(|topic| topic.name.as_str())
        .collect();
    for (topic, config) in topics::configuration(settings, &asked, deadline)? {
        if let Some(shape) = present.get_mut(&topic) {
            shape.config = config;
        }
    }
    Ok(Plan::of(declared, &present))
}

fn carry_out(settings: &ClientSettings, declared: &[Declared], plan: &Plan, deadline: Duration) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for (topic, step) in declared.iter().zip(&plan.steps) {
        match step.action {
            Action::Create { .. } => missing.push(NewTopic {
                name: topic.name.clone(),
                partitions: topic.partitions,
                replication: topic.replication,
                config: topic.config.clone(),
            }),
            Action::Grow { to, .. } => topics::grow(settings, &topic.name, to, deadline)?,
            Action::Same { .. } | Action::CannotShrink { .. } => {}
        }
    }
    if !missing.is_empty() {
        topics::create(settings, &missing, deadline)?;
    }
    Ok(())
}
