//! Every fault rule, as the SDK sees it.

use crate::invoke::post;
use crate::probe::{Stage, json, refusal, text};
use localenv::lambda_host::{Fault, HostOptions, Rule, Wait, When};
use std::time::{Duration, Instant};

const BATCH: &str = r#"{"do":"batch","batch_id":"t/0/1-3","records":3}"#;

async fn under(fault: Fault) -> Stage {
    let stage = Stage::start().await;
    stage.host.add_fault(Rule::times(1, fault)).unwrap();
    stage
}

/// Whatever the fault was, it strikes once, and the next invocation is fine.
async fn and_then_all_is_well(stage: &Stage, executions: u64) {
    assert_eq!(stage.host.faults()[0].struck, 1);
    assert_eq!(stage.stats().executions, executions, "executions");
    assert_eq!(stage.answer(BATCH).await["delivered"], 3);
    assert_eq!(stage.host.faults()[0].struck, 1);
}

#[tokio::test]
async fn statuses_come_without_a_run() {
    for (status, code) in [
        (429, "TooManyRequestsException"),
        (500, "ServiceException"),
        (502, "EC2ThrottledException"),
        (503, "ServiceUnavailableException"),
        (403, "AccessDeniedException"),
    ] {
        let stage = under(Fault::status(status)).await;
        assert_eq!(refusal(stage.invoke(BATCH).await), (status, code.into()));
        and_then_all_is_well(&stage, 0).await;
    }
}

#[tokio::test]
async fn a_status_can_say_anything() {
    let stage = Stage::start().await;
    let rule = r#"[{"function":"other","fault":{"kind":"timeout"}},
        {"count":1,"fault":{"kind":"status","status":413,"error_type":"RequestEntityTooLargeException"}},
        {"count":1,"fault":{"kind":"status","status":429,"reason":"CallerRateLimitExceeded","retry_after_s":7}}]"#;
    let said = post(&stage.host.endpoint(), "/_host/faults", rule).await;
    assert!(said.contains(r#"{"ids":[1,2,3]}"#), "{said}");
    assert_eq!(refusal(stage.invoke(BATCH).await), (413, "RequestEntityTooLargeException".into()));
    let throttled = format!("{:?}", stage.invoke(BATCH).await.unwrap_err());
    assert!(throttled.contains("CallerRateLimitExceeded") && throttled.contains("Some(\"7\")"), "{throttled}");
    assert_eq!(stage.answer(BATCH).await["delivered"], 3);
}

#[tokio::test]
async fn latency_is_added_on_either_side() {
    let wait = Wait::Between { min_ms: 300, max_ms: 400 };
    for when in [When::Before, When::After] {
        let stage = Stage::start().await;
        stage.answer("{}").await;
        stage.host.add_fault(Rule::times(1, Fault::Latency { when, wait })).unwrap();
        let began = Instant::now();
        stage.answer("{}").await;
        assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
        assert_eq!(stage.stats().executions, 2);
    }
}

#[tokio::test]
async fn latency_holds_its_concurrency() {
    let stage = Stage::with(HostOptions::default(), |probe| probe.reserved_concurrency = Some(1)).await;
    let slow = Fault::Latency { when: When::After, wait: Wait::Fixed { fixed_ms: 2000 } };
    stage.host.add_fault(Rule::times(1, slow)).unwrap();
    let second = async {
        stage.until("the first call has run", |stats| stats.executions == 1).await;
        refusal(stage.invoke("{}").await)
    };
    let (first, second) = tokio::join!(stage.invoke("{}"), second);
    assert!(first.is_ok());
    assert_eq!(second.0, 429);
}

#[tokio::test]
async fn a_reset_connection_may_or_may_not_have_run() {
    for (when, executions) in [(When::Before, 0), (When::After, 1)] {
        let stage = under(Fault::Reset { when }).await;
        let error = stage.invoke(BATCH).await.unwrap_err();
        assert!(matches!(error, aws_sdk_lambda::error::SdkError::DispatchFailure(_)), "{error:?}");
        let chain = format!("{error:?}");
        assert!(chain.contains("ConnectionReset") || chain.contains("reset"), "{chain}");
        assert_eq!(stage.stats().outcomes["connection-reset"], 1);
        and_then_all_is_well(&stage, executions).await;
    }
}

#[tokio::test]
async fn a_timeout_after_the_work_costs_the_process() {
    let stage = under(Fault::Timeout).await;
    assert_eq!(stage.function_error(BATCH).await.0, "Sandbox.Timedout");
    and_then_all_is_well(&stage, 1).await;
    assert_eq!((stage.stats().processes.started, stage.stats().processes.killed), (2, 1));
}

#[tokio::test]
async fn garbage_is_half_an_answer_or_what_was_ordered() {
    let stage = under(Fault::Garbage { body: None }).await;
    let half = text(&stage.invoke(BATCH).await.unwrap());
    assert!(!half.is_empty() && serde_json::from_str::<serde_json::Value>(&half).is_err(), "{half}");
    and_then_all_is_well(&stage, 1).await;
    let stage = under(Fault::Garbage { body: Some("<html>".into()) }).await;
    assert_eq!(text(&stage.invoke(BATCH).await.unwrap()), "<html>");
}

#[tokio::test]
async fn another_batchs_answer_is_the_one_before() {
    let stage = Stage::start().await;
    let earlier = stage.answer(r#"{"do":"batch","batch_id":"t/0/0-0","records":1}"#).await;
    stage.host.add_fault(Rule::times(1, Fault::OtherBatch)).unwrap();
    assert_eq!(stage.answer(BATCH).await, earlier);
    and_then_all_is_well(&stage, 2).await;
}

#[tokio::test]
async fn counts_do_not_add_up() {
    let stage = under(Fault::Miscount { by: -1 }).await;
    let answer = stage.answer(BATCH).await;
    assert_eq!((answer["delivered"].as_u64(), answer["batch_id"].as_str()), (Some(2), Some("t/0/1-3")));
    and_then_all_is_well(&stage, 1).await;
}

#[tokio::test]
async fn a_function_error_is_ordered_with_or_without_a_run() {
    for (when, executions) in [(When::Before, 0), (When::After, 1)] {
        let fault = Fault::FunctionError { when, error_type: "Runtime.OutOfMemory".into(), message: "no".into() };
        let stage = under(fault).await;
        assert_eq!(stage.function_error(BATCH).await, ("Runtime.OutOfMemory".into(), "no".into()));
        and_then_all_is_well(&stage, executions).await;
    }
}

#[tokio::test]
async fn rules_are_listed_and_taken_back_over_http() {
    let stage = Stage::start().await;
    let endpoint = stage.host.endpoint();
    let refused = post(&endpoint, "/_host/faults", r#"{"share":2,"fault":{"kind":"other-batch"}}"#).await;
    assert!(refused.starts_with("HTTP/1.1 400") && refused.contains("allowed is 0 to 1"), "{refused}");
    let added = post(&endpoint, "/_host/faults", r#"{"share":0.5,"fault":{"kind":"miscount"}}"#).await;
    assert!(added.contains(r#"{"ids":[1]}"#), "{added}");
    assert_eq!(stage.host.faults()[0].rule, Rule::always(Fault::Miscount { by: 1 }).share(0.5));
    stage.host.clear_faults();
    assert_eq!(stage.host.faults(), []);
    assert_eq!(json(&stage.invoke(BATCH).await.unwrap())["delivered"], 3);
}
