//! An HTTP/1.1 server in front of the Lambda host that can do to a connection whatever a network does.

use crate::brain::{Act, Asked, Brain, Reply};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running front; it ends when this is dropped.
pub struct Front {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Front {
    pub async fn start(brain: Brain) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, brain.clone()));
            }
        });
        Self { address, task }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Request by request, until the client goes away or a fault ends the connection.
async fn serve(mut stream: TcpStream, brain: Brain) {
    stream.set_nodelay(true).unwrap();
    let mut read = Vec::new();
    while let Some(asked) = next(&mut stream, &mut read).await {
        let (reply, most) = match brain.answer(asked).await {
            Act::Answer(reply) => (reply, usize::MAX),
            Act::CutBody(reply) => {
                let half = reply.body.len() / 2;
                (reply, half)
            }
            Act::Reset | Act::GoAway => return reset(stream),
        };
        let (head, body) = written(&reply);
        let cut = &body[..body.len().min(most)];
        // A client that has gone away is no news.
        if stream.write_all(&[&head, cut].concat()).await.is_err() {
            return;
        }
        if cut.len() < body.len() {
            return reset(stream);
        }
    }
}

/// The client sees RST.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

/// The next whole request; what was read beyond it stays in `read`.
async fn next(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<Asked> {
    loop {
        if let Some((asked, length)) = parse(read) {
            read.drain(..length);
            return Some(asked);
        }
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}

/// A request at the beginning of `read`, and its length.
fn parse(read: &[u8]) -> Option<(Asked, usize)> {
    let end = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&read[..end]).unwrap().to_ascii_lowercase();
    let header = |name: &str| head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let length = header("content-length").map_or(0, |text| text.parse::<usize>().unwrap());
    let body = read.get(end..end + length)?.to_vec();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    Some((Asked { path, dry_run: header("x-amz-invocation-type") == Some("dryrun"), body }, end + length))
}

fn written(reply: &Reply) -> (Vec<u8>, Vec<u8>) {
    let lines: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {} x\r\n{lines}content-length: {}\r\n\r\n", reply.status, reply.body.len());
    (head.into_bytes(), reply.body.clone())
}
