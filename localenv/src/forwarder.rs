//! A TCP address that stays the same while what stands behind it changes: a load balancer in front of brokers, or a cable to pull.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// Forwards connections from its own port of 127.0.0.1 to a target that can be changed; stops when dropped.
///
/// It runs on a thread of its own, so blocking code and any tokio runtime can own it.
#[derive(Debug)]
pub struct Forwarder {
    address: SocketAddr,
    target: watch::Sender<Option<SocketAddr>>,
    runtime: Option<Runtime>,
}

impl Forwarder {
    /// Listens on a free port; `None` as target closes each connection at once.
    ///
    /// # Errors
    /// No port or no thread can be had.
    pub fn start(target: Option<SocketAddr>) -> anyhow::Result<Self> {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot open a forwarding port")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (sender, receiver) = watch::channel(target);
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("forwarder").enable_all().build()?;
        runtime.spawn(async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => accept(listener, receiver).await,
                Err(error) => tracing::error!(%error, "forwarder cannot listen"),
            }
        });
        Ok(Self { address, target: sender, runtime: Some(runtime) })
    }

    /// The address that stays.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends new connections to `target` and closes the present ones. The same target again only cuts connections.
    pub fn point_at(&self, target: Option<SocketAddr>) {
        self.target.send_replace(target);
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        // A plain drop would panic inside an async context.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, target: watch::Receiver<Option<SocketAddr>>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => drop(tokio::spawn(forward(client, target.clone()))),
            Err(error) => {
                tracing::warn!(%error, "forwarder cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Ends when either side does, or when the target is set anew.
async fn forward(mut client: TcpStream, mut target: watch::Receiver<Option<SocketAddr>>) {
    let Some(address) = *target.borrow_and_update() else { return };
    let Ok(mut server) = TcpStream::connect(address).await else { return };
    // Not critical: only latency suffers.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = target.changed() => {}
    }
}

#[cfg(test)]
mod tests;
