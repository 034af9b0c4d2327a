//! Lambda throttles, for every reason it has, with and without saying how long to wait.

use crate::brain::{Fault, Reply};
use crate::case::{Bound, healthy, strike};
use serde_json::json;
use std::time::Duration;

/// AWS Lambda API Reference, `TooManyRequestsException`, member `Reason`.
const REASONS: [&str; 6] = [
    "ConcurrentInvocationLimitExceeded",
    "FunctionInvocationRateLimitExceeded",
    "ReservedFunctionConcurrentInvocationLimitExceeded",
    "ReservedFunctionInvocationRateLimitExceeded",
    "CallerRateLimitExceeded",
    "ConcurrentSnapshotCreateLimitExceeded",
];

fn throttled(reason: &str) -> Reply {
    let body = json!({"Reason": reason, "Type": "User", "message": "Rate Exceeded."});
    Reply::refusal(429, "TooManyRequestsException", &body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_function_costs_time_and_nothing_else() {
    let (mut world, consumer) = healthy("throttled").await;
    let faults = REASONS.map(|reason| Fault::Instead(throttled(reason)));
    strike(&mut world, faults.to_vec(), Duration::from_secs(60), Bound::Backoff).await;

    let asks = REASONS.map(|reason| Fault::Instead(throttled(reason).with("retry-after", "1")));
    let wait = Duration::from_secs(1);
    strike(&mut world, asks.to_vec(), Duration::from_millis(2_500), Bound::RetryAfter(wait)).await;

    let breaker = consumer.status().unwrap()["guard"]["breaker"]["state"].clone();
    assert_eq!(breaker, "closed", "being throttled never opens it");
    let log = consumer.stop().await;
    assert_eq!(log.find("an invocation failed")["class"], "throttled");
}
