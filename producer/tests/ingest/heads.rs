//! Heads of requests: bounded before anybody has shown a token.

use crate::bench::Bench;
use std::io::{Read, Write};

/// The status of an answer to a head with so many bytes of padding; `None` when the connection ends without one.
fn status(bench: &Bench, padding: usize) -> Option<String> {
    let mut stream = bench.client().stream;
    let head =
        format!("GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: {}\r\n\r\n", "x".repeat(padding));
    // A server that has read enough closes while we still write.
    let _ = stream.write_all(head.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).split(' ').nth(1).map(str::to_owned)
}

#[test]
fn a_head_over_32_kib_is_refused_and_one_below_is_not() {
    let bench = Bench::new(|_| {});
    assert_eq!(status(&bench, 24 * 1024).as_deref(), Some("200"));
    let large = status(&bench, 64 * 1024);
    assert!(large.as_deref().is_none_or(|status| status == "431"), "{large:?}");
}
