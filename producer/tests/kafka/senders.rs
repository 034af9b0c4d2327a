//! Senders as they should be: each has its events at fixed times, sends them in order, and a request again until it is answered
//! with 202. Whoever is held up sends what became due meanwhile at once: the load does not shrink because the producer is slow.

use crate::stage::DEADLINE;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const SENDERS: usize = 4;
/// Four senders with 100 events each: 2,000 events/s.
const EVERY: Duration = Duration::from_millis(200);
const TRUCKS: u64 = 5;
const CODES: [u32; 2] = [300, 400];
const EACH: u64 = 10;
const AGAIN: Duration = Duration::from_millis(100);
/// Events of all senders in a second.
pub const RATE: f64 = 2_000.0;

/// What one sender met.
#[derive(Debug, Default)]
pub struct Met {
    /// Requests answered with 202.
    pub accepted: u64,
    /// Answers by status, and broken connections as 0.
    pub answers: BTreeMap<u16, u64>,
    /// The longest from when a request was due until it was answered with 202.
    pub longest: Duration,
}

/// What the senders share with the story.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Requests of each sender that were answered with 202.
    accepted: [AtomicU32; SENDERS],
}

pub struct Senders {
    shared: Arc<Shared>,
    begin: Instant,
    threads: Vec<JoinHandle<Met>>,
}

impl Senders {
    /// `address` is the file in which the producer tells where it listens.
    pub fn start(address: PathBuf) -> Self {
        let (shared, begin) = (Arc::<Shared>::default(), Instant::now());
        let spawn = |sender| {
            let (shared, address) = (shared.clone(), address.clone());
            std::thread::spawn(move || send((sender, begin), &address, &shared))
        };
        Self { threads: (0..SENDERS).map(spawn).collect(), shared, begin }
    }

    /// For how long the oldest event that is not accepted yet has been due.
    pub fn behind(&self) -> Duration {
        let oldest = self.shared.accepted.iter().map(|accepted| EVERY * accepted.load(Ordering::SeqCst)).min();
        self.begin.elapsed().saturating_sub(oldest.unwrap_or_default())
    }

    /// Events accepted until now, of those that were due.
    pub fn accepted_share(&self) -> f64 {
        let accepted: u32 = self.shared.accepted.iter().map(|accepted| accepted.load(Ordering::SeqCst)).sum();
        f64::from(accepted) * events_of_a_request() as f64 / (RATE * self.begin.elapsed().as_secs_f64())
    }

    /// Ends them after their last request is accepted; by sender, what it met.
    pub fn stop(self) -> Vec<Met> {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    }
}

/// The keys of a sender: truck and codigo; each has [`events_of`] what it met, from seq 1 on.
pub fn keys(sender: usize) -> impl Iterator<Item = (String, u32)> {
    (0..TRUCKS).flat_map(move |truck| CODES.map(|codigo| (format!("S{sender}T{truck}"), codigo)))
}

pub fn events_of(met: &Met) -> u64 {
    met.accepted * EACH
}

fn events_of_a_request() -> u64 {
    TRUCKS * CODES.len() as u64 * EACH
}

/// A valid event.
pub fn event(truck: &str, codigo: u32, seq: u64) -> String {
    format!(
        r#"{{"v":1,"id":"s-{truck}-{codigo}-{seq}","codigo":{codigo},"truck_id":"{truck}","seq":{seq},"ts":1763701200123,"lat":-23.5,"lon":-46.6,"speed":8.4,"fuel":6.2,"odo":2.2}}"#
    )
}

fn send((sender, begin): (usize, Instant), address: &Path, shared: &Shared) -> Met {
    let (mut met, mut connection) = (Met::default(), None);
    while !shared.stop.load(Ordering::SeqCst) {
        let due = EVERY * met.accepted as u32;
        pause(due.saturating_sub(begin.elapsed()));
        let first = met.accepted * EACH + 1;
        let lines = (first..first + EACH).flat_map(|seq| keys(sender).map(move |key| (key, seq)));
        let body: String = lines.map(|((truck, codigo), seq)| event(&truck, codigo, seq) + "\n").collect();
        until_accepted(&mut connection, address, &body, &mut met);
        met.longest = met.longest.max(begin.elapsed().saturating_sub(due));
        met.accepted += 1;
        shared.accepted[sender].fetch_add(1, Ordering::SeqCst);
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
