//! Connections: accepted up to a bound, with or without TLS, each served until its client or the server ends it.

use super::desk::Desk;
use super::tls::Tls;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use runtime::shutdown::Shutdown;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// How long a client may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take for the head of a request, and how long it may be silent between two.
const HEAD: Duration = Duration::from_secs(60);
/// Of each connection: the largest head (431 beyond it), and what of a body is read ahead.
const BUFFER: usize = 32 * 1024;
/// Out of file descriptors, most likely: others have to close theirs first.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// All connections of the server.
#[derive(Clone)]
pub(super) struct Connections {
    pub desk: Arc<Desk>,
    pub tls: Option<Tls>,
    pub most: usize,
    pub closing: Shutdown,
}

impl Connections {
    /// Serves until it is told to close, then gives the open requests `grace` for their answers.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub(super) async fn serve(self, listener: TcpListener, grace: Duration) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let places = Arc::new(Semaphore::new(self.most));
        let closing = self.closing.clone();
        tokio::select! {
            () = self.accept(&listener, &places) => {}
            () = closing.drain() => {}
        }
        drop(listener);
        // All places are free again when every connection has ended; those that have not are cut off.
        let all = u32::try_from(self.most).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(grace, places.acquire_many(all)).await;
        Ok(())
    }

    async fn accept(&self, listener: &tokio::net::TcpListener, places: &Arc<Semaphore>) {
        loop {
            // Closed never: the semaphore lives as long as this loop.
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let connections = self.clone();
                    tokio::spawn(async move {
                        connections.connection(stream).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "ingest cannot accept a connection");
                    tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
                }
            }
        }
    }

    async fn connection(&self, stream: TcpStream) {
        let peer = stream.peer_addr().map(|peer| peer.to_string()).unwrap_or_default();
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(peer, %error, "cannot set TCP_NODELAY");
        }
        let Some(tls) = &self.tls else { return self.requests(stream, &peer).await };
        let handshake = TlsAcceptor::from(tls.server.clone()).accept(stream);
        match tokio::time::timeout(HANDSHAKE, handshake).await {
            Ok(Ok(stream)) => self.requests(stream, &peer).await,
            Ok(Err(error)) => tracing::info!(peer, %error, "tls handshake refused"),
            Err(_) => tracing::info!(peer, "tls handshake took too long"),
        }
    }

    async fn requests(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: &str) {
        let answer = service_fn(async |request| Ok::<_, Infallible>(self.desk.answer(request).await));
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER).max_header_size(BUFFER);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.closing.drain() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(peer, %error, "connection ended");
        }
    }
}
