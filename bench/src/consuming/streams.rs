//! As many calls at once as there may be, over HTTP/2 with TLS: Lambda's own client against a server that takes 128 calls a connection.
//!
//! The server is part of the bench; the client is a process of its own, which finds the server's authority in `SSL_CERT_FILE`.

use crate::consuming::flow::seen;
use crate::consuming::flow_figures::Streams;
use crate::consuming::pretend::Tally;
use crate::consuming::stand_in;
use crate::meter;
use crate::world::World;
use anyhow::{Context, Result, ensure};
use axum::Router;
use bytes::Bytes;
use consumer::invoke::Invoker;
use consumer::invoke::lambda::{LambdaInvoker, LambdaSettings};
use domain::contract::{BatchHead, OpenBatch};
use domain::offset::Offset;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use localenv::authority::http2_tls;
use localenv::process::Guarded;
use runtime::clock;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// As AWS Lambda allows.
const STREAMS_A_CONNECTION: u32 = 128;
const LATENCY: Duration = Duration::from_secs(1);
/// Few, because this is about calls and not about bytes.
const RECORDS_A_CALL: i64 = 20;
/// Connections, the first calls, and the spread of their beginnings.
const SETTLE: Duration = Duration::from_secs(4);

/// Watches so many calls at once for some seconds.
///
/// # Errors
/// The client or the server fails.
pub fn run(world: &World, in_flight: u32, seconds: u64, folder: &Path) -> Result<Streams> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (tally, connections) = (Tally::default(), Arc::new(AtomicU64::new(0)));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let endpoint = format!("https://localhost:{}", listener.local_addr()?.port());
    let router = stand_in::router(LATENCY, tally.clone());
    runtime.spawn(serve(listener, http2_tls::acceptor(&world.server_identity()?)?, router, connections.clone()));
    let mut client = Command::new(std::env::current_exe()?);
    client.args(["streams", "--endpoint", &endpoint, "--in-flight", &in_flight.to_string()]);
    client.env("SSL_CERT_FILE", &world.identity.ca).env("AWS_EC2_METADATA_DISABLED", "true");
    client.env("AWS_ACCESS_KEY_ID", "bench").env("AWS_SECRET_ACCESS_KEY", "bench").env("AWS_REGION", "us-east-1");
    let mut client = Guarded::spawn("streams", client, &folder.join("streams.log"))?;
    wait(&mut client, LATENCY + SETTLE)?;
    let (clock, pid) = (clock::system(), client.pid());
    let cpu = || meter::cpu_seconds(pid).context("the client has ended");
    let (before, cpu_before, from) = (tally.answered(), cpu()?, clock.now());
    wait(&mut client, Duration::from_secs(seconds))?;
    let (after, cpu_after, until) = (tally.answered(), cpu()?, clock.now());
    let seen = seen(&before, &after, (until - from).as_secs_f64(), cpu_after - cpu_before);
    Ok(Streams { in_flight, connections: connections.load(Ordering::Relaxed), seen })
}

fn wait(client: &mut Guarded, span: Duration) -> Result<()> {
    ensure!(client.wait_exit(span)?.is_none(), "the client ended:\n{}", client.log_tail(8));
    Ok(())
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, router: Router, connections: Arc<AtomicU64>) {
    while let Ok((stream, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::Relaxed);
        let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(router.clone()));
        tokio::spawn(async move {
            let served = async {
                stream.set_nodelay(true)?;
                let tls = acceptor.accept(stream).await?;
                let mut server = http2::Builder::new(TokioExecutor::new());
                server.max_concurrent_streams(STREAMS_A_CONNECTION);
                anyhow::Ok(server.serve_connection(TokioIo::new(tls), service).await?)
            };
            // The client goes away in the end, which is no news; anything before that shows in the figures.
            if let Err(error) = served.await {
                eprintln!("  a connection ended: {error}");
            }
        });
    }
}

/// The client: `in_flight` tasks, each of which calls again and again; they begin one after the other, within one latency.
///
/// # Errors
/// A call fails.
pub fn call(endpoint: &str, in_flight: u32) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let settings = LambdaSettings {
            endpoint_url: Some(endpoint.to_owned()),
            region: None,
            timeout: Duration::from_secs(30),
            max_in_flight: in_flight as usize,
        };
        let invoker = Arc::new(LambdaInvoker::connect(&settings).await?);
        // As the consumer does at its start.
        invoker.check("bench").await?;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..in_flight {
            let (invoker, request) = (invoker.clone(), request());
            tasks.spawn(async move {
                tokio::time::sleep(LATENCY * number / in_flight).await;
                loop {
                    if let Err(failure) = invoker.invoke("bench", request.clone()).await {
                        return failure;
                    }
                }
            });
        }
        match tasks.join_next().await {
            Some(ended) => Err(ended?.into()),
            None => Ok(()),
        }
    })
}

fn request() -> Bytes {
    let head = BatchHead {
        group: "g".into(),
        topic: "t".into(),
        partition: 0,
        lane: 0,
        lanes: 1,
        epoch: 0,
        log: None,
        since: None,
    };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for offset in 0..RECORDS_A_CALL {
        batch.push(Offset(offset), offset, br#"{"id":"bench","codigo":400,"v":1}"#);
    }
    batch.send(1, None)
}
