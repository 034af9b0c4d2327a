//! A client of the admin port.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// One request to an admin port, and the whole answer.
pub fn ask(address: &str, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let length = body.len();
    let request =
        format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// `/status`.
pub fn status(address: &str) -> Value {
    let answer = ask(address, "GET /status", "");
    let body = answer.find('{').map(|at| &answer[at..]).unwrap_or_default();
    serde_json::from_str(body).unwrap_or_default()
}
