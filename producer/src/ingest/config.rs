//! Section `[ingest]`: as it is written, and as it is meant.

use super::tls::{self, Tls};
use runtime::address_file;
use runtime::config::{ConfigError, Settings, Size, Span};
use runtime::token::BearerToken;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Section `[ingest]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestRaw {
    /// Address and port; port 0 takes any free one. What others can reach needs `token_file` or required client certificates.
    pub listen: String,
    /// File with the bearer token that every request must then carry, 16 characters or more; empty: none.
    pub token_file: String,
    /// File to which the bound address is written, removed at the end; empty: none.
    pub address_file: String,
    /// The largest body of a request.
    pub max_body: Size,
    /// The longest line; what Kafka does not take becomes a dead letter anyway.
    pub max_line: Size,
    /// The most events in a request.
    pub max_events: u64,
    /// How long a request may wait for the fates of its events.
    pub answer_within: Span,
    /// How long a sender may take for the body.
    pub body_within: Span,
    /// The most events that wait for the flow, over all requests.
    pub queue_events: u64,
    /// The most bytes of bodies that are being read or wait for the flow, over all requests.
    pub queue_size: Size,
    /// The most open connections; others wait to be accepted.
    pub max_connections: u64,
    pub tls: IngestTlsRaw,
}

/// Section `[ingest.tls]`; without a certificate the connection is not encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestTlsRaw {
    /// PEM: the server's certificate, then its intermediates.
    pub certificate: String,
    /// PEM: the key of the certificate, not encrypted.
    pub key: String,
    /// PEM: the authorities that vouch for clients; empty: clients are not asked for certificates.
    pub client_ca: String,
    /// With `client_ca`: whether a client without a certificate is refused.
    pub client_required: bool,
}

impl Default for IngestRaw {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            token_file: String::new(),
            address_file: String::new(),
            max_body: Size::from_mib(4),
            max_line: Size::from_kib(64),
            max_events: 10_000,
            answer_within: Span::from_secs(30),
            body_within: Span::from_secs(30),
            queue_events: 100_000,
            queue_size: Size::from_mib(64),
            max_connections: 1_024,
            tls: IngestTlsRaw::default(),
        }
    }
}

impl Default for IngestTlsRaw {
    fn default() -> Self {
        Self { certificate: String::new(), key: String::new(), client_ca: String::new(), client_required: true }
    }
}

/// How large a request may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    pub body: usize,
    pub line: usize,
    pub events: usize,
}

/// Validated `[ingest]`.
#[derive(Debug, Clone)]
pub struct IngestConfig {
    pub(super) listen: SocketAddr,
    pub(super) token: Option<BearerToken>,
    pub(super) address_file: Option<PathBuf>,
    pub limits: RequestLimits,
    pub answer_within: Duration,
    pub body_within: Duration,
    pub queue_events: usize,
    pub queue_bytes: usize,
    pub(super) max_connections: usize,
    pub(super) tls: Option<Tls>,
}

impl IngestConfig {
    /// Checks the section `ingest` and reads the files that it names.
    ///
    /// # Errors
    /// The setting, its value, its origin, and what is allowed.
    pub fn validate(settings: &Settings, raw: &IngestRaw) -> Result<Self, ConfigError> {
        let listen: SocketAddr = raw
            .listen
            .parse()
            .map_err(|_| settings.refuse("ingest.listen", "allowed is an address and port such as 127.0.0.1:8080"))?;
        let token = BearerToken::read(settings, "ingest.token_file", &raw.token_file)?;
        let tls = tls::read(settings, &raw.tls)?;
        let knows_clients = token.is_some() || tls.as_ref().is_some_and(Tls::knows_clients);
        if !knows_clients && !listen.ip().is_loopback() {
            let sentence = "others can reach this address: write ingest.token_file or ingest.tls.client_ca, or listen on 127.0.0.1";
            return Err(settings.refuse("ingest.listen", sentence));
        }
        sizes(settings, raw)?;
        spans(settings, raw)?;
        Ok(Self {
            listen,
            token,
            address_file: address_file::named(settings, "ingest.address_file", &raw.address_file)?,
            limits: RequestLimits {
                body: raw.max_body.bytes() as usize,
                line: raw.max_line.bytes() as usize,
                events: raw.max_events as usize,
            },
            answer_within: raw.answer_within.get(),
            body_within: raw.body_within.get(),
            queue_events: raw.queue_events as usize,
            queue_bytes: raw.queue_size.bytes() as usize,
            max_connections: raw.max_connections as usize,
            tls,
        })
    }

    /// True when a token travels where others may read it.
    pub(super) fn token_in_clear(&self) -> bool {
        self.token.is_some() && self.tls.is_none() && !self.listen.ip().is_loopback()
    }
}

/// A body becomes one buffer of the flow, whose places are 32 bits wide.
const LARGEST_BODY: Size = Size::from_mib(256);

fn sizes(settings: &Settings, raw: &IngestRaw) -> Result<(), ConfigError> {
    let (line, body, queue) = (raw.max_line, raw.max_body, raw.queue_size);
    // Of two that do not fit together the one is to blame that somebody wrote.
    let only = |name: &str, other: &str| {
        settings.is_written(&format!("ingest.{name}")) && !settings.is_written(&format!("ingest.{other}"))
    };
    let (narrow, short) = (line > body, raw.max_events > raw.queue_events);
    let (body_is_small, many_events) = (only("max_body", "max_line"), only("max_events", "queue_events"));
    let checks = [
        ("max_line", line >= Size::from_kib(1) && (!narrow || body_is_small), "allowed is \"1KiB\" to max_body"),
        ("max_body", body <= LARGEST_BODY && !narrow, "allowed is max_line to \"256MiB\""),
        (
            "max_events",
            (1..=1_000_000).contains(&raw.max_events) && !(short && many_events),
            "allowed is 1 to queue_events, at most 1000000",
        ),
        ("queue_events", !short && raw.queue_events <= 10_000_000, "allowed is max_events to 10000000"),
        ("queue_size", queue >= body && queue <= Size::from_mib(16_384), "allowed is max_body to \"16GiB\""),
        ("max_connections", (1..=100_000).contains(&raw.max_connections), "allowed is 1 to 100000"),
    ];
    match checks.iter().find(|(_, good, _)| !good) {
        Some((name, _, allowed)) => Err(settings.refuse(&format!("ingest.{name}"), allowed)),
        None => Ok(()),
    }
}

fn spans(settings: &Settings, raw: &IngestRaw) -> Result<(), ConfigError> {
    for (key, span) in [("ingest.answer_within", raw.answer_within), ("ingest.body_within", raw.body_within)] {
        if span.get() < Duration::from_millis(100) || span.get() > Duration::from_secs(3_600) {
            return Err(settings.refuse(key, "allowed is \"100ms\" to \"1h\""));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{IngestConfig, IngestRaw, IngestTlsRaw, Settings, Size, Span};

    fn refusal(change: impl FnOnce(&mut IngestRaw)) -> String {
        let mut raw = IngestRaw::default();
        change(&mut raw);
        let settings = Settings::of(&serde_json::json!({ "ingest": raw }));
        IngestConfig::validate(&settings, &raw).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_good_and_each_wrong_value_is_named() {
        let settings = Settings::of(&serde_json::json!({ "ingest": IngestRaw::default() }));
        let config = IngestConfig::validate(&settings, &IngestRaw::default()).unwrap();
        assert_eq!((config.listen.to_string().as_str(), config.limits.events), ("127.0.0.1:8080", 10_000));
        for (said, sentence) in [
            ("ingest.listen is `localhost`", refusal(|raw| raw.listen = "localhost".into())),
            ("others can reach this address", refusal(|raw| raw.listen = "0.0.0.0:8080".into())),
            ("ingest.token_file is `/nowhere`", refusal(|raw| raw.token_file = "/nowhere".into())),
            ("ingest.max_line is `8MiB`", refusal(|raw| raw.max_line = Size::from_mib(8))),
            ("ingest.max_body is `1GiB`", refusal(|raw| raw.max_body = Size::from_mib(1_024))),
            ("ingest.max_events is `0`", refusal(|raw| raw.max_events = 0)),
            ("ingest.queue_events is `9999`", refusal(|raw| raw.queue_events = 9_999)),
            ("ingest.queue_size is `1MiB`", refusal(|raw| raw.queue_size = Size::from_mib(1))),
            ("ingest.max_connections is `0`", refusal(|raw| raw.max_connections = 0)),
            ("ingest.answer_within is `0s`", refusal(|raw| raw.answer_within = Span::from_secs(0))),
            ("ingest.body_within is `2h`", refusal(|raw| raw.body_within = Span::from_secs(7_200))),
        ] {
            assert!(sentence.contains(said), "{said}: {sentence}");
        }
    }

    #[test]
    fn client_certificates_open_the_way_for_others_only_when_they_are_required() {
        let optional = IngestTlsRaw { client_required: false, ..IngestTlsRaw::default() };
        let open = refusal(|raw| (raw.listen, raw.tls) = ("0.0.0.0:1".into(), optional));
        assert!(open.contains("others can reach this address"), "{open}");
    }
}
