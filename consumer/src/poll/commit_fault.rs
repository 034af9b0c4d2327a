//! What an error of a commit means. None of them loses anything: what is not committed is read again.

use domain::failure::FailureClass;
use kafka_client::failure::classify;
use rdkafka::error::RDKafkaErrorCode as Code;

/// The kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// The partition is no longer ours, or the group is moving: whoever owns it next reads from the last commit.
    Stale,
    /// The coordinator could not be reached or is busy: the next round tries again.
    Again,
    /// Rights or settings: people must mend it.
    Refused,
}

impl CommitFault {
    pub fn of(code: Code) -> Self {
        match code {
            Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::RebalanceInProgress
            | Code::FencedInstanceId
            | Code::StaleMemberEpoch
            | Code::FencedMemberEpoch
            | Code::State
            | Code::AssignmentLost
            | Code::NoOffset => Self::Stale,
            code if classify(code) == FailureClass::Ours => Self::Refused,
            _ => Self::Again,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, CommitFault};

    #[test]
    fn a_moving_group_is_no_error_and_missing_rights_are() {
        let stale = [
            Code::IllegalGeneration,
            Code::UnknownMemberId,
            Code::RebalanceInProgress,
            Code::FencedInstanceId,
            Code::State,
            Code::AssignmentLost,
            Code::NoOffset,
            Code::StaleMemberEpoch,
            Code::FencedMemberEpoch,
        ];
        assert!(stale.into_iter().all(|code| CommitFault::of(code) == CommitFault::Stale));
        let again = [
            Code::RequestTimedOut,
            Code::NotCoordinator,
            Code::CoordinatorLoadInProgress,
            Code::WaitingForCoordinator,
            Code::BrokerTransportFailure,
        ];
        assert!(again.into_iter().all(|code| CommitFault::of(code) == CommitFault::Again));
        for code in [Code::GroupAuthorizationFailed, Code::TopicAuthorizationFailed, Code::OffsetMetadataTooLarge] {
            assert_eq!(CommitFault::of(code), CommitFault::Refused);
        }
    }
}
