//! Measures the Lambda host and the collector on this machine: `cargo run -p localenv --example measure -- lambda|collector [SECONDS]`.
//!
//! `lambda`: the real SDK on one side, the probe (or `BOOTSTRAP=path`) on the other; one caller, then 4 and 16.
//! `collector`: 60 requests of 500 events each second for the given time, and how much of a core the process used.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider, retry::RetryConfig};
use aws_sdk_lambda::primitives::Blob;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use hdrhistogram::Histogram;
use localenv::collector::Collector;
use localenv::lambda_host::{Function, HostOptions, LambdaHost};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let time = Duration::from_secs(arguments.next().map_or(5, |text| text.parse().unwrap()));
    match what.as_str() {
        "lambda" => lambda(time).await,
        "collector" => collector(time).await,
        _ => panic!("lambda or collector, and for how many seconds"),
    }
}

async fn lambda(time: Duration) {
    let host = LambdaHost::start(HostOptions::default()).await.unwrap();
    host.deploy(Function { timeout: Duration::from_secs(30), ..Function::new("probe", bootstrap()) }).unwrap();
    let client = client(&host.endpoint());
    for (callers, bytes) in [(1, 100), (4, 100), (16, 100), (1, 100_000), (4, 100_000)] {
        let payload = format!(r#"{{"do":"env","fill":"{}"}}"#, "x".repeat(bytes));
        run(&client, 16, &payload, Duration::from_millis(500)).await;
        let (began, cpu) = (Instant::now(), cpu());
        let seen = run(&client, callers, &payload, time).await;
        let (took, used) = (began.elapsed().as_secs_f64(), self::cpu() - cpu);
        let us = |quantile| seen.value_at_quantile(quantile);
        println!(
            "{callers:>2} callers, {bytes:>6} bytes: {:>6.0}/s  p50 {} us  p99 {} us  max {} us  host and caller {:.0} % of a core",
            seen.len() as f64 / took,
            us(0.5),
            us(0.99),
            seen.max(),
            100.0 * used / took
        );
    }
    let stats = &host.stats().functions["probe"];
    println!("{:?}\ninit {:?}\nhost and caller {} MB", stats.processes, stats.init_ms, resident_mb());
}

async fn run(client: &Client, callers: usize, payload: &str, time: Duration) -> Histogram<u64> {
    let until = Instant::now() + time;
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let (client, payload) = (client.clone(), payload.to_owned());
            tokio::spawn(async move {
                let mut seen = histogram();
                while Instant::now() < until {
                    let began = Instant::now();
                    let output =
                        client.invoke().function_name("probe").payload(Blob::new(payload.clone())).send().await;
                    assert_eq!(output.unwrap().function_error(), None);
                    seen.saturating_record(began.elapsed().as_micros() as u64);
                }
                seen
            })
        })
        .collect();
    let mut all = histogram();
    for caller in callers {
        all.add(caller.await.unwrap()).unwrap();
    }
    all
}

async fn collector(time: Duration) {
    let collector = Collector::start().await.unwrap();
    let mut stream = TcpStream::connect(collector.endpoint().strip_prefix("http://").unwrap()).await.unwrap();
    let bodies: Vec<_> = (0..time.as_secs() * 60).map(body).collect();
    let (began, cpu) = (Instant::now(), cpu());
    for (at, body) in bodies.iter().enumerate() {
        tokio::time::sleep_until((began + Duration::from_secs(at as u64) / 60).into()).await;
        let head = format!(
            "POST / HTTP/1.1\r\nhost: x\r\ncomboio-batch-id: t/0/{at}-{at}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = [0; 512];
        let read = stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 204"));
    }
    let (took, used) = (began.elapsed().as_secs_f64(), self::cpu() - cpu);
    let seen = collector.snapshot();
    println!("{:.0} events/s, {:.1} % of a core, sender included", seen.events as f64 / took, 100.0 * used / took);
}

/// 500 events of 500 trucks.
fn body(request: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let event = |truck: u64| {
        let seq = request + 1;
        format!(
            r#"{{"v":1,"id":"7f3a91c2-BR{truck:05}-300-{seq}","codigo":300,"truck_id":"BR{truck:05}","seq":{seq},"ts":{now},"lat":-23.55052,"lon":-46.63331,"speed":82.4,"fuel":61.2,"odo":182733.2}}"#
        ) + "\n"
    };
    (0..500).map(event).collect()
}

fn client(endpoint: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let credentials = Credentials::new("local", "local", None, None, "measure");
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

fn bootstrap() -> PathBuf {
    let own = std::env::current_exe().unwrap().with_file_name("probe_bootstrap");
    std::env::var_os("BOOTSTRAP").map_or(own, PathBuf::from)
}

/// Of microseconds, up to a minute.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).unwrap()
}

/// Seconds of processor time that this process has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
