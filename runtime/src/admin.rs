//! The admin port: /livez, /readyz, /metrics, /status and the service's controls.

mod deadline;
mod paths;
mod token;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use axum::Router;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use crate::address_file::{self, AddressFile};
use crate::config::{ConfigError, Settings};
use crate::connections::{Connections, greet};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::token::BearerToken;

/// How long open requests may take once the port closes.
const GRACE: Duration = Duration::from_secs(2);
/// How many connections at once: probes, a scraper, a person or two.
const MOST: usize = 64;
/// How long a client may take for the head of a request.
const HEAD: Duration = Duration::from_secs(5);
/// The largest head.
const BUFFER: usize = 32 * 1024;
/// The longest that a connection lasts.
const LIFE: Duration = Duration::from_secs(30);

/// Section `[admin]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminRaw {
    /// Address and port; port 0 takes any free one. Anything but 127.0.0.0/8 and ::1 needs `token_file`.
    pub listen: String,
    /// File with the bearer token that every request must then carry, 16 characters or more; empty: none.
    pub token_file: String,
    /// File to which the bound address is written (`127.0.0.1:41234`), for whoever must find port 0; removed at the
    /// end; empty: none.
    pub address_file: String,
}

impl Default for AdminRaw {
    fn default() -> Self {
        Self { listen: "127.0.0.1:0".to_owned(), token_file: String::new(), address_file: String::new() }
    }
}

/// Validated `[admin]`.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    listen: SocketAddr,
    token: Option<BearerToken>,
    address_file: Option<PathBuf>,
}

impl AdminConfig {
    /// Checks the section `admin` and reads the token file.
    ///
    /// # Errors
    /// `listen` is no address, or is open to others without a token; the token file is missing or its token too short; no file
    /// can be where the address is to be written.
    pub fn validate(settings: &Settings, raw: &AdminRaw) -> Result<Self, ConfigError> {
        let listen: SocketAddr = raw
            .listen
            .parse()
            .map_err(|_| settings.refuse("admin.listen", "allowed is an address and port such as 127.0.0.1:9464"))?;
        let token = BearerToken::read(settings, "admin.token_file", &raw.token_file)?;
        if token.is_none() && !listen.ip().is_loopback() {
            let sentence = "others can reach this address: write admin.token_file, or listen on 127.0.0.1";
            return Err(settings.refuse("admin.listen", sentence));
        }
        let address_file = address_file::named(settings, "admin.address_file", &raw.address_file)?;
        Ok(Self { listen, token, address_file })
    }
}

/// What the admin port shows and moves.
pub struct AdminParts {
    /// For /livez and /readyz.
    pub health: Health,
    /// For /metrics.
    pub metrics: Metrics,
    /// For /status; must answer at once.
    pub status: Arc<dyn Fn() -> serde_json::Value + Send + Sync>,
    /// The service's own paths, without a fallback and without the four paths above; `Router::new()` when there are
    /// none.
    pub controls: Router,
}

/// The admin port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The address is taken or not ours.
    #[error("admin port {address} cannot be opened (admin.listen)")]
    Bind {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    /// The file for the bound address cannot be written.
    #[error("the admin port's address cannot be written to {path} (admin.address_file)")]
    AddressFile {
        path: String,
        #[source]
        source: io::Error,
    },
    /// No thread or runtime for it.
    #[error("the admin port cannot be started")]
    Start(#[source] io::Error),
}

/// The running admin port, on a thread of its own: it answers while the rest is busy. Dropping it stops it.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    address_file: Option<AddressFile>,
    closing: Shutdown,
    closed: mpsc::Receiver<()>,
}

