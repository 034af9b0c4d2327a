//! What a Kafka error code means: one table from librdkafka's code to the failure class that decides the policy.

use domain::failure::FailureClass;
use domain::failure::FailureClass::{Ours, Rejected, Throttled, TooLarge, Transient};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::error::RDKafkaErrorCode as Code;

/// The class of a Kafka error code. A code that the table does not know is transient: trying again loses nothing,
/// while every other class gives a record or a client up.
pub fn classify(code: RDKafkaErrorCode) -> FailureClass {
    TABLE.iter().find(|(known, _)| *known == code).map_or(Transient, |(_, class)| *class)
}

/// Every code that is more than "try again", and the transient ones that are worth naming.
///
/// Three choices need a reason. *Unknown topic* is ours: librdkafka itself waits for a fresh topic to become known, so
/// what arrives here is a missing topic. *Fatal*, *out of order sequence* and *fenced* say that this client is finished
/// and not that the record is bad: a new client sends it again. *Timed out* may have been written all the same.
pub const TABLE: &[(RDKafkaErrorCode, FailureClass)] = &[
    // The broker or our own queue asks for less.
    (Code::QueueFull, Throttled),
    (Code::ThrottlingQuotaExceeded, Throttled),
    // One record or one batch over a limit.
    (Code::MessageSizeTooLarge, TooLarge),
    (Code::MessageBatchTooLarge, TooLarge),
    (Code::InvalidMessageSize, TooLarge),
    // The record itself can never be written.
    (Code::InvalidRecord, Rejected),
    (Code::InvalidDifferentRecord, Transient),
    (Code::InvalidTimestamp, Rejected),
    (Code::KeySerialization, Rejected),
    (Code::ValueSerialization, Rejected),
    // Rights.
    (Code::Authentication, Ours),
    (Code::SaslAuthenticationFailed, Ours),
    (Code::SSL, Ours),
    (Code::TopicAuthorizationFailed, Ours),
    (Code::GroupAuthorizationFailed, Ours),
    (Code::ClusterAuthorizationFailed, Ours),
    (Code::TransactionalIdAuthorizationFailed, Ours),
    (Code::DelegationTokenAuthDisabled, Ours),
    (Code::DelegationTokenNotFound, Ours),
    (Code::DelegationTokenOwnerMismatch, Ours),
    (Code::DelegationTokenRequestNotAllowed, Ours),
    (Code::DelegationTokenAuthorizationFailed, Ours),
    (Code::DelegationTokenExpired, Ours),
    (Code::InvalidPrincipalType, Ours),
    (Code::UnacceptableCredential, Ours),
    (Code::SecurityDisabled, Ours),
    // Configuration: ours, the topic's or the broker's.
    (Code::UnknownTopic, Ours),
    (Code::UnknownPartition, Ours),
    (Code::UnknownTopicOrPartition, Ours),
    (Code::InvalidTopic, Ours),
    (Code::InvalidArgument, Ours),
    (Code::InvalidConfig, Ours),
    (Code::InvalidPartitions, Ours),
    (Code::InvalidReplicationFactor, Ours),
    (Code::InvalidReplicaAssignment, Ours),
    (Code::InvalidRequiredAcks, Ours),
    (Code::InvalidGroupId, Ours),
    (Code::InvalidSessionTimeout, Ours),
    (Code::InvalidCommitOffsetSize, Ours),
    (Code::OffsetMetadataTooLarge, Ours),
    (Code::InconsistentGroupProtocol, Ours),
    (Code::UnsupportedAssignor, Ours),
    (Code::GroupMaxSizeReached, Ours),
    (Code::UnreleasedInstanceId, Ours),
    (Code::UnsupportedSASLMechanism, Ours),
    (Code::IllegalSASLState, Ours),
    (Code::UnsupportedVersion, Ours),
    (Code::UnsupportedFeature, Ours),
    (Code::UnsupportedForMessageFormat, Ours),
    (Code::UnsupportedCompressionType, Ours),
    (Code::PolicyViolation, Ours),
    (Code::InvalidRequest, Ours),
    (Code::TopicAlreadyExists, Ours),
    (Code::TopicDeletionDisabled, Ours),
    (Code::ListenerNotFound, Ours),
    (Code::NotConfigured, Ours),
    (Code::NotImplemented, Ours),
    (Code::UnknownProtocol, Ours),
    (Code::AutoOffsetReset, Ours),
    (Code::OffsetOutOfRange, Ours),
    (Code::LogTruncation, Ours),
    // The surroundings: it may work the next time.
    (Code::Resolve, Transient),
    (Code::BrokerTransportFailure, Transient),
    (Code::AllBrokersDown, Transient),
    (Code::NetworkException, Transient),
    (Code::BrokerNotAvailable, Transient),
    (Code::LeaderNotAvailable, Transient),
    (Code::NotLeaderForPartition, Transient),
    (Code::FencedLeaderEpoch, Transient),
    (Code::UnknownLeaderEpoch, Transient),
    (Code::ReplicaNotAvailable, Transient),
    (Code::NotEnoughReplicas, Transient),
    (Code::NotEnoughReplicasAfterAppend, Transient),
    (Code::KafkaStorageError, Transient),
    (Code::OffsetNotAvailable, Transient),
    (Code::RequestTimedOut, Transient),
    (Code::OperationTimedOut, Transient),
    (Code::MessageTimedOut, Transient),
    (Code::TimedOutQueue, Transient),
    (Code::NotController, Transient),
    (Code::RebootstrapRequired, Transient),
    // The group moves; the records stay where they are.
    (Code::WaitingForCoordinator, Transient),
    (Code::CoordinatorLoadInProgress, Transient),
    (Code::CoordinatorNotAvailable, Transient),
    (Code::NotCoordinator, Transient),
    (Code::IllegalGeneration, Transient),
    (Code::UnknownMemberId, Transient),
    (Code::MemberIdRequired, Transient),
    (Code::RebalanceInProgress, Transient),
    (Code::AssignmentLost, Transient),
    (Code::PollExceeded, Transient),
    (Code::StaleMemberEpoch, Transient),
    (Code::FencedMemberEpoch, Transient),
    // This client is finished; a new one sends again.
    (Code::Fatal, Transient),
    (Code::Fenced, Transient),
    (Code::FencedInstanceId, Transient),
    (Code::ProducerFenced, Transient),
    (Code::InvalidProducerEpoch, Transient),
    (Code::InvalidProducerIdMapping, Transient),
    (Code::UnknownProducerId, Transient),
    (Code::OutOfOrderSequenceNumber, Transient),
    (Code::GaplessGuarantee, Transient),
    (Code::PurgeQueue, Transient),
    (Code::PurgeInflight, Transient),
];

#[cfg(test)]
mod tests;
