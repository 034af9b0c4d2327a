//! Tests of the failure table.
use super::*;
use std::collections::HashSet;

#[test]
fn every_row_is_what_classify_answers() {
    for (code, class) in TABLE {
        assert_eq!(classify(*code), *class, "{code:?}");
    }
}

#[test]
fn no_code_stands_twice() {
    let distinct: HashSet<i32> = TABLE.iter().map(|(code, _)| *code as i32).collect();
    assert_eq!(distinct.len(), TABLE.len());
}

#[test]
fn a_code_outside_the_table_is_tried_again() {
    assert_eq!(classify(Code::Unknown), FailureClass::Transient);
    assert_eq!(classify(Code::PreferredLeaderNotAvailable), FailureClass::Transient);
}

#[test]
fn whatever_speaks_of_rights_is_ours() {
    for (code, class) in TABLE {
        let name = format!("{code:?}");
        if name.contains("Authorization") || name.contains("Authentication") {
            assert_eq!(*class, FailureClass::Ours, "{name}");
        }
    }
}

#[test]
fn nothing_that_a_busy_or_broken_cluster_says_gives_a_record_up() {
    let surroundings = [
        Code::AllBrokersDown,
        Code::MessageTimedOut,
        Code::NotEnoughReplicas,
        Code::QueueFull,
        Code::ThrottlingQuotaExceeded,
        Code::OutOfOrderSequenceNumber,
        Code::Fatal,
    ];
    for code in surroundings {
        assert!(matches!(classify(code), FailureClass::Transient | FailureClass::Throttled), "{code:?}");
    }
}

#[test]
fn kafka_never_answers_for_a_function() {
    assert!(TABLE.iter().all(|(_, class)| *class != FailureClass::FunctionError));
}
