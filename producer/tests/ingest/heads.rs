//! Heads of requests: bounded before anybody has shown a token.

use crate::bench::Bench;
use std::io::{Read, Write};

/// The status of an answer to a head of so many bytes; `None` when the connection ends without one.
fn status(bench: &Bench, bytes: usize) -> Option<String> {
    let mut stream = bench.client().stream;
    let head = "GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: ".to_owned();
    let head = format!("{head}{}\r\n\r\n", "x".repeat(bytes - head.len() - 4));
    // A server that has read enough closes while we still write.
    let _ = stream.write_all(head.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).split(' ').nth(1).map(str::to_owned)
}

#[test]
fn a_head_over_32_kib_is_refused_and_one_below_is_not() {
    let bench = Bench::new(|_| {});
    for bytes in [24 * 1024, 32 * 1024] {
        assert_eq!(status(&bench, bytes).as_deref(), Some("200"), "{bytes}");
    }
    for bytes in [32 * 1024 + 1, 33_000, 40_000, 64 * 1024] {
        let large = status(&bench, bytes);
        assert!(large.as_deref().is_none_or(|status| status == "431"), "{bytes}: {large:?}");
    }
}
