//! The real SDK against a host that speaks Lambda's API: every failure has its class, and nothing is called twice behind our back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use consumer::invoke::lambda::{LambdaInvoker, LambdaSettings};
use consumer::invoke::{InvokeFailure, Invoker};
use domain::failure::FailureClass;
use localenv::lambda_host::{Fault, Function, HostOptions, LambdaHost, Rule, When};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

struct World {
    host: LambdaHost,
    invoker: LambdaInvoker,
}

impl World {
    async fn new() -> Self {
        let host = LambdaHost::start(HostOptions::default()).await.unwrap();
        // It is never run: every call here is struck by a fault before that.
        host.deploy(Function::new("f", "/bin/true")).unwrap();
        Self { invoker: invoker(host.endpoint()).await, host }
    }

    /// One call under a fault, and how many requests the host saw of it.
    async fn struck(&self, fault: Fault) -> (InvokeFailure, u64) {
        let before = self.requests();
        self.host.clear_faults();
        self.host.add_fault(Rule { function: None, share: 1.0, count: None, for_ms: None, fault }).unwrap();
        let failure = self.invoker.invoke("f", b"{}".as_slice().into()).await.unwrap_err();
        (failure, self.requests() - before)
    }

    fn requests(&self) -> u64 {
        self.host.stats().functions.get("f").map_or(0, |stats| stats.invocations)
    }
}

async fn invoker(endpoint: String) -> LambdaInvoker {
    let settings = LambdaSettings {
        endpoint_url: Some(endpoint),
        region: None,
        timeout: Duration::from_secs(5),
        max_in_flight: 4,
    };
    LambdaInvoker::connect(&settings).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_has_its_class_and_is_one_request() {
    let world = World::new().await;
    let error = |error_type: &str| Fault::FunctionError {
        when: When::Before,
        error_type: error_type.into(),
        message: "x".into(),
    };
    let cases = [
        (Fault::status(429), FailureClass::Throttled),
        (Fault::status(500), FailureClass::Transient),
        // EC2ThrottledException comes with this status.
        (Fault::status(502), FailureClass::Throttled),
        (Fault::status(503), FailureClass::Transient),
        (Fault::status(413), FailureClass::TooLarge),
        (Fault::status(403), FailureClass::Ours),
        (Fault::Reset { when: When::Before }, FailureClass::Transient),
        (error("Runtime.ExitError"), FailureClass::FunctionError),
        (error("Function.ResponseSizeTooLarge"), FailureClass::TooLarge),
    ];
    for (fault, class) in cases {
        let (failure, requests) = world.struck(fault.clone()).await;
        assert_eq!((failure.class, requests), (class, 1), "{fault:?}: {failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_call_says_how_long_to_wait() {
    let world = World::new().await;
    let fault = Fault::Status { status: 429, error_type: None, reason: None, retry_after_s: Some(3) };
    let (failure, _) = world.struck(fault).await;
    assert_eq!(failure.retry_after, Some(Duration::from_secs(3)), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_runs_nothing_and_a_missing_function_is_ours() {
    let world = World::new().await;
    world.invoker.check("f").await.unwrap();
    assert_eq!(world.host.stats().functions["f"].executions, 0);
    let failure = world.invoker.check("g").await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Ours, "{failure}");
    assert!(failure.detail.contains("404"), "{failure}");
}

/// Longer than five seconds, after which the SDK takes a silent connection for a stalled one, where it looks (Invoke of 1.156 is left out).
const SILENCE: Duration = Duration::from_secs(7);

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";

/// One call of a server that says this, and is silent in between; its answer, and how many calls there were.
async fn call(said: [&'static [u8]; 2]) -> (Result<Vec<u8>, String>, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let invoker = invoker(format!("http://{}", listener.local_addr().unwrap())).await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n{}") {
            stream.read_buf(&mut asked).await.unwrap();
        }
        stream.write_all(said[0]).await.unwrap();
        // Another call, on this connection or on another one, would be in vain.
        let again = timeout(SILENCE, async {
            tokio::select! { _ = listener.accept() => {}, _ = stream.readable() => {} }
        });
        let calls = 1 + usize::from(again.await.is_ok());
        // The client may be gone.
        let _ = stream.write_all(said[1]).await;
        calls
    });
    let answer = invoker.invoke("f", b"{}".as_slice().into()).await;
    (answer.map(|body| body.to_vec()).map_err(|failure| failure.to_string()), server.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_silent_for_seven_seconds_is_one_call_and_no_failure() {
    let whole = [HEAD, b"{}"].concat().leak();
    let before_all = call([b"", whole]);
    let before_the_body = call([HEAD, b"{}"]);
    let (first, second) = tokio::join!(before_all, before_the_body);
    assert_eq!([first, second], [(Ok(b"{}".to_vec()), 1), (Ok(b"{}".to_vec()), 1)]);
}
