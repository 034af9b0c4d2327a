//! Senders as they should be: each sends its events in order, and sends a request again until it is answered with 202.

use crate::stage::DEADLINE;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const SENDERS: u32 = 4;
/// Four senders with 100 events each: 2,000 events/s.
const EVERY: Duration = Duration::from_millis(200);
const TRUCKS: u64 = 5;
const CODES: [u32; 2] = [300, 400];
const EACH: u64 = 10;
const AGAIN: Duration = Duration::from_millis(100);

/// What one sender met.
#[derive(Debug, Default)]
pub struct Met {
    /// Requests answered with 202, and the events of each of its keys in them.
    pub accepted: u64,
    /// Answers by status, and broken connections as 0.
    pub answers: BTreeMap<u16, u64>,
    /// The longest that one request took from its first try to 202.
    pub longest: Duration,
}

pub struct Senders {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Met>>,
}

impl Senders {
    /// `address` is the file in which the producer tells where it listens.
    pub fn start(address: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let spawn = |sender| {
            let (stop, address) = (stop.clone(), address.clone());
            std::thread::spawn(move || send(sender, &address, &stop))
        };
        Self { threads: (0..SENDERS).map(spawn).collect(), stop }
    }

    /// Ends them after their last request is accepted; by sender, what it met.
    pub fn stop(self) -> Vec<Met> {
        self.stop.store(true, Ordering::SeqCst);
        self.threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    }
}

/// The keys of a sender: truck and codigo; each has [`events_of`] its requests, from seq 1 on.
pub fn keys(sender: usize) -> impl Iterator<Item = (String, u32)> {
    (0..TRUCKS).flat_map(move |truck| CODES.map(|codigo| (format!("S{sender}T{truck}"), codigo)))
}

pub fn events_of(met: &Met) -> u64 {
    met.accepted * EACH
}

/// A valid event.
pub fn event(truck: &str, codigo: u32, seq: u64) -> String {
    format!(
        r#"{{"v":1,"id":"s-{truck}-{codigo}-{seq}","codigo":{codigo},"truck_id":"{truck}","seq":{seq},"ts":1763701200123,"lat":-23.5,"lon":-46.6,"speed":8.4,"fuel":6.2,"odo":2.2}}"#
    )
}

fn send(sender: u32, address: &Path, stop: &AtomicBool) -> Met {
    let (mut met, mut connection, begin) = (Met::default(), None, Instant::now());
    while !stop.load(Ordering::SeqCst) {
        let due = EVERY * met.accepted as u32;
        pause(due.saturating_sub(begin.elapsed()));
        let first = met.accepted * EACH + 1;
        let lines = (first..first + EACH).flat_map(|seq| keys(sender as usize).map(move |key| (key, seq)));
        let body: String = lines.map(|((truck, codigo), seq)| event(&truck, codigo, seq) + "\n").collect();
        let tried = Instant::now();
        until_accepted(&mut connection, address, &body, &mut met);
        met.longest = met.longest.max(tried.elapsed());
        met.accepted += 1;
    }
    met
}

fn until_accepted(connection: &mut Option<TcpStream>, address: &Path, body: &str, met: &mut Met) {
    let end = Instant::now() + DEADLINE;
    loop {
        let status = post(connection, address, body).map_or_else(
            |error| {
                assert!(!matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "silence: {error}");
                *connection = None;
                0
            },
            |(status, _)| status,
        );
        *met.answers.entry(status).or_default() += 1;
        match status {
            202 => return,
            0 | 503 => pause(AGAIN),
            other => panic!("answered with {other}"),
        }
        assert!(Instant::now() < end, "never accepted: {met:?}");
    }
}

/// Senders have a pace of their own.
fn pause(span: Duration) {
    crossbeam_channel::after(span).recv().unwrap();
}

/// One request; status and body of its answer.
pub fn post(connection: &mut Option<TcpStream>, address: &Path, body: &str) -> std::io::Result<(u16, String)> {
    let stream = match connection {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(std::fs::read_to_string(address)?.trim())?;
            stream.set_read_timeout(Some(DEADLINE))?;
            stream.set_nodelay(true)?;
            connection.insert(stream)
        }
    };
    write!(stream, "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<usize>().ok());
    let status = number(head.split(' ').nth(1)).ok_or(Error::other("no status"))?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut answer = vec![0; number(length).ok_or(Error::other("no length"))?];
    stream.read_exact(&mut answer)?;
    if head.contains("connection: close") {
        *connection = None;
    }
    Ok((status as u16, String::from_utf8_lossy(&answer).into_owned()))
}
