//! HTTP connections of a server: accepted up to a bound, each served until its client or the server ends it.
//!
//! axum's own server bounds neither how many there are, nor how long a client may take for a head.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::HttpService;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::shutdown::Shutdown;

/// Out of file descriptors, most likely: others have to close theirs first.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// What a server allows its clients.
#[derive(Clone, Debug)]
pub struct Connections {
    /// The server, for the log.
    pub server: &'static str,
    /// How many at once; further ones wait to be accepted.
    pub most: usize,
    /// How long a client may take for the head of a request, and how long it may be silent between two.
    pub head: Duration,
    /// Bytes of each connection: the largest head (431 beyond it), and what of a body is read ahead.
    pub buffer: usize,
    /// No more are accepted once this drains, and those there are end with the answer under way.
    pub closing: Shutdown,
}

impl Connections {
    /// Accepts, and gives each connection to `serve`, until it is told to close; then the open ones have `grace` for their answers.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub async fn accept<F>(
        &self,
        listener: TcpListener,
        grace: Duration,
        serve: impl Fn(TcpStream) -> F,
    ) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let places = Arc::new(Semaphore::new(self.most));
        tokio::select! {
            () = self.accept_all(&listener, &places, serve) => {}
            () = self.closing.drain() => {}
        }
        drop(listener);
        // All places are free again when every connection has ended; those that have not are cut off.
        let all = u32::try_from(self.most).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(grace, places.acquire_many(all)).await;
        Ok(())
    }

    async fn accept_all<F>(
        &self,
        listener: &tokio::net::TcpListener,
        places: &Arc<Semaphore>,
        serve: impl Fn(TcpStream) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        loop {
            // Closed never: the semaphore lives as long as this loop.
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let served = serve(stream);
                    tokio::spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, server = self.server, "cannot accept a connection");
                    tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
                }
            }
        }
    }

    /// Serves the requests of one connection.
    pub async fn requests<S>(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: &str, service: S)
    where
        S: HttpService<Incoming, Error = Infallible>,
        S::ResBody: 'static,
        <S::ResBody as Body>::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.head);
        builder.max_buf_size(self.buffer).max_header_size(self.buffer);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.closing.drain() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(peer, %error, server = self.server, "connection ended");
        }
    }
}

/// Who is at the other end, for the log; small answers go out at once.
pub fn greet(stream: &TcpStream) -> String {
    let peer = stream.peer_addr().map(|peer| peer.to_string()).unwrap_or_default();
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(peer, %error, "cannot set TCP_NODELAY");
    }
    peer
}
