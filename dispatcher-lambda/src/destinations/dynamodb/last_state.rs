//! Mode `last-state`: the newest event of each key, each by a `PutItem` on the condition that the table holds none that is as new.

use super::Table;
use super::item::Item;
use crate::aws::failure_of;
use crate::destinations::{Failure, Outcome, Parcel};
use crate::together::{self, BoxFuture};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::failure::FailureClass;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Requests under way at once, on each line.
const AT_ONCE: usize = 4;

/// The newest event of a key, and those that share its fate.
struct Newest {
    index: usize,
    item: Item,
    older: Vec<usize>,
}

pub async fn send(table: &Table, parcel: Parcel<'_>) -> Outcome {
    let (newest, mut failed) = sort_out(table, &parcel);
    for some in newest.chunks(AT_ONCE) {
        let puts = some.iter().map(|newest| Box::pin(put(table, &newest.item)) as BoxFuture<'_, _>).collect();
        for (newest, result) in some.iter().zip(together::all(puts).await) {
            if let Err(failure) = result {
                failed.extend(missed(newest, &failure));
            }
        }
    }
    if failed.is_empty() { Outcome::Delivered } else { Outcome::Partial(failed) }
}

/// A newer event that is refused for good does not take the older ones along: they come again without it.
fn missed(newest: &Newest, failure: &Failure) -> Vec<(usize, Failure)> {
    let shared = if failure.is_for_good() {
        Failure::new(FailureClass::Transient, "a newer event of this key was refused")
    } else {
        failure.clone()
    };
    let older = newest.older.iter().map(|index| (*index, shared.clone()));
    older.chain([(newest.index, failure.clone())]).collect()
}

/// The newest of each key, and what is refused before it is sent.
fn sort_out(table: &Table, parcel: &Parcel<'_>) -> (Vec<Newest>, Vec<(usize, Failure)>) {
    let (mut newest, mut failed): (Vec<Newest>, _) = (Vec::new(), Vec::new());
    let mut places: HashMap<String, usize> = HashMap::new();
    for (index, entry) in parcel.entries.iter().enumerate() {
        let item = table.keys.item(entry.value).and_then(|item| has_number(item, &table.newer_by));
        let (key, item) = match item {
            Ok(item) => (table.keys.text(entry.value).unwrap_or_default(), item),
            Err(failure) => {
                failed.push((index, failure));
                continue;
            }
        };
        match places.get(&key).and_then(|place| newest.get_mut(*place)) {
            None => {
                places.insert(key, newest.len());
                newest.push(Newest { index, item, older: Vec::new() });
            }
            Some(known) if is_newer(&item, &known.item, &table.newer_by) => {
                known.older.push(known.index);
                (known.index, known.item) = (index, item);
            }
            Some(known) => known.older.push(index),
        }
    }
    (newest, failed)
}

fn has_number(item: Item, name: &str) -> Result<Item, Failure> {
    match item.get(name) {
        Some(AttributeValue::N(_)) => Ok(item),
        _ => Err(Failure::new(FailureClass::Rejected, format!("the field {name} is missing or no number"))),
    }
}

/// As DynamoDB compares numbers, as far as it matters: whole ones exactly.
fn is_newer(item: &Item, known: &Item, by: &str) -> bool {
    let text = |item: &Item| match item.get(by) {
        Some(AttributeValue::N(text)) => text.clone(),
        _ => String::new(),
    };
    let (new, old) = (text(item), text(known));
    match (new.parse::<i128>(), old.parse::<i128>()) {
        (Ok(new), Ok(old)) => new > old,
        _ => {
            let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NEG_INFINITY);
            number(&new).total_cmp(&number(&old)) == Ordering::Greater
        }
    }
}

/// Delivered too when the table holds something as new: that is the state that was to be kept.
async fn put(table: &Table, item: &Item) -> Result<(), Failure> {
    let newer = item.get(&table.newer_by).cloned().unwrap_or(AttributeValue::Null(true));
    let request = table.client.put_item().table_name(&table.name).set_item(Some(item.clone()));
    let request = request
        .condition_expression("attribute_not_exists(#key) OR #by < :by")
        .expression_attribute_names("#key", table.keys.partition())
        .expression_attribute_names("#by", &table.newer_by)
        .expression_attribute_values(":by", newer);
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {
            Ok(())
        }
        Err(error) => Err(failure_of(error)),
    }
}
