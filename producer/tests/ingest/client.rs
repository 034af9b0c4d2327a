//! An HTTP client that can do what a well-behaved one cannot: stop in the middle, hang up, send two requests at once.

use crate::document;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The word that says why.
    pub fn reason(&self) -> String {
        self.json()["reason"].as_str().unwrap_or_default().to_owned()
    }
}

/// One connection.
pub struct Client<S> {
    pub stream: S,
    /// Sent with every request, each line ended.
    pub headers: String,
}

impl Client<TcpStream> {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, headers: String::new() }
    }
}

impl<S: Read + Write> Client<S> {
    /// Sends lines and waits for the answer.
    pub fn post(&mut self, body: &str) -> Reply {
        self.begin("POST", "/v1/events", body.len());
        self.send(body);
        self.reply("post", "/v1/events")
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.begin("GET", path, 0);
        self.reply("get", path)
    }

    /// Sends the head of a request alone.
    pub fn begin(&mut self, method: &str, path: &str, length: usize) {
        let more = &self.headers;
        let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{more}\r\n");
        self.send(&head);
    }

    pub fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
        self.stream.flush().unwrap();
    }

    /// Reads one answer, and holds it against the document.
    pub fn reply(&mut self, method: &str, path: &str) -> Reply {
        let reply = self.read();
        document::check(method, path, &reply);
        reply
    }

    fn read(&mut self) -> Reply {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("the head of an answer");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let (first, rest) = head.split_once("\r\n").unwrap();
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        let field =
            |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        let headers: HashMap<String, String> = rest.lines().filter_map(field).collect();
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        self.stream.read_exact(&mut body).unwrap();
        Reply { status, headers, body }
    }
}
