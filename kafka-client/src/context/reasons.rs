//! The last reason of each kind that a client gave for not getting through, in words that fit into a sentence.

use rdkafka::error::RDKafkaErrorCode as Code;
use std::collections::BTreeMap;

/// The kinds, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonKind {
    /// A broker knows us and says no: rights, or a login.
    Refused,
    /// The TLS handshake failed, on their side or ours.
    Tls,
    /// The host name has no address.
    Resolve,
    /// Anything else that is worth a sentence.
    Other,
    /// Nobody listens, or the connection ended.
    Connection,
    /// The summary when no broker is left.
    AllDown,
}

/// What a client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub kind: ReasonKind,
    pub code: Code,
    /// `host:port` if it was said.
    pub broker: Option<String>,
    /// librdkafka's words, without its prefixes and hints at property names.
    pub text: String,
    /// How often this kind was said.
    pub times: u64,
    /// Whether the connection ended during the very first request: what plaintext gets from a TLS listener.
    pub at_first_request: bool,
}

#[derive(Debug, Default)]
pub(super) struct Reasons {
    last: BTreeMap<ReasonKind, Reason>,
}

impl Reasons {
    /// How often this kind was said by now.
    pub(super) fn note(&mut self, code: Code, said: &str) -> u64 {
        let kind = kind_of(code, said);
        let times = self.last.get(&kind).map_or(0, |before| before.times) + 1;
        let (broker, text) = tidy(said);
        let at_first_request = said.contains("in state APIVERSION_QUERY");
        self.last.insert(kind, Reason { kind, code, broker, text, times, at_first_request });
        times
    }

    /// A log line has no code; only its words tell what it is about.
    pub(super) fn note_log(&mut self, line: &str) {
        // `[thrd:ssl://host:port/bootstrap]: ` is librdkafka's thread name.
        let said = line.strip_prefix("[thrd:").and_then(|rest| rest.split_once("]: ")).map_or(line, |(_, rest)| rest);
        let code = if is_tls(said) { Code::SSL } else { Code::BrokerTransportFailure };
        if code == Code::SSL || !self.last.contains_key(&ReasonKind::Connection) {
            self.note(code, said);
        }
    }

    pub(super) fn last(&self, kind: ReasonKind) -> Option<&Reason> {
        self.last.get(&kind)
    }

    pub(super) fn telling(&self) -> Option<&Reason> {
        self.last.values().next()
    }
}

fn kind_of(code: Code, said: &str) -> ReasonKind {
    match code {
        Code::SSL => ReasonKind::Tls,
        Code::Resolve => ReasonKind::Resolve,
        Code::AllBrokersDown => ReasonKind::AllDown,
        Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed => ReasonKind::Refused,
        // A broker that dislikes our certificate says so after the handshake: that arrives as a failed read.
        _ if is_tls(said) => ReasonKind::Tls,
        Code::BrokerTransportFailure | Code::OperationTimedOut | Code::NetworkException => ReasonKind::Connection,
        _ => ReasonKind::Other,
    }
}

/// Who hangs up without an alert, or says nothing at all, says nothing about certificates: a load balancer without its broker
/// does the one, a broker that stands still the other.
fn is_tls(said: &str) -> bool {
    let about_tls = said.contains("SSL") || said.contains("certificate") || said.contains("ssl/tls");
    about_tls && !said.contains("Disconnected") && !said.contains("timed out")
}

/// Splits `ssl://host:port/2: words (after 3ms in state CONNECT, 1 identical error(s) suppressed): hints` into the broker and the words.
fn tidy(said: &str) -> (Option<String>, String) {
    let (broker, words) = split_broker(said);
    let mut words = words.trim();
    for cut in [
        " (after ",
        ": broker certificate could not",
        ": client SSL authentication",
        ": connecting to a ",
        " (install ",
    ] {
        words = words.find(cut).map_or(words, |at| &words[..at]);
    }
    // error:0A000086:SSL routines::certificate verify failed
    let words = match words.find("error:") {
        Some(at) => words[at..].rsplit("::").next().filter(|last| !last.is_empty()).unwrap_or(words),
        None => words,
    };
    (broker, words.trim().trim_end_matches([':', '.']).to_owned())
}

