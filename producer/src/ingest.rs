//! Ingest: the HTTP server that takes events from other processes, `POST /v1/events` with one event a line.
//!
//! *In*: requests. *Out*: parcels of checked events for the flow, and an answer when every event of a request has its fate.
//! *Never*: says 202 before Kafka or the spool has the events, takes what it has no room for, or keeps a request waiting without
//! a bound.

mod answer;
mod body;
mod config;
mod connections;
mod desk;
mod lines;
mod tls;

pub use config::{IngestConfig, IngestRaw, IngestTlsRaw, RequestLimits};
pub use desk::{Desk, DeskParts};

use runtime::address_file::AddressFile;
use runtime::shutdown::Shutdown;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// How long open requests may take for their last answer once the server closes.
const GRACE: Duration = Duration::from_secs(2);
/// Threads that read, check and answer; checking is most of the work.
const WORKERS: usize = 2;

/// The server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The address is taken or not ours.
    #[error("ingest address {address} cannot be opened (ingest.listen)")]
    Bind {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    /// The file for the bound address cannot be written.
    #[error("the ingest address cannot be written to {} (ingest.address_file)", path.display())]
    AddressFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// No thread or runtime for it.
    #[error("the ingest server cannot be started")]
    Start(#[source] io::Error),
}

/// The running server, on threads of its own. Dropping it stops it.
pub struct Server {
    address: SocketAddr,
    address_file: Option<AddressFile>,
    desk: Arc<Desk>,
    closing: Shutdown,
    closed: mpsc::Receiver<()>,
}

impl Server {
    /// Binds, writes the address file, and starts to answer. Needs no tokio runtime.
    ///
    /// # Errors
    /// The address or the address file cannot be used, or the operating system gives no thread.
    pub fn start(config: &IngestConfig, desk: Desk) -> Result<Self, IngestError> {
        let bind = |source| IngestError::Bind { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(WORKERS).thread_name("ingest").enable_all().build();
        let runtime = runtime.map_err(IngestError::Start)?;
        let (desk, closing) = (Arc::new(desk), Shutdown::new());
        let (done, closed) = mpsc::channel();
        let server = connections::Front::new(desk.clone(), config.tls.clone(), config.max_connections, closing.clone());
        let serve = move || {
            if let Err(error) = runtime.block_on(server.serve(listener, GRACE)) {
                tracing::error!(%error, "the ingest server no longer answers");
            }
            runtime.shutdown_timeout(Duration::ZERO);
            // Nobody waits any more when this fails.
            let _ = done.send(());
        };
        thread::Builder::new().name("ingest".into()).spawn(serve).map_err(IngestError::Start)?;
        let mut server = Self { address, address_file: None, desk, closing, closed };
        server.tell_address(config)?;
        Ok(server)
    }

    /// The bound address.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Whoever still waits for an answer learns that none will come; then the server ends.
    pub fn stop(self) {
        drop(self);
    }

    fn tell_address(&mut self, config: &IngestConfig) -> Result<(), IngestError> {
        tracing::info!(address = %self.address, tls = config.tls.is_some(), "ingest is open");
        if config.token_in_clear() {
            tracing::warn!("ingest takes the token over an unencrypted connection: write ingest.tls");
        }
        if let Some(path) = &config.address_file {
            let wrong = |source| IngestError::AddressFile { path: path.clone(), source };
            self.address_file = Some(AddressFile::write(path, self.address).map_err(wrong)?);
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.address_file = None;
        self.desk.close();
        self.closing.trigger("stopped");
        if self.closed.recv_timeout(GRACE * 2).is_err() {
            tracing::warn!(address = %self.address, "the ingest server did not close in time");
        }
    }
}
