//! What a function answered becomes an outcome.

use crate::aws::short;
use crate::destinations::{Failure, Outcome};
use crate::record::Entry;
use domain::failure::FailureClass::{FunctionError, TooLarge, Transient};
use serde::Deserialize;
use serde_json::Value;

/// The part of an answer that we know; everything else in it is the function's own business.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    /// The offset, as a number or a text.
    item_identifier: Value,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Thrown {
    error_type: String,
    error_message: String,
}

/// `error` is the header `X-Amz-Function-Error`, with which a failed function comes in a reply of 200.
pub fn read(entries: &[Entry<'_>], error: Option<&str>, body: &[u8]) -> Outcome {
    if let Some(kind) = error {
        return Outcome::Failed(thrown(kind, body));
    }
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    // None, or null, is a success. Source: AWS Lambda developer guide, "Implementing partial batch responses".
    if value.get("batchItemFailures").is_none_or(Value::is_null) {
        return Outcome::Delivered;
    }
    let Ok(answer) = Answer::deserialize(value) else {
        return Outcome::Failed(Failure::new(Transient, "batchItemFailures is not what it should be"));
    };
    let mut failed = Vec::new();
    for item in answer.batch_item_failures {
        let offset = item.item_identifier.as_str().map_or_else(|| item.item_identifier.to_string(), str::to_owned);
        match entries.iter().position(|entry| entry.offset.to_string() == offset) {
            Some(index) => failed.push((index, Failure::new(Transient, "the function names it in batchItemFailures"))),
            None => {
                let detail = format!("batchItemFailures names {}, which it was not given", short(&offset));
                return Outcome::Failed(Failure::new(Transient, detail));
            }
        }
    }
    failed.sort_by_key(|(index, _)| *index);
    failed.dedup_by_key(|(index, _)| *index);
    if failed.is_empty() { Outcome::Delivered } else { Outcome::Partial(failed) }
}

fn thrown(kind: &str, body: &[u8]) -> Failure {
    let Thrown { error_type, error_message } = serde_json::from_slice(body).unwrap_or_default();
    let class = if error_type == "Function.ResponseSizeTooLarge" { TooLarge } else { FunctionError };
    let said: Vec<&str> = [kind, &error_type, &error_message].into_iter().filter(|part| !part.is_empty()).collect();
    Failure::new(class, short(&said.join(": ")))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::destinations::Outcome;
    use crate::destinations::parcels::entries;
    use domain::failure::FailureClass::{self, FunctionError, TooLarge, Transient};

    /// The class of the whole, or the indexes that failed.
    fn outcome(error: Option<&str>, body: &str) -> Result<Vec<usize>, FailureClass> {
        match read(&entries(&["{}", "{}"]), error, body.as_bytes()) {
            Outcome::Delivered => Ok(Vec::new()),
            Outcome::Partial(failed) => Ok(failed.into_iter().map(|(index, _)| index).collect()),
            Outcome::Failed(failure) => Err(failure.class),
        }
    }

    #[test]
    fn what_the_function_did_not_name_is_delivered() {
        for body in
            ["", "null", "\"done\"", "{}", "no json", "{\"batchItemFailures\":null}", "{\"batchItemFailures\":[]}"]
        {
            assert_eq!(outcome(None, body), Ok(vec![]), "{body}");
        }
        assert_eq!(outcome(None, "{\"batchItemFailures\":[{\"itemIdentifier\":\"2\"}]}"), Ok(vec![1]));
        let both = "{\"batchItemFailures\":[{\"itemIdentifier\":2},{\"itemIdentifier\":1},{\"itemIdentifier\":2}]}";
        assert_eq!(outcome(None, both), Ok(vec![0, 1]));
    }

    #[test]
    fn an_answer_that_makes_no_sense_delivers_nothing() {
        for body in [
            "{\"batchItemFailures\":[{\"itemIdentifier\":\"3\"}]}",
            "{\"batchItemFailures\":[{\"itemIdentifier\":\"\"}]}",
            "{\"batchItemFailures\":[{}]}",
            "{\"batchItemFailures\":\"2\"}",
        ] {
            assert_eq!(outcome(None, body), Err(Transient), "{body}");
        }
    }

    #[test]
    fn a_function_that_failed_delivered_nothing() {
        assert_eq!(outcome(Some("Unhandled"), "{\"errorType\":\"E\",\"errorMessage\":\"m\"}"), Err(FunctionError));
        assert_eq!(outcome(Some("Unhandled"), "no json"), Err(FunctionError));
        assert_eq!(outcome(Some("Unhandled"), "{\"errorType\":\"Function.ResponseSizeTooLarge\"}"), Err(TooLarge));
    }
}