impl Admin {
    /// Binds, writes the address file, logs the address and starts to answer. Needs no tokio runtime.
    ///
    /// # Errors
    /// The port or the address file cannot be used.
    pub fn start(config: &AdminConfig, parts: AdminParts) -> Result<Self, AdminError> {
        let bind = |source| AdminError::Bind { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(AdminError::Start)?;
        let router = deadline::bound(token::guard(paths::router(parts), config.token.clone()));
        let closing = Shutdown::new();
        let (done, closed) = mpsc::channel();
        let serving = closing.clone();
        let answer = move || {
            answer(runtime, listener, router, &serving);
            // Nobody waits any more when this fails.
            let _ = done.send(());
        };
        thread::Builder::new().name("admin".to_owned()).spawn(answer).map_err(AdminError::Start)?;
        let mut admin = Self { address, address_file: None, closing, closed };
        admin.tell_address(config)?;
        Ok(admin)
    }

    /// The bound address.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port, lets open requests end for at most two seconds, and removes the address file.
    pub fn stop(self) {
        drop(self);
    }

    fn tell_address(&mut self, config: &AdminConfig) -> Result<(), AdminError> {
        tracing::info!(address = %self.address, "admin port is open");
        if let Some(path) = &config.address_file {
            let wrong = |source| AdminError::AddressFile { path: path.display().to_string(), source };
            self.address_file = Some(AddressFile::write(path, self.address).map_err(wrong)?);
        }
        Ok(())
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.closing.trigger("stopped");
        self.address_file = None;
        if self.closed.recv_timeout(GRACE * 2).is_err() {
            tracing::warn!(address = %self.address, "the admin port did not close in time");
        }
    }
}

fn answer(runtime: Runtime, listener: TcpListener, router: Router, closing: &Shutdown) {
    let connections = Connections { server: "admin", most: MOST, head: HEAD, buffer: BUFFER, closing: closing.clone() };
    let service = TowerToHyperService::new(router);
    let one = |stream| {
        let (connections, service) = (connections.clone(), service.clone());
        async move {
            let peer = greet(&stream);
            // A client that does not take its answer.
            let _ = tokio::time::timeout(LIFE, connections.requests(stream, &peer, service)).await;
        }
    };
    let served = runtime.block_on(connections.accept(listener, GRACE, one));
    if let Err(error) = served {
        tracing::error!(error = &error as &(dyn std::error::Error + 'static), "the admin port no longer answers");
    }
    runtime.shutdown_timeout(Duration::ZERO);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn validate(raw: &AdminRaw) -> Result<AdminConfig, ConfigError> {
        AdminConfig::validate(&Settings::of(&serde_json::json!({ "admin": raw })), raw)
    }

    fn refused(listen: &str, token_file: &str) -> String {
        let raw = AdminRaw { listen: listen.to_owned(), token_file: token_file.to_owned(), ..AdminRaw::default() };
        validate(&raw).unwrap_err().to_string()
    }

    #[test]
    fn addresses_that_others_reach_need_a_token() {
        assert_eq!(
            refused("0.0.0.0:9464", ""),
            "admin.listen is `0.0.0.0:9464` (default): others can reach this address: write admin.token_file, or listen on 127.0.0.1"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "0123456789abcdef\n").unwrap();
        let token_file = file.path().display().to_string();
        let raw = AdminRaw { listen: "0.0.0.0:0".to_owned(), token_file, ..AdminRaw::default() };
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("authorization", "Bearer 0123456789abcdef".parse().unwrap());
        assert!(validate(&raw).unwrap().token.unwrap().is_in(&headers));
        for loopback in ["127.0.0.1:0", "[::1]:0", "127.8.8.8:1"] {
            assert!(validate(&AdminRaw { listen: loopback.to_owned(), ..AdminRaw::default() }).is_ok(), "{loopback}");
        }
    }

    #[test]
    fn what_is_no_address_or_no_token_is_refused() {
        assert_eq!(
            refused("localhost", ""),
            "admin.listen is `localhost` (default): allowed is an address and port such as 127.0.0.1:9464"
        );
        assert_eq!(
            refused("127.0.0.1:0", "/nowhere/token"),
            "admin.token_file is `/nowhere/token` (default): it cannot be read: no such file"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        let foreign = "holds a space, a line end or a character that is not ASCII";
        for (token, said) in
            [("hunter2", "is too short"), ("hunter2 and two more words", foreign), ("hunter2\nhunter2hunter2", foreign)]
        {
            fs::write(file.path(), format!("{token}\n")).unwrap();
            let sentence = refused("127.0.0.1:0", file.path().to_str().unwrap());
            let told = format!("the token in it {said}: allowed is one line of 16 characters or more: letters, digits");
            assert!(sentence.contains(&told) && !sentence.contains("hunter2"), "{sentence}");
        }
    }
}
