//! The admin port of a consumer inside this process, as an operator's `curl` reads it.

use crate::DEADLINE;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub struct Admin {
    folder: TempDir,
}

impl Admin {
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("address")
    }

    /// The setting that makes the consumer write its address.
    pub fn setting(&self) -> (&'static str, String) {
        ("ADMIN__ADDRESS_FILE", self.file().display().to_string())
    }

    /// The body of a path; `None` while nobody listens.
    pub fn get(&self, path: &str) -> Option<String> {
        self.ask("GET", path, "").map(|(_, body)| body)
    }

    /// The body of the answer to an order, which must be taken.
    pub fn post(&self, path: &str, body: &str) -> String {
        let (code, said) = self.ask("POST", path, body).unwrap();
        assert_eq!(code, 200, "{said}");
        said
    }

    /// Code and body; `None` while nobody listens.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let address = std::fs::read_to_string(self.file()).ok()?;
        let mut stream = TcpStream::connect(address.trim()).ok()?;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.get(9..12)?.parse().ok()?, body.to_owned()))
    }

    pub fn status(&self) -> Option<Value> {
        serde_json::from_str(&self.get("/status")?).ok()
    }

    /// Looks at /status until it is as wanted.
    pub async fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + DEADLINE;
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        let mut last = None;
        loop {
            looks.tick().await;
            let status = self.status();
            if let Some(status) = status.clone().filter(&wanted) {
                return status;
            }
            last = status.or(last);
            assert!(Instant::now() < until, "{last:?}");
        }
    }
}

/// A field of every owned partition, by partition.
pub fn each(status: &Value, field: &str) -> Vec<f64> {
    let partitions = status["assignment"].as_array().unwrap();
    partitions.iter().map(|partition| partition[field].as_f64().expect("never absent")).collect()
}

pub fn sum(status: &Value, field: &str) -> f64 {
    each(status, field).iter().sum()
}
