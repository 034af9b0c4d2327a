//! Mode `put`: one `BatchWriteItem`; what it leaves over failed for now.

use super::Table;
use super::item::{Item, Keys};
use crate::aws::{failure_of, unmade};
use crate::destinations::{Failure, Outcome, Parcel};
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use domain::failure::FailureClass;

pub async fn send(table: &Table, parcel: Parcel<'_>) -> Outcome {
    let (mut items, mut failed) = (Vec::new(), Vec::new());
    for (index, entry) in parcel.entries.iter().enumerate() {
        match table.keys.item(entry.value) {
            Ok(item) => items.push((index, item)),
            Err(failure) => failed.push((index, failure)),
        }
    }
    if !items.is_empty() {
        match write(table, &items).await {
            Ok(left) => match left_over(&table.keys, &items, &left) {
                Ok(left) => failed.extend(left),
                Err(nonsense) => return Outcome::Failed(nonsense),
            },
            // What was refused before it was sent is refused; the others go alone when the request was refused for good.
            Err(failure) if failed.is_empty() => return Outcome::Failed(failure),
            Err(failure) => {
                let again = if failure.is_for_good() { apart(&failure) } else { failure };
                failed.extend(items.iter().map(|(index, _)| (*index, again.clone())));
            }
        }
    }
    if failed.is_empty() { Outcome::Delivered } else { Outcome::Partial(failed) }
}

/// Sends the items; gives those that DynamoDB left over.
async fn write(table: &Table, items: &[(usize, Item)]) -> Result<Vec<Item>, Failure> {
    let requests = items.iter().map(|(_, item)| {
        let put = PutRequest::builder().set_item(Some(item.clone())).build()?;
        Ok(WriteRequest::builder().put_request(put).build())
    });
    let requests: Result<Vec<_>, aws_sdk_dynamodb::error::BuildError> = requests.collect();
    let requests = requests.map_err(|error| unmade(&error))?;
    let answer = table.client.batch_write_item().request_items(&table.name, requests).send().await;
    let left = answer.map_err(failure_of)?.unprocessed_items.unwrap_or_default();
    let puts = left.into_values().flatten().filter_map(|request| request.put_request);
    Ok(puts.map(|put| put.item).collect())
}

/// Which items they are; they are told by their keys, which are never twice in a request.
fn left_over(keys: &Keys, items: &[(usize, Item)], left: &[Item]) -> Result<Vec<(usize, Failure)>, Failure> {
    let find = |item: &Item| items.iter().find(|(_, sent)| keys.of(sent) == keys.of(item)).map(|(index, _)| *index);
    left.iter()
        .map(|item| match find(item) {
            Some(index) => Ok((index, Failure::new(FailureClass::Throttled, "DynamoDB left it unprocessed"))),
            None => Err(Failure::new(FailureClass::Transient, "DynamoDB left over an item that it was not given")),
        })
        .collect()
}

fn apart(failure: &Failure) -> Failure {
    Failure::new(FailureClass::Transient, failure.detail.clone())
}

#[cfg(test)]
mod tests {
    use super::left_over;
    use crate::destinations::dynamodb::item::{Item, Keys};
    use domain::failure::FailureClass::{Throttled, Transient};
    use proptest::prelude::*;

    fn items(keys: &Keys, ids: &[u8]) -> Vec<(usize, Item)> {
        let item = |id: &u8| keys.item(&format!("{{\"id\":\"{id}\",\"n\":{id}}}")).unwrap();
        ids.iter().map(item).enumerate().collect()
    }

    #[test]
    fn what_is_left_over_is_told_by_its_key() {
        let keys = Keys::new("id", "");
        let sent = items(&keys, &[1, 2, 3]);
        assert_eq!(left_over(&keys, &sent, &[]).unwrap(), []);
        let left = left_over(&keys, &sent, &[sent[2].1.clone(), sent[0].1.clone()]).unwrap();
        let told: Vec<_> = left.iter().map(|(index, failure)| (*index, failure.class)).collect();
        assert_eq!(told, [(2, Throttled), (0, Throttled)]);
        let foreign = items(&keys, &[9]);
        assert_eq!(left_over(&keys, &sent, &[foreign[0].1.clone()]).unwrap_err().class, Transient);
    }

    proptest! {
        #[test]
        fn whatever_is_left_over_is_told_once_or_nothing_is_believed(left in proptest::collection::vec(0_u8..8, 0..8)) {
            let keys = Keys::new("id", "");
            let sent = items(&keys, &[0, 1, 2, 3, 4, 5]);
            let foreign = left.iter().any(|id| *id > 5);
            let items: Vec<Item> = items(&keys, &left).into_iter().map(|(_, item)| item).collect();
            match left_over(&keys, &sent, &items) {
                Err(_) => prop_assert!(foreign),
                Ok(told) => {
                    prop_assert!(!foreign);
                    prop_assert_eq!(told.iter().map(|(index, _)| *index as u8).collect::<Vec<_>>(), left);
                }
            }
        }
    }
}
