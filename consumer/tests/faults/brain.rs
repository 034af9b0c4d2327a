//! What stands between the consumer and the function decides here: which fault strikes a call, and what is answered.

use domain::contract::Request;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// An HTTP answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What goes wrong with one call.
#[derive(Clone)]
pub enum Fault {
    /// This answer, and the function does not run.
    Instead(Reply),
    /// The connection is reset before the function runs.
    ResetBefore,
    /// The function does its work, and then the connection is reset.
    ResetAfter,
    /// The function does its work; the connection is reset in the middle of its answer.
    CutBody,
    /// The function does its work, and its answer becomes something else.
    Spoil(fn(Value) -> Vec<u8>),
    /// Another function is called in its place.
    Function(&'static str),
    /// The function does its work; the answer comes only when the fault is over.
    Hang,
    /// The server says GOAWAY and closes; the function does not run.
    GoAway,
}

/// What is done on the wire.
pub enum Act {
    Answer(Reply),
    Reset,
    CutBody(Reply),
    GoAway,
}

/// One call of a function.
#[derive(Debug, Clone)]
pub struct Call {
    pub at: Instant,
    pub partition: i32,
    pub offsets: Vec<i64>,
    /// Which of the faults struck it.
    pub struck: Option<usize>,
    /// It was struck because of what it carries.
    pub marked: bool,
}

/// One request as it came.
pub struct Asked {
    pub path: String,
    pub dry_run: bool,
    pub body: Vec<u8>,
}

#[derive(Default)]
struct Script {
    /// While there are any, each call is struck by the next of them.
    faults: Vec<Fault>,
    turn: usize,
    /// A call with this text in its request is struck always.
    marked: Option<(&'static str, Fault)>,
    calls: Vec<Call>,
}

/// Shared by all connections; clones are the same one.
#[derive(Clone)]
pub struct Brain {
    host: Arc<str>,
    script: Arc<Mutex<Script>>,
    /// Counts the ends of faults.
    over: watch::Sender<u64>,
}

impl Brain {
    /// In front of a Lambda host.
    pub fn new(endpoint: &str) -> Self {
        let host = endpoint.strip_prefix("http://").unwrap();
        Self { host: host.into(), script: Arc::default(), over: watch::Sender::default() }
    }

    /// From now on each call is struck, by each of the faults in turn.
    pub fn begin(&self, faults: Vec<Fault>) {
        let mut script = self.script.lock().unwrap();
        (script.faults, script.turn) = (faults, 0);
    }

    /// Calls reach the function again, and what hangs is answered.
    pub fn end(&self) {
        self.begin(Vec::new());
        self.over.send_modify(|ends| *ends += 1);
    }

    /// From now on a call with this text in its request is struck.
    pub fn mark(&self, text: &'static str, fault: Fault) {
        self.script.lock().unwrap().marked = Some((text, fault));
    }

    pub fn calls(&self) -> Vec<Call> {
        self.script.lock().unwrap().calls.clone()
    }

    /// Calls that were struck because of what they carried.
    pub fn marked_calls(&self) -> usize {
        self.script.lock().unwrap().calls.iter().filter(|call| call.marked).count()
    }

    /// Decides and, as far as it is wanted, has the function run.
    pub async fn answer(&self, asked: Asked) -> Act {
        let mut over = self.over.subscribe();
        if asked.dry_run {
            return Act::Answer(Reply { status: 204, ..Reply::default() });
        }
        match self.note(&asked) {
            None => Act::Answer(self.forward(&asked).await),
            Some(Fault::Instead(reply)) => Act::Answer(reply),
            Some(Fault::ResetBefore) => Act::Reset,
            Some(Fault::GoAway) => Act::GoAway,
            Some(Fault::Function(name)) => {
                let path = format!("/2015-03-31/functions/{name}/invocations");
                Act::Answer(self.forward(&Asked { path, ..asked }).await)
            }
            Some(after) => {
                let mut reply = self.forward(&asked).await;
                match after {
                    Fault::CutBody => return Act::CutBody(reply),
                    Fault::Spoil(change) => reply.body = change(serde_json::from_slice(&reply.body).unwrap()),
                    Fault::Hang => over.changed().await.unwrap(),
                    _ => return Act::Reset,
                }
                Act::Answer(reply)
            }
        }
    }

    /// Takes the call down and says what strikes it.
    fn note(&self, asked: &Asked) -> Option<Fault> {
        let request = Request::decode(&asked.body).unwrap();
        let offsets = request.records().map(|record| record.offset.0).collect();
        let mut script = self.script.lock().unwrap();
        let text = std::str::from_utf8(&asked.body).unwrap();
        let marked = script.marked.as_ref().filter(|(marked, _)| text.contains(marked)).map(|(_, fault)| fault.clone());
        let turn = script.turn;
        let struck = (!script.faults.is_empty()).then(|| turn % script.faults.len());
        script.turn += 1;
        let (at, partition) = (Instant::now(), request.partition);
        script.calls.push(Call { at, partition, offsets, struck, marked: marked.is_some() });
        marked.or_else(|| struck.map(|which| script.faults[which].clone()))
    }

    async fn forward(&self, asked: &Asked) -> Reply {
        let mut host = TcpStream::connect(&*self.host).await.unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: lambda\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            asked.path,
            asked.body.len()
        );
        host.write_all(head.as_bytes()).await.unwrap();
        host.write_all(&asked.body).await.unwrap();
        let mut answer = Vec::new();
        host.read_to_end(&mut answer).await.unwrap();
        read_reply(&answer)
    }
}

/// An HTTP/1.1 answer whose connection was closed behind it.
fn read_reply(answer: &[u8]) -> Reply {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let of_the_connection = ["connection", "content-length", "transfer-encoding", "date"];
    let headers = headers.filter(|(name, _)| !of_the_connection.contains(&name.as_str()));
    Reply { status, headers: headers.collect(), body: answer[end + 4..].to_vec() }
}

impl Reply {
    /// A refusal as AWS Lambda writes one.
    pub fn refusal(status: u16, error_type: &str, body: &Value) -> Self {
        let headers = [("content-type", "application/json"), ("x-amzn-errortype", error_type)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    /// What a proxy says that knows nothing of Lambda.
    pub fn page(status: u16) -> Self {
        let body = format!("<html><head><title>{status}</title></head><body>nginx</body></html>").into_bytes();
        Self { status, headers: vec![("content-type".into(), "text/html".into())], body }
    }

    /// A function that failed: 200, and the kind of its error in a header.
    pub fn failed(kind: &str, body: &str) -> Self {
        let headers = vec![("x-amz-function-error".to_owned(), kind.to_owned())];
        Self { status: 200, headers, body: body.as_bytes().to_vec() }
    }

    /// With one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}
