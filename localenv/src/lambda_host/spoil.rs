//! Spoils the answer of an invocation as a fault orders it, when the function has done its work.

use super::answer::{Answer, FunctionError};
use super::fault::{Fault, When};
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;

/// What spoiling needs to know of the invocation.
#[derive(Debug)]
pub struct Circumstances<'a> {
    pub request_id: &'a str,
    pub timeout: Duration,
    /// The last successful answer of the same function, for `OtherBatch`.
    pub previous: Option<&'a Bytes>,
}

/// The answer in place of a run, for the faults that keep the function from running.
pub fn instead_of_running(fault: &Fault) -> Option<Answer> {
    match fault {
        Fault::Reset { when: When::Before } => Some(Answer::Reset),
        Fault::FunctionError { when: When::Before, error_type, message } => {
            Some(Answer::FunctionError(FunctionError::new(error_type, message)))
        }
        other => other.refusal().map(Answer::Refused),
    }
}

/// The answer after a run; one that failed by itself stays as it is, but for a reset.
pub fn after_running(fault: &Fault, truth: Answer, around: &Circumstances<'_>) -> Answer {
    match (fault, truth) {
        (Fault::Reset { when: When::After }, _) => Answer::Reset,
        (Fault::Timeout, Answer::Success(_)) => {
            Answer::FunctionError(FunctionError::timed_out(around.request_id, around.timeout))
        }
        (Fault::FunctionError { when: When::After, error_type, message }, Answer::Success(_)) => {
            Answer::FunctionError(FunctionError::new(error_type, message))
        }
        (Fault::Garbage { body }, Answer::Success(truth)) => Answer::Success(match body {
            Some(body) => Bytes::from(body.clone()),
            None => truth.slice(..truth.len() / 2),
        }),
        (Fault::OtherBatch, Answer::Success(truth)) => Answer::Success(other_batch(&truth, around.previous)),
        (Fault::Miscount { by }, Answer::Success(truth)) => Answer::Success(miscount(&truth, *by)),
        (_, truth) => truth,
    }
}

/// The previous answer if it is of another batch, else the true one under a batch id that nobody sent.
fn other_batch(truth: &Bytes, previous: Option<&Bytes>) -> Bytes {
    let parsed = |bytes: &Bytes| serde_json::from_slice::<Value>(bytes).ok();
    let own = parsed(truth).unwrap_or_default();
    let id_of = |value: &Value| value.get("batch_id").and_then(Value::as_str).map(str::to_owned);
    if let Some(other) = previous
        && let Some(id) = parsed(other).as_ref().and_then(id_of)
        && id_of(&own) != Some(id)
    {
        return other.clone();
    }
    edited(own, "batch_id", "another-topic/0/0-0".into())
}

fn miscount(truth: &Bytes, by: i64) -> Bytes {
    let own = serde_json::from_slice::<Value>(truth).unwrap_or_default();
    let delivered = own.get("delivered").and_then(Value::as_i64).unwrap_or_default();
    edited(own, "delivered", delivered.saturating_add(by).into())
}

fn edited(mut value: Value, member: &str, new: Value) -> Bytes {
    if let Some(object) = value.as_object_mut() {
        object.insert(member.into(), new);
    }
    value.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::super::answer::Answer;
    use super::super::fault::{Fault, When};
    use super::{Circumstances, after_running, instead_of_running};
    use bytes::Bytes;
    use std::time::Duration;

    const TRUTH: &str = r#"{"batch_id":"t/0/1-2","delivered":2}"#;

    fn spoiled(fault: &Fault, previous: Option<&str>) -> Answer {
        let previous = previous.map(|text| Bytes::from(text.to_owned()));
        let around = Circumstances { request_id: "id", timeout: Duration::from_secs(1), previous: previous.as_ref() };
        after_running(fault, Answer::Success(TRUTH.into()), &around)
    }

    #[test]
    fn another_batch_answers_even_when_there_was_none() {
        let previous = r#"{"batch_id":"t/0/0-0","delivered":1}"#;
        assert_eq!(spoiled(&Fault::OtherBatch, Some(previous)), Answer::Success(previous.into()));
        for nothing_else in [None, Some(TRUTH)] {
            let Answer::Success(body) = spoiled(&Fault::OtherBatch, nothing_else) else { panic!("no success") };
            assert!(!String::from_utf8_lossy(&body).contains("t/0/1-2"));
        }
    }

    #[test]
    fn counts_are_off_and_garbage_is_half_an_answer() {
        let miscounted = r#"{"batch_id":"t/0/1-2","delivered":1}"#;
        assert_eq!(spoiled(&Fault::Miscount { by: -1 }, None), Answer::Success(miscounted.into()));
        let Answer::Success(half) = spoiled(&Fault::Garbage { body: None }, None) else { panic!("no success") };
        assert!(TRUTH.as_bytes().starts_with(&half) && serde_json::from_slice::<serde_json::Value>(&half).is_err());
    }

    #[test]
    fn only_faults_before_the_run_replace_it() {
        assert_eq!(instead_of_running(&Fault::Reset { when: When::Before }), Some(Answer::Reset));
        assert_eq!(instead_of_running(&Fault::Reset { when: When::After }), None);
        assert_eq!(instead_of_running(&Fault::status(503)).unwrap().outcome(), "ServiceUnavailableException");
        assert_eq!(spoiled(&Fault::Reset { when: When::After }, None), Answer::Reset);
        assert_eq!(spoiled(&Fault::Timeout, None).outcome(), "Sandbox.Timedout");
    }
}
