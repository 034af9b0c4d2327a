//! The way to Lambda breaks: 5xx, a proxy's own pages, connections that are reset before, while and after the function works.

use crate::brain::{Fault, Reply};
use crate::case::{Bound, healthy, strike};
use serde_json::json;
use std::time::Duration;

const SPAN: Duration = Duration::from_secs(2);

fn refused(status: u16, error_type: &str) -> Fault {
    Fault::Instead(Reply::refusal(status, error_type, &json!({"Type": "Service", "message": "no"})))
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_service_and_pages_of_a_proxy_are_waited_out_behind_the_breaker() {
    let (mut world, consumer) = healthy("unavailable").await;
    let service = vec![
        refused(500, "ServiceException"),
        refused(502, "EC2UnexpectedException"),
        refused(503, "ServiceUnavailableException"),
        refused(500, "SomethingNewException"),
    ];
    strike(&mut world, service, SPAN, Bound::Breaker).await;
    let pages = [500, 502, 503, 504].map(|status| Fault::Instead(Reply::page(status)));
    strike(&mut world, pages.to_vec(), SPAN, Bound::Breaker).await;
    let log = consumer.stop().await;
    assert_eq!(log.find("an invocation failed")["class"], "transient");
    log.find("the breaker is open");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_reset_lose_nothing_whatever_the_function_had_done() {
    let (mut world, consumer) = healthy("reset").await;
    strike(&mut world, vec![Fault::ResetBefore], SPAN, Bound::Breaker).await;
    strike(&mut world, vec![Fault::ResetAfter, Fault::CutBody], SPAN, Bound::Breaker).await;
    let log = consumer.stop().await;
    assert_eq!(log.find("an invocation failed")["class"], "transient");
}
