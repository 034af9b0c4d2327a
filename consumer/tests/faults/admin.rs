//! The admin port of a consumer, as an operator's `curl` reads it.

use crate::DEADLINE;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// The status code and the body of one request; `None` while nobody listens.
pub fn ask(address_file: &Path, request: &str) -> Option<(u16, String)> {
    let address = std::fs::read_to_string(address_file).ok()?;
    let mut stream = TcpStream::connect(address.trim()).ok()?;
    stream.set_read_timeout(Some(DEADLINE)).ok()?;
    write!(stream, "{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// A field of every owned partition.
pub fn each(status: &Value, field: &str) -> Vec<f64> {
    let partitions = status["assignment"].as_array().unwrap();
    partitions.iter().map(|partition| partition[field].as_f64().expect("never absent")).collect()
}

pub fn sum(status: &Value, field: &str) -> f64 {
    each(status, field).iter().sum()
}
