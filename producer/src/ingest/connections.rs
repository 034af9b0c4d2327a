//! Connections of the ingest server, with or without TLS.

use super::desk::Desk;
use super::tls::Tls;
use hyper::service::service_fn;
use runtime::connections::{Connections, greet};
use runtime::shutdown::Shutdown;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// How long a client may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take for the head of a request, and how long it may be silent between two.
const HEAD: Duration = Duration::from_secs(60);
/// Of each connection: the largest head (431 beyond it), and what of a body is read ahead.
const BUFFER: usize = 32 * 1024;

/// Who answers on all connections of the server.
#[derive(Clone)]
pub(super) struct Front {
    desk: Arc<Desk>,
    tls: Option<Tls>,
    connections: Connections,
}

impl Front {
    /// With at most `most` connections.
    pub(super) fn new(desk: Arc<Desk>, tls: Option<Tls>, most: usize, closing: Shutdown) -> Self {
        let connections = Connections { server: "ingest", most, head: HEAD, buffer: BUFFER, closing };
        Self { desk, tls, connections }
    }

    /// Serves until it is told to close, then gives the open requests `grace` for their answers.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub(super) async fn serve(self, listener: TcpListener, grace: Duration) -> io::Result<()> {
        let one = |stream| {
            let front = self.clone();
            async move { front.connection(stream).await }
        };
        self.connections.accept(listener, grace, one).await
    }

    async fn connection(&self, stream: TcpStream) {
        let peer = greet(&stream);
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
        self.connections.requests(stream, peer, answer).await;
    }
}