/// Takes `ssl://host:port/1: ` or `host:port/bootstrap: ` off the front.
fn split_broker(said: &str) -> (Option<String>, &str) {
    let Some((front, words)) = said.split_once(": ") else { return (None, said) };
    let address = front.rsplit("://").next().unwrap_or(front);
    let address = address.split('/').next().unwrap_or(address);
    let is_address = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if is_address { (Some(address.to_owned()), words) } else { (None, said) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(code: Code, said: &str) -> Reason {
        let mut reasons = Reasons::default();
        reasons.note(code, said);
        reasons.telling().cloned().expect("one reason")
    }

    #[test]
    fn a_refused_connection_keeps_its_broker_and_loses_its_timing() {
        let said = "127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection refused (after 0ms in state CONNECT)";
        let reason = one(Code::BrokerTransportFailure, said);
        assert_eq!(reason.kind, ReasonKind::Connection);
        assert_eq!(reason.broker.as_deref(), Some("127.0.0.1:9"));
        assert_eq!(reason.text, "Connect to ipv4#127.0.0.1:9 failed: Connection refused");
    }

    #[test]
    fn a_failed_handshake_loses_openssl_s_numbers_and_the_hint_at_a_package() {
        let said = "ssl://localhost:9094/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: \
                    broker certificate could not be verified, verify that ssl.ca.location is correctly configured or root CA \
                    certificates are installed (install ca-certificates package) (after 3ms in state SSL_HANDSHAKE)";
        let reason = one(Code::SSL, said);
        assert_eq!(reason.kind, ReasonKind::Tls);
        assert_eq!(reason.broker.as_deref(), Some("localhost:9094"));
        assert_eq!(reason.text, "certificate verify failed");
    }

    #[test]
    fn an_alert_after_the_handshake_is_about_tls() {
        let said =
            "ssl://localhost:9094/1: Receive failed: error:0A00045C:SSL routines::tlsv13 alert certificate required";
        assert_eq!(one(Code::BrokerTransportFailure, said).kind, ReasonKind::Tls);
    }

    #[test]
    fn a_handshake_in_which_somebody_hangs_up_is_no_word_about_certificates() {
        for words in [
            "Disconnected: SSL connection closed by peer",
            "SSL handshake failed: Disconnected: connection reset",
            "Connection setup timed out in state SSL_HANDSHAKE",
        ] {
            let said = format!("ssl://h:1/bootstrap: {words} (after 0ms in state SSL_HANDSHAKE)");
            assert_eq!(one(Code::BrokerTransportFailure, &said).kind, ReasonKind::Connection);
            let mut reasons = Reasons::default();
            reasons.note_log(&format!("[thrd:ssl://h:1/bootstrap]: {said}"));
            assert_eq!(reasons.telling().map(|reason| reason.kind), Some(ReasonKind::Connection));
        }
    }

    #[test]
    fn a_connection_that_ends_during_the_first_request_is_noted() {
        let said = "h:1/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after 4ms in state APIVERSION_QUERY)";
        let reason = one(Code::BrokerTransportFailure, said);
        assert!(reason.at_first_request);
        assert_eq!(reason.text, "Disconnected: connection closed by peer: receive 0 after POLLIN");
    }

    #[test]
    fn the_most_telling_reason_wins() {
        let mut reasons = Reasons::default();
        reasons.note(Code::AllBrokersDown, "1/1 brokers are down");
        reasons.note(Code::BrokerTransportFailure, "h:1/bootstrap: Connection refused");
        assert_eq!(reasons.telling().map(|reason| reason.kind), Some(ReasonKind::Connection));
        reasons.note(Code::SSL, "ssl://h:1/bootstrap: SSL handshake failed: no");
        reasons.note(Code::SSL, "ssl://h:1/bootstrap: SSL handshake failed: still no");
        let telling = reasons.telling().expect("a reason");
        assert_eq!((telling.kind, telling.times), (ReasonKind::Tls, 2));
    }

    #[test]
    fn a_log_line_becomes_a_reason_without_its_thread() {
        let mut reasons = Reasons::default();
        reasons.note_log("[thrd:ssl://h:1/bootstrap]: ssl://h:1/bootstrap: SSL handshake failed: no");
        assert_eq!(reasons.telling().and_then(|reason| reason.broker.clone()).as_deref(), Some("h:1"));
    }
}
