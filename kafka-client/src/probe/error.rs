//! What stands in the way, as a sentence with a next step. All of these are about the surroundings: exit code 1.

use crate::settings::{ClientError, ClientSettings};
use domain::failure::FailureClass;
use rdkafka::error::RDKafkaErrorCode;
use std::fmt;
use std::time::Duration;

/// Why a check did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The client refuses its settings.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No broker answered in time.
    #[error("no Kafka broker of {} answered within {} ({reason}): check kafka.bootstrap_servers, \
        name resolution, security groups, and that the brokers run", standing.bootstrap, Seconds(*waited))]
    Unreachable { standing: Standing, waited: Duration, reason: String },
    /// The broker wants TLS and we speak plaintext.
    #[error(
        "{broker} closes plaintext connections, it is most likely a TLS listener: set kafka.tls.ca, \
        and kafka.tls.certificate and kafka.tls.key for mutual TLS"
    )]
    TlsExpected { broker: String },
    /// We speak TLS and the broker does not.
    #[error(
        "{broker} does not speak TLS ({reason}): use the port of its TLS listener in kafka.bootstrap_servers, \
        or leave kafka.tls out for plaintext"
    )]
    NotTls { broker: String, reason: String },
    /// We do not trust the broker.
    #[error("TLS to {broker} failed: {fault}")]
    BrokerCertificate { broker: String, fault: String },
    /// The broker asks for a certificate and gets none.
    #[error(
        "{broker} refused TLS because we sent no client certificate ({reason}): set kafka.tls.certificate \
        and kafka.tls.key"
    )]
    CertificateMissing { broker: String, reason: String },
    /// The broker does not trust us.
    #[error(
        "{broker} refused our certificate {subject} ({reason}): it must be valid and issued by an authority that \
        the brokers trust; ours was issued by {issuer}"
    )]
    CertificateRefused { broker: String, subject: String, issuer: String, reason: String },
    /// Topics that are not there.
    #[error("{} on {}: create them with `comboioctl topics apply`, or correct the name",
        Missing(topics), standing.bootstrap)]
    TopicsMissing { topics: Vec<String>, standing: Standing },
    /// Topics that we may not see.
    #[error("{} may not use {} on {}: ask for an ACL that allows Describe, and Write for a producer or Read for a \
        consumer", standing.principal, Topics(topics), standing.bootstrap)]
    TopicsNotAuthorised { topics: Vec<String>, standing: Standing },
    /// A group that we may not use.
    #[error("{} may not use the consumer group {group} on {}: ask for an ACL that allows Read on the group",
        standing.principal, standing.bootstrap)]
    GroupNotAuthorised { group: String, standing: Standing },
    /// Any other no.
    #[error("Kafka refused the request for {asked}: {code}")]
    Refused { asked: String, code: RDKafkaErrorCode },
}

/// Who asks whom, for sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The configured brokers, with commas.
    pub bootstrap: String,
    /// Our name in ACLs: `User:CN=producer`, or the anonymous user.
    pub principal: String,
}

impl Standing {
    pub(crate) fn of(settings: &ClientSettings) -> Self {
        let subject = settings.bundle().and_then(|bundle| bundle.subject().map(str::to_owned));
        Self {
            bootstrap: settings.bootstrap().join(","),
            principal: format!("User:{}", subject.as_deref().unwrap_or("ANONYMOUS")),
        }
    }
}

impl ProbeError {
    /// Whether waiting may help (transient) or somebody has to act (ours).
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Unreachable { .. } => FailureClass::Transient,
            Self::Refused { code, .. } => crate::failure::classify(*code),
            _ => FailureClass::Ours,
        }
    }
}

struct Missing<'a>(&'a [String]);

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} not exist", Topics(self.0), if self.0.len() == 1 { "does" } else { "do" })
    }
}

struct Topics<'a>(&'a [String]);

impl fmt::Display for Topics<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "topic{} {}", if self.0.len() == 1 { "" } else { "s" }, self.0.join(", "))
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            millis if millis >= 1_000 => write!(f, "{} s", (millis + 500) / 1_000),
            millis => write!(f, "{millis} ms"),
        }
    }
}
