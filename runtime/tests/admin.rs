//! The admin port over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use runtime::admin::{Admin, AdminConfig, AdminError, AdminParts, AdminRaw};
use runtime::clock::ManualClock;
use runtime::config::Settings;
use runtime::health::Health;
use runtime::metrics::{Metrics, MetricsConfig};

struct Bench {
    clock: ManualClock,
    health: Health,
    metrics: Metrics,
    /// Told when a request to /hang came in.
    hanging: (Sender<()>, Receiver<()>),
}

impl Bench {
    fn new() -> Self {
        let clock = ManualClock::default();
        let health = Health::new(Arc::new(clock.clone()));
        let metrics = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        Self { clock, health, metrics, hanging: channel() }
    }

    fn try_start(&self, raw: &AdminRaw) -> Result<Admin, AdminError> {
        let came_in = self.hanging.0.clone();
        let hang = || async move {
            came_in.send(()).unwrap();
            std::future::pending::<()>().await;
        };
        let parts = AdminParts {
            health: self.health.clone(),
            metrics: self.metrics.clone(),
            status: Arc::new(|| serde_json::json!({"state": "running"})),
            controls: Router::new()
                .route("/rate", post(|body: String| async move { format!("rate {body}") }))
                .route("/hang", post(hang)),
        };
        Admin::start(&AdminConfig::validate(&Settings::default(), raw).unwrap(), parts)
    }

    fn start(&self, raw: &AdminRaw) -> Admin {
        self.try_start(raw).unwrap()
    }
}

fn ask(address: SocketAddr, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

fn get(admin: &Admin, path: &str) -> (u16, String) {
    ask(admin.local_addr(), &format!("GET {path} HTTP/1.1"), "")
}

#[test]
fn livez_names_what_does_not_progress() {
    let bench = Bench::new();
    let admin = bench.start(&AdminRaw::default());
    assert_eq!(get(&admin, "/livez").0, 200);
    let poll = bench.health.component("poll", Duration::from_secs(5));
    bench.clock.advance(Duration::from_secs(9));
    let (status, answer) = get(&admin, "/livez");
    assert_eq!(status, 503);
    assert!(answer.ends_with("{\"ok\":false,\"wrong\":[{\"component\":\"poll\",\"why\":\"no progress for 9000 ms, allowed is 5000 ms\"}]}\n"), "{answer}");
    poll.progress();
    assert_eq!(get(&admin, "/livez").0, 200);
}

#[test]
fn readyz_names_what_is_not_ready() {
    let bench = Bench::new();
    let admin = bench.start(&AdminRaw::default());
    assert_eq!(get(&admin, "/readyz").0, 503);
    let send = bench.health.component("send", Duration::from_secs(5));
    send.ready(false, "no broker");
    let (status, answer) = get(&admin, "/readyz");
    assert_eq!(status, 503);
    assert!(answer.contains("\"component\":\"send\",\"why\":\"no broker\""), "{answer}");
    send.ready(true, "");
    assert_eq!(get(&admin, "/readyz").0, 200);
}

#[test]
fn metrics_status_controls_and_unknown_paths() {
    let bench = Bench::new();
    bench.metrics.counter("comboio_test_send_records", "records", &[]).add(2);
    let admin = bench.start(&AdminRaw::default());
    let (status, answer) = get(&admin, "/metrics");
    assert_eq!(status, 200);
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4")
            && answer.contains("\ncomboio_test_send_records 2\n"),
        "{answer}"
    );
    let (status, answer) = get(&admin, "/status");
    assert!(
        status == 200
            && answer.contains("content-type: application/json")
            && answer.ends_with("{\"state\":\"running\"}\n"),
        "{answer}"
    );
    let (status, answer) = ask(admin.local_addr(), "POST /rate HTTP/1.1", "500");
    assert!(status == 200 && answer.ends_with("rate 500"), "{answer}");
    let (status, answer) = get(&admin, "/secrets");
    assert!(status == 404 && answer.contains("no such path"), "{answer}");
}

