//! The consumer as a process, and its admin port as an operator's `curl` sees it.
#![allow(dead_code)]

use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use localenv::process::Guarded;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const DEADLINE: Duration = Duration::from_secs(30);
/// Nothing listens there.
pub const NOBODY: &str = "http://127.0.0.1:9";

pub struct Consumer {
    pub process: Guarded,
    pub folder: TempDir,
}

impl Consumer {
    pub fn start(command: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_with(command, settings, &[])
    }

    /// With more variables of the environment.
    pub fn start_with(command: &str, settings: &[(&str, &str)], variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_comboio-consumer"));
        program.arg(command).env_clear();
        // No test may ask anybody but this machine: neither AWS nor its metadata service.
        program.env("AWS_EC2_METADATA_DISABLED", "true").env("COMBOIO_FUNCTION__ENDPOINT_URL", NOBODY);
        program.env("COMBOIO_ADMIN__ADDRESS_FILE", folder.path().join("address"));
        program.env("COMBOIO_CONSUMER__GROUP", "g").env("COMBOIO_FUNCTION__NAME", "dispatcher");
        program.envs(settings.iter().map(|(key, value)| (format!("COMBOIO_{key}"), value)));
        program.envs(variables.iter().copied());
        let process = Guarded::spawn("consumer", program, &folder.path().join("log")).unwrap();
        Self { process, folder }
    }

    /// Its exit code and what it said.
    pub fn end(mut self) -> (Option<i32>, String) {
        let status = self.process.wait_exit(DEADLINE).unwrap();
        let said = self.said();
        (status.expect("ends in time").code(), said)
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub fn wait_for(&mut self, words: &str) {
        let until = Instant::now() + DEADLINE;
        while !self.said().contains(words) {
            assert!(
                Instant::now() < until && self.process.exited().unwrap().is_none(),
                "no `{words}`: {}",
                self.said()
            );
            self.process.wait_exit(Duration::from_millis(20)).unwrap();
        }
    }
}

/// One request to the admin port, and the whole answer.
pub fn ask(address: &str, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let length = body.len();
    write!(stream, "{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub fn broker(topics: &[&str]) -> EmbeddedBroker {
    EmbeddedBroker::start(1, &topics.iter().map(|name| Topic::new(*name, 1)).collect::<Vec<_>>()).unwrap()
}
