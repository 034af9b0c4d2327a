//! Sends OTLP requests over plain HTTP/1.1, with a deadline.
//!
//! OTLP goes to a collector on the same machine or network, so no TLS stack is linked for it. Exporters call this on
//! threads of their own, which may block.

use std::fmt;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

use crate::clock::{Clock, SystemClock};
use crate::config::{ConfigError, Settings};

/// One export may take this long, from connecting to the answer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// Answers are tiny; what is longer is cut.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

type Sending<'f> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>;

/// Checks the setting `key`, the base URL of a receiver: `None` when it is empty, else without a slash at its end.
pub(crate) fn endpoint(settings: &Settings, key: &str, text: &str) -> Result<Option<String>, ConfigError> {
    if text.is_empty() {
        return Ok(None);
    }
    let base = text.trim_end_matches('/');
    let authority =
        base.strip_prefix("http://").filter(|rest| !rest.is_empty() && !rest.contains(['@', ' ', '?', '#']));
    match authority {
        Some(_) => Ok(Some(base.to_owned())),
        None => {
            Err(settings
                .refuse(key, "allowed is a URL such as http://127.0.0.1:4318 (plain http: use a collector nearby)"))
        }
    }
}

/// An HTTP client for the OTLP exporters. Logs when exporting starts to fail, and when it works again.
pub(crate) struct PlainHttp {
    signal: &'static str,
    failing: AtomicBool,
}

impl PlainHttp {
    /// `signal` is `metrics` or `traces`, for the log.
    pub(crate) fn new(signal: &'static str) -> Self {
        Self { signal, failing: AtomicBool::new(false) }
    }

    fn send(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let outcome = exchange(request).and_then(|answer| read_status(&answer));
        let error = match &outcome {
            Ok(status) if (200..300).contains(status) => None,
            Ok(status) => Some(format!("it answered with status {status}")),
            Err(error) => Some(error.to_string()),
        };
        let failed_before = self.failing.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !failed_before => {
                tracing::warn!(signal = self.signal, endpoint = %request.uri(), error, "telemetry cannot be exported");
            }
            None if failed_before => tracing::info!(signal = self.signal, "telemetry is exported again"),
            _ => {}
        }
        Ok(Response::builder().status(outcome?).body(Bytes::new())?)
    }
}

impl fmt::Debug for PlainHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainHttp").field("signal", &self.signal).finish_non_exhaustive()
    }
}

// What the `async_trait` attribute on the trait asks for, written out.
impl HttpClient for PlainHttp {
    fn send_bytes<'c, 'f>(&'c self, request: Request<Bytes>) -> Sending<'f>
    where
        'c: 'f,
        Self: 'f,
    {
        Box::pin(async move { self.send(&request) })
    }
}

/// Sends the request and reads until the other side closes, all within [`DEADLINE`].
fn exchange(request: &Request<Bytes>) -> io::Result<Vec<u8>> {
    let started = SystemClock.now();
    let left = || {
        let left = DEADLINE.saturating_sub(SystemClock.now().saturating_sub(started));
        if left.is_zero() { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(left) }
    };
    let host = request.uri().host().unwrap_or_default().trim_matches(['[', ']']);
    let mut addresses = (host, request.uri().port_u16().unwrap_or(80)).to_socket_addrs()?;
    let address = addresses.next().ok_or_else(|| io::Error::other("the host name has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(&head(request))?;
    stream.write_all(request.body())?;
    let mut answer = Vec::new();
    let mut chunk = [0_u8; 4096];
    while answer.len() < MAX_ANSWER_BYTES {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut chunk)? {
            0 => break,
            read => answer.extend_from_slice(&chunk[..read]),
        }
    }
    Ok(answer)
}

fn head(request: &Request<Bytes>) -> Vec<u8> {
    let uri = request.uri();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let mut head =
        format!("{} {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body().len()).as_bytes());
    head
}

fn read_status(answer: &[u8]) -> io::Result<u16> {
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    std::str::from_utf8(line)
        .ok()
        .filter(|line| line.starts_with("HTTP/1."))
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or_else(|| io::Error::other("the answer is not HTTP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_plain_http_urls() {
        let settings = Settings::of(&serde_json::json!({"metrics": {"otlp_endpoint": "https://otel:4318"}}));
        let check = |text| endpoint(&settings, "metrics.otlp_endpoint", text);
        assert_eq!(check(""), Ok(None));
        assert_eq!(check("http://otel:4318/"), Ok(Some("http://otel:4318".to_owned())));
        for bad in ["https://otel:4318", "otel:4318", "http://", "http://user@otel"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(
            check("https://otel:4318").unwrap_err().to_string(),
            "metrics.otlp_endpoint is `https://otel:4318` (default): allowed is a URL such as http://127.0.0.1:4318 (plain http: use a collector nearby)"
        );
    }

    #[test]
    fn a_status_is_read_from_http_only() {
        assert_eq!(read_status(b"HTTP/1.1 200 OK\r\n\r\n").unwrap(), 200);
        assert!(read_status(b"").is_err());
        assert!(read_status(b"SSH-2.0-x\r\n").is_err());
    }
}