#[test]
fn with_a_token_every_path_asks_for_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "correct-horse-battery\n").unwrap();
    let raw = AdminRaw { token_file: file.path().display().to_string(), ..AdminRaw::default() };
    let bench = Bench::new();
    let admin = bench.start(&raw);
    for path in ["GET /livez", "GET /metrics", "GET /status", "POST /rate", "GET /nothing"] {
        let (status, answer) = ask(admin.local_addr(), &format!("{path} HTTP/1.1"), "");
        assert_eq!(status, 401, "{path}: {answer}");
        assert!(answer.contains("www-authenticate: Bearer") && !answer.contains("correct-horse"), "{answer}");
        let wrong = format!("{path} HTTP/1.1\r\nauthorization: Bearer correct-horse-batterz");
        assert_eq!(ask(admin.local_addr(), &wrong, "").0, 401, "{path}");
    }
    let right = "GET /livez HTTP/1.1\r\nauthorization: Bearer correct-horse-battery";
    assert_eq!(ask(admin.local_addr(), right, "").0, 200);
}

#[test]
fn the_address_file_holds_the_bound_address_until_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.address");
    let raw = AdminRaw { address_file: path.display().to_string(), ..AdminRaw::default() };
    let bench = Bench::new();
    let admin = bench.start(&raw);
    let address = admin.local_addr();
    assert_ne!(address.port(), 0);
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{address}\n"));
    admin.stop();
    assert!(!path.exists());
    assert!(TcpStream::connect(address).is_err(), "the port is still open");
}

#[test]
fn a_request_that_never_ends_holds_the_stop_for_two_seconds_at_most() {
    let bench = Bench::new();
    let admin = bench.start(&AdminRaw::default());
    let mut hanging = TcpStream::connect(admin.local_addr()).unwrap();
    write!(hanging, "POST /hang HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").unwrap();
    bench.hanging.1.recv_timeout(Duration::from_secs(20)).unwrap();
    let started = std::time::Instant::now();
    admin.stop();
    assert!(started.elapsed() < Duration::from_millis(3_500), "{:?}", started.elapsed());
    assert_eq!(hanging.read(&mut [0; 8]).unwrap_or(0), 0, "the connection is still open");
}

#[test]
fn clients_that_send_half_a_request_hold_nobody_up_for_long() {
    let bench = Bench::new();
    let admin = bench.start(&AdminRaw::default());
    let half = |head: &str| {
        let mut stream = TcpStream::connect(admin.local_addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "{head}").unwrap();
        stream
    };
    let mut body = half("POST /rate HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n5");
    let heads: Vec<_> = (0..150).map(|_| half("GET /status HTTP/1.1\r\nhost: x\r\n")).collect();
    // More than are served at once: this one waits until those have been given up.
    assert_eq!(get(&admin, "/livez").0, 200);
    let mut answer = String::new();
    body.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("did not come to its end"), "{answer}");
    for mut head in heads {
        assert_eq!(head.read(&mut [0; 8]).unwrap_or(0), 0, "a connection with half a head is still open");
    }
}

#[test]
fn a_taken_port_and_an_impossible_file_are_named() {
    let bench = Bench::new();
    let first = bench.start(&AdminRaw::default());
    let taken = AdminRaw { listen: first.local_addr().to_string(), ..AdminRaw::default() };
    let error = bench.try_start(&taken).unwrap_err();
    assert_eq!(error.to_string(), format!("admin port {} cannot be opened (admin.listen)", first.local_addr()));
    let raw = AdminRaw { address_file: "/nowhere/admin.address".to_owned(), ..AdminRaw::default() };
    let refused = AdminConfig::validate(&Settings::of(&serde_json::json!({ "admin": raw })), &raw).unwrap_err();
    assert!(
        refused.to_string().starts_with(
            "admin.address_file is `/nowhere/admin.address` (default): allowed is a file in a folder that exists"
        ),
        "{refused}"
    );
}

#[test]
fn it_answers_while_the_service_itself_is_blocked() {
    let bench = Bench::new();
    let service = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let status = service.block_on(async {
        let admin = bench.start(&AdminRaw::default());
        // This thread is the service's only one, and it waits here without yielding.
        get(&admin, "/livez").0
    });
    assert_eq!(status, 200);
}
