//! An HTTP/2 server with TLS in front of the Lambda host, as AWS's own is one: it can say GOAWAY.

use crate::brain::{Act, Asked, Brain};
use axum::http::{Request, Response};
use bytes::Bytes;
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream};
use localenv::authority::{Authority, http2_tls};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A running front; it ends when this is dropped.
pub struct SecureFront {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// Every change sends all connections away.
    away: watch::Sender<()>,
    /// Every change swallows all connections.
    hole: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl SecureFront {
    /// With a certificate for localhost.
    pub async fn start(brain: Brain, authority: &Authority) -> Self {
        let acceptor = http2_tls::acceptor(&authority.issue_server("lambda").unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (away, hole) = (watch::Sender::new(()), watch::Sender::new(()));
        let (counted, sent, swallowed) = (connections.clone(), away.clone(), hole.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::Relaxed);
                let orders = (sent.subscribe(), swallowed.subscribe());
                tokio::spawn(serve(stream, acceptor.clone(), brain.clone(), orders));
            }
        });
        Self { address, connections, away, hole, task }
    }

    pub fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// GOAWAY on every connection: what is under way is still answered, nothing new is taken.
    pub fn send_away(&self) {
        self.away.send_replace(());
    }

    /// Every connection stays open, and nothing comes out of it any more, as when a firewall forgets it.
    pub fn swallow(&self) {
        self.hole.send_replace(());
    }
}

impl Drop for SecureFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Orders = (watch::Receiver<()>, watch::Receiver<()>);

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, brain: Brain, (mut away, mut hole): Orders) {
    stream.set_nodelay(true).unwrap();
    let Ok(tls) = acceptor.accept(stream).await else { return };
    let Ok(mut connection) = server::handshake(tls).await else { return };
    // A call may end the connection of all others.
    let (end, mut ended) = mpsc::unbounded_channel();
    loop {
        tokio::select! {
            biased;
            _ = ended.recv() => connection.abrupt_shutdown(Reason::NO_ERROR),
            changed = away.changed() => match changed {
                Ok(()) => connection.graceful_shutdown(),
                Err(_) => return,
            },
            Ok(()) = hole.changed() => return std::future::pending().await,
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    tokio::spawn(answer(request, respond, brain.clone(), end.clone()));
                }
                // The client is gone, or was sent away.
                Some(Err(_)) | None => return,
            },
        }
    }
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    brain: Brain,
    end: mpsc::UnboundedSender<()>,
) {
    let (head, mut stream) = request.into_parts();
    let mut body = Vec::new();
    while let Some(chunk) = stream.data().await {
        let Ok(chunk) = chunk else { return };
        stream.flow_control().release_capacity(chunk.len()).unwrap();
        body.extend_from_slice(&chunk);
    }
    let dry_run = head.headers.get("x-amz-invocation-type").is_some_and(|kind| kind == "DryRun");
    let reply = match brain.answer(Asked { path: head.uri.path().to_owned(), dry_run, body }).await {
        Act::Answer(reply) => reply,
        Act::Reset | Act::CutBody(_) | Act::GoAway => {
            let _ = end.send(());
            // The stream must not be reset before the connection is.
            return std::future::pending().await;
        }
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    // The client may be gone.
    if let Ok(mut stream) = respond.send_response(response.body(()).unwrap(), false) {
        let _ = stream.send_data(reply.body.into(), true);
    }
}
