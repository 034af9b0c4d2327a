//! Destination `http`: POST of one event a line (NDJSON). 2xx means that every line is delivered.
//!
//! The client is built once, at cold start; TLS roots are loaded only for an https URL.

mod answer;

use super::batching::{BatchRaw, Limits};
use super::{Destination, Outcome, Parcel};
use crate::together::BoxFuture;
use domain::failure::FailureClass;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Url};
use runtime::config::{ConfigError, Settings};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// `[destinations.NAME.http]` as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpRaw {
    /// Where to POST: `http://...` or `https://...`.
    pub url: String,
    /// PEM file of the only authorities to trust for https; empty: those of the system.
    pub ca: String,
    pub batch: BatchRaw,
}

/// One URL and its connections.
#[derive(Debug)]
pub struct HttpDestination {
    client: Client,
    url: Url,
    limits: Limits,
}

/// A connection that has been idle for longer may have been dropped on the way (a frozen Lambda instance cannot notice).
const IDLE_FOR: Duration = Duration::from_secs(30);

const BATCH_ID: HeaderName = HeaderName::from_static("comboio-batch-id");
const ATTEMPT: HeaderName = HeaderName::from_static("comboio-attempt");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

impl HttpDestination {
    /// Checks the section `section` and builds the client; touches no network.
    ///
    /// # Errors
    /// A URL that is none, an authority file that cannot be read, a limit of zero.
    pub fn build(section: &str, raw: &HttpRaw, settings: &Settings) -> Result<Self, ConfigError> {
        let refuse = |key: &str, sentence: &str| settings.refuse(&format!("{section}.{key}"), sentence);
        let url = Url::parse(&raw.url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| refuse("url", "allowed is a URL such as http://127.0.0.1:8080/v1/deliveries"))?;
        let limits = raw.batch.limits().map_err(|(key, sentence)| refuse(&format!("batch.{key}"), sentence))?;
        let client = secured(Client::builder(), url.scheme(), &raw.ca).map_err(|why| refuse("ca", &why))?;
        let client = client
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(IDLE_FOR)
            .user_agent(concat!("comboio/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| refuse("url", &format!("no client can be made for it: {error}")))?;
        Ok(Self { client, url, limits })
    }

    async fn post(&self, parcel: Parcel<'_>) -> Outcome {
        let request = self.client.post(self.url.clone()).headers(headers(&parcel)).body(parcel.ndjson());
        match request.send().await {
            Ok(response) => answer::outcome(response).await,
            Err(error) => Outcome::Failed(answer::refused_connection(&error)),
        }
    }
}

impl Destination for HttpDestination {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn deliver<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(self.post(parcel))
    }
}

fn headers(parcel: &Parcel<'_>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, NDJSON);
    headers.insert(ATTEMPT, HeaderValue::from(parcel.head.attempt));
    // A topic cannot hold anything that a header cannot; a request that pretends otherwise goes without the header.
    if let Ok(id) = HeaderValue::from_str(parcel.head.batch_id) {
        headers.insert(BATCH_ID, id);
    }
    if let Some(Ok(trace)) = parcel.head.traceparent.map(HeaderValue::from_str) {
        headers.insert(TRACEPARENT, trace);
    }
    headers
}

/// Gives the client a TLS configuration of its own: with no roots at all for http, which costs nothing at cold start.
fn secured(client: ClientBuilder, scheme: &str, ca: &str) -> Result<ClientBuilder, String> {
    if scheme == "https" {
        // A second destination finds the provider installed; both are ring.
        let _ = rustls::crypto::ring::default_provider().install_default();
        if ca.is_empty() {
            return Ok(client);
        }
        let pem = std::fs::read(ca).map_err(|error| format!("the file cannot be read: {error}"))?;
        let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| format!("no PEM bundle: {error}"))?;
        if roots.is_empty() {
            return Err("the file holds no PEM certificate".to_owned());
        }
        return Ok(client.tls_certs_only(roots));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(client.tls_backend_preconfigured(config))
}

/// What an HTTP status means for the policy; `None` is delivered.
fn class_of(status: u16) -> Option<FailureClass> {
    match status {
        200..=299 => None,
        429 => Some(FailureClass::Throttled),
        413 => Some(FailureClass::TooLarge),
        408 | 425 | 500..=599 => Some(FailureClass::Transient),
        // The URL, the method or our rights are wrong, not the events: a dead letter would be a lie.
        401 | 403 | 404 | 405 | 407 | 421 => Some(FailureClass::Ours),
        400..=499 => Some(FailureClass::Rejected),
        // Redirects are not followed: the URL in the configuration is the wrong one.
        _ => Some(FailureClass::Ours),
    }
}

#[cfg(test)]
mod tests;
