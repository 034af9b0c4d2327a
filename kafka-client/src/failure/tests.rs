//! Tests of the failure table: what each code means stands here a second time, so that a row that changes its class fails.
use super::*;
use std::collections::HashSet;

/// Every code of `codes` has the class, and no other code of the table has it.
fn are(class: FailureClass, codes: &[Code]) {
    for code in codes {
        assert_eq!(classify(*code), class, "{code:?}");
    }
    let of_the_table = TABLE.iter().filter(|(_, of)| *of == class).map(|(code, _)| *code);
    let more: Vec<_> = of_the_table.filter(|code| !codes.contains(code)).collect();
    assert!(more.is_empty(), "{class:?} without a test: {more:?}");
}

#[test]
fn a_queue_or_a_quota_that_is_full_throttles() {
    are(Throttled, &[Code::QueueFull, Code::ThrottlingQuotaExceeded]);
}

#[test]
fn what_is_over_a_limit_is_too_large() {
    are(TooLarge, &[Code::MessageSizeTooLarge, Code::MessageBatchTooLarge, Code::InvalidMessageSize]);
}

#[test]
fn a_record_that_can_never_be_written_is_rejected() {
    let codes = [Code::InvalidRecord, Code::InvalidTimestamp, Code::KeySerialization, Code::ValueSerialization];
    are(Rejected, &codes);
}

#[test]
fn rights_and_configuration_are_ours() {
    let codes = [
        Code::Authentication,
        Code::SaslAuthenticationFailed,
        Code::SSL,
        Code::TopicAuthorizationFailed,
        Code::GroupAuthorizationFailed,
        Code::ClusterAuthorizationFailed,
        Code::TransactionalIdAuthorizationFailed,
        Code::DelegationTokenAuthDisabled,
        Code::DelegationTokenNotFound,
        Code::DelegationTokenOwnerMismatch,
        Code::DelegationTokenRequestNotAllowed,
        Code::DelegationTokenAuthorizationFailed,
        Code::DelegationTokenExpired,
        Code::InvalidPrincipalType,
        Code::UnacceptableCredential,
        Code::SecurityDisabled,
        Code::UnknownTopic,
        Code::UnknownPartition,
        Code::UnknownTopicOrPartition,
        Code::InvalidTopic,
        Code::InvalidArgument,
        Code::InvalidConfig,
        Code::InvalidPartitions,
        Code::InvalidReplicationFactor,
        Code::InvalidReplicaAssignment,
        Code::InvalidRequiredAcks,
        Code::InvalidGroupId,
        Code::InvalidSessionTimeout,
        Code::InvalidCommitOffsetSize,
        Code::OffsetMetadataTooLarge,
        Code::InconsistentGroupProtocol,
        Code::UnsupportedAssignor,
        Code::GroupMaxSizeReached,
        Code::UnreleasedInstanceId,
        Code::UnsupportedSASLMechanism,
        Code::IllegalSASLState,
        Code::UnsupportedVersion,
        Code::UnsupportedFeature,
        Code::UnsupportedForMessageFormat,
        Code::UnsupportedCompressionType,
        Code::PolicyViolation,
        Code::InvalidRequest,
        Code::TopicAlreadyExists,
        Code::TopicDeletionDisabled,
        Code::ListenerNotFound,
        Code::NotConfigured,
        Code::NotImplemented,
        Code::UnknownProtocol,
        Code::AutoOffsetReset,
        Code::OffsetOutOfRange,
        Code::LogTruncation,
    ];
    are(Ours, &codes);
}

#[test]
fn the_surroundings_the_group_and_a_finished_client_are_transient() {
    let codes = [
        Code::InvalidDifferentRecord,
        Code::Resolve,
        Code::BrokerTransportFailure,
        Code::AllBrokersDown,
        Code::NetworkException,
        Code::BrokerNotAvailable,
        Code::LeaderNotAvailable,
        Code::NotLeaderForPartition,
        Code::FencedLeaderEpoch,
        Code::UnknownLeaderEpoch,
        Code::ReplicaNotAvailable,
        Code::NotEnoughReplicas,
        Code::NotEnoughReplicasAfterAppend,
        Code::KafkaStorageError,
        Code::OffsetNotAvailable,
        Code::RequestTimedOut,
        Code::OperationTimedOut,
        Code::MessageTimedOut,
        Code::TimedOutQueue,
        Code::NotController,
        Code::RebootstrapRequired,
        Code::WaitingForCoordinator,
        Code::CoordinatorLoadInProgress,
        Code::CoordinatorNotAvailable,
        Code::NotCoordinator,
        Code::IllegalGeneration,
        Code::UnknownMemberId,
        Code::MemberIdRequired,
        Code::RebalanceInProgress,
        Code::AssignmentLost,
        Code::PollExceeded,
        Code::StaleMemberEpoch,
        Code::FencedMemberEpoch,
        Code::Fatal,
        Code::Fenced,
        Code::FencedInstanceId,
        Code::ProducerFenced,
        Code::InvalidProducerEpoch,
        Code::InvalidProducerIdMapping,
        Code::UnknownProducerId,
        Code::OutOfOrderSequenceNumber,
        Code::GaplessGuarantee,
        Code::PurgeQueue,
        Code::PurgeInflight,
    ];
    are(Transient, &codes);
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
