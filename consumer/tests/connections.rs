//! How many connections to Lambda there are: its servers take 128 calls on each, and more calls than that are under way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use axum::http::{Request, Response};
use bytes::Bytes;
use consumer::invoke::Invoker;
use consumer::invoke::lambda::{LambdaInvoker, LambdaSettings};
use h2::RecvStream;
use h2::server::{self, SendResponse};
use localenv::authority::{Authority, http2_tls};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// As AWS Lambda allows.
const STREAMS_A_CONNECTION: u32 = 128;
const DEADLINE: Duration = Duration::from_secs(60);

/// What the server has seen, and how many calls it holds before it answers any.
#[derive(Clone, Default)]
struct Seen {
    connections: watch::Sender<usize>,
    under_way: watch::Sender<usize>,
    wanted: watch::Sender<usize>,
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, seen: Seen) {
    while let Ok((stream, _)) = listener.accept().await {
        seen.connections.send_modify(|connections| *connections += 1);
        tokio::spawn(connection(stream, acceptor.clone(), seen.clone()));
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, seen: Seen) {
    let tls = acceptor.accept(stream).await.unwrap();
    let mut server = server::Builder::new();
    server.max_concurrent_streams(STREAMS_A_CONNECTION);
    let mut connection = server.handshake::<_, Bytes>(tls).await.unwrap();
    // The client goes away in the end.
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(answer(request, respond, seen.clone()));
    }
}

/// Answers when as many calls are under way as are waited for.
async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>, seen: Seen) {
    let mut body = request.into_body();
    while let Some(chunk) = body.data().await {
        body.flow_control().release_capacity(chunk.unwrap().len()).unwrap();
    }
    seen.under_way.send_modify(|calls| *calls += 1);
    let (mut calls, wanted) = (seen.under_way.subscribe(), *seen.wanted.borrow());
    calls.wait_for(|calls| *calls >= wanted).await.unwrap();
    respond.send_response(Response::new(()), false).unwrap().send_data("{}".into(), true).unwrap();
}

/// So many calls at once, which are all under way at the same time.
async fn call(invoker: &Arc<LambdaInvoker>, seen: &Seen, calls: usize) {
    seen.under_way.send_replace(0);
    seen.wanted.send_replace(calls);
    let mut all = JoinSet::new();
    for _ in 0..calls {
        let invoker = invoker.clone();
        all.spawn(async move { invoker.invoke("f", Bytes::from_static(b"{}")).await.map(|_| ()) });
    }
    let ended = tokio::time::timeout(DEADLINE, all.join_all()).await;
    let held = *seen.under_way.borrow();
    ended.unwrap_or_else(|_| panic!("{held} of {calls} are under way")).into_iter().for_each(Result::unwrap);
}

async fn at_once(certificate: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (seen, acceptor) = (Seen::default(), http2_tls::acceptor(certificate).unwrap());
    tokio::spawn(serve(listener, acceptor, seen.clone()));
    let settings = LambdaSettings { endpoint_url: Some(endpoint), region: None, timeout: DEADLINE, max_in_flight: 512 };
    let invoker = Arc::new(LambdaInvoker::connect(&settings).await.unwrap());
    let expected = 512_usize.div_ceil(100);
    seen.wanted.send_replace(1);
    invoker.check("f").await.unwrap();
    assert_eq!(*seen.connections.borrow(), expected, "each has one before the first call");
    for _ in 0..3 {
        call(&invoker, &seen, 512).await;
    }
    assert_eq!(*seen.connections.borrow(), expected, "512 calls at once");
}

const NAME: &str = "calls_at_once_share_as_few_connections_as_can_carry_them_and_none_waits_for_another";
/// Names the server's certificate to the process that calls.
const CERTIFICATE: &str = "COMBOIO_TEST_CERTIFICATE";

/// The test runs once more, in a process that finds the authority in its environment.
#[test]
fn calls_at_once_share_as_few_connections_as_can_carry_them_and_none_waits_for_another() {
    if let Some(certificate) = std::env::var_os(CERTIFICATE) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return runtime.block_on(at_once(Path::new(&certificate)));
    }
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path()).unwrap();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args([NAME, "--exact"]).env("SSL_CERT_FILE", authority.ca()).env("AWS_EC2_METADATA_DISABLED", "true");
    let ended = again.env(CERTIFICATE, authority.issue_server("lambda").unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}
