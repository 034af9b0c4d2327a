//! The real SDK against a host that speaks Lambda's API: every failure has its class, and nothing is called twice behind our back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use consumer::invoke::lambda::{LambdaInvoker, LambdaSettings};
use consumer::invoke::{InvokeFailure, Invoker};
use domain::failure::FailureClass;
use localenv::lambda_host::{Fault, Function, HostOptions, LambdaHost, Rule, When};
use std::time::Duration;

struct World {
    host: LambdaHost,
    invoker: LambdaInvoker,
}

impl World {
    async fn new() -> Self {
        let host = LambdaHost::start(HostOptions::default()).await.unwrap();
        // It is never run: every call here is struck by a fault before that.
        host.deploy(Function::new("f", "/bin/true")).unwrap();
        let settings = LambdaSettings {
            endpoint_url: Some(host.endpoint()),
            region: None,
            timeout: Duration::from_secs(5),
            max_in_flight: 4,
        };
        Self { invoker: LambdaInvoker::connect(&settings).await.unwrap(), host }
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
