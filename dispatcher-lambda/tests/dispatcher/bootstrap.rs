//! The real binary against a Runtime API: cold start, answers, handled errors, wrong configuration.

use crate::collector::Collector;
use crate::requests::{batch, event, judged};
use crate::runtime_api::{RuntimeApi, Told, bootstrap};
use std::time::{Duration, Instant};

const URL: &str = "COMBOIO_DESTINATIONS__COLLECTOR__HTTP__URL";

/// Generous: the machine of a test run may be busy. What it takes is printed.
const AT_MOST: Duration = Duration::from_secs(2);

fn memory_kib(process: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn it_starts_fast_and_answers_a_whole_batch() {
    let collector = Collector::start(&[]).await;
    let mut api = RuntimeApi::start().await;
    let start = Instant::now();
    let child = bootstrap(&api.address, &[(URL, collector.url())]);
    assert_eq!(api.told().await, Told::Next);
    let cold = start.elapsed();
    let mut took = Vec::new();
    for round in 0..20_u64 {
        let values: Vec<String> = (1..=500).map(|seq| event("BR00001", round * 500 + seq)).collect();
        let batch = batch(&values);
        let payload = batch.request(1, None);
        let start = Instant::now();
        api.invoke(payload);
        let Told::Response(body) = api.told().await else { panic!("a response") };
        took.push(start.elapsed());
        let response = serde_json::from_str(&body).unwrap();
        assert_eq!(judged(&batch, &response).delivered, 500);
        assert_eq!(api.told().await, Told::Next);
    }
    assert_eq!(collector.received().len(), 20);
    let first = took[0];
    took.sort_unstable();
    println!("cold start {cold:?}, first batch of 500 {first:?}, median {:?}, max {:?}", took[10], took[19]);
    println!("{}", memory_kib(child.id().unwrap()));
    assert!(cold < AT_MOST && took[10] < AT_MOST, "{cold:?} {took:?}");
}

/// Cold starts wait for no network: nothing of AWS can be reached from here with these credentials.
#[tokio::test]
async fn destinations_on_aws_cost_a_cold_start_little() {
    const ALL: &str = "
        [destinations.a.sqs]\nqueue_url = \"https://sqs.sa-east-1.amazonaws.com/000000000000/events.fifo\"
        [destinations.b.sns]\ntopic_arn = \"arn:aws:sns:sa-east-1:000000000000:events\"
        [destinations.c.dynamodb]\ntable = \"events\"
        [destinations.d.s3]\nbucket = \"events\"
        [destinations.e.lambda]\nfunction = \"events\"\n";
    let mut api = RuntimeApi::start().await;
    let start = Instant::now();
    let child = bootstrap(&api.address, &[("COMBOIO_CONFIG", ALL), ("AWS_REGION", "sa-east-1")]);
    assert_eq!(api.told().await, Told::Next);
    let cold = start.elapsed();
    println!("cold start with five destinations on AWS {cold:?}, {}", memory_kib(child.id().unwrap()));
    assert!(cold < AT_MOST, "{cold:?}");
}

#[tokio::test]
async fn what_is_no_request_is_a_handled_error_and_the_process_goes_on() {
    let collector = Collector::start(&[]).await;
    let mut api = RuntimeApi::start().await;
    let _child = bootstrap(&api.address, &[(URL, collector.url())]);
    assert_eq!(api.told().await, Told::Next);
    let good = batch(&[event("BR00001", 1)]);
    let other = String::from_utf8(good.request(1, None)).unwrap().replace("\"version\":1", "\"version\":2");
    for (payload, sentence) in [
        ("{}".to_owned(), "the payload is no request of contract version 1"),
        ("[1]".to_owned(), "the payload is no request of contract version 1"),
        (other, "the request has contract version 2, this dispatcher speaks 1"),
    ] {
        api.invoke(payload.into_bytes());
        let Told::Error(body) = api.told().await else { panic!("an error") };
        let error: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(error["errorType"], "BadRequest");
        assert!(error["errorMessage"].as_str().unwrap().starts_with(sentence), "{body}");
        assert_eq!(api.told().await, Told::Next);
    }
    api.invoke(b"no json".to_vec());
    assert!(matches!(api.told().await, Told::Error(_)));
    assert_eq!(api.told().await, Told::Next);
    api.invoke(good.request(1, None));
    assert!(matches!(api.told().await, Told::Response(_)));
}

#[tokio::test]
async fn it_answers_both_callers() {
    let collector = Collector::start(&[]).await;
    let mut api = RuntimeApi::start().await;
    let _child = bootstrap(&api.address, &[(URL, collector.url())]);
    assert_eq!(api.told().await, Told::Next);
    let event = include_str!("../../fixtures/msk-event.json");
    api.invoke(event.into());
    let Told::Response(body) = api.told().await else { panic!("a response") };
    assert_eq!(body, include_str!("../../fixtures/msk-event.response.json").trim_end());
    assert_eq!(api.told().await, Told::Next);

    api.invoke(event.replace("\"offset\": 16", "\"offset\": 15").into());
    let Told::Error(body) = api.told().await else { panic!("an error") };
    let error: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(error["errorType"], "BadRequest");
    assert_eq!(error["errorMessage"], "the offsets of mt-c300-0 do not grow");
    assert_eq!(api.told().await, Told::Next);

    api.invoke(batch(&[crate::requests::event("BR00001", 1)]).request(1, None));
    let Told::Response(body) = api.told().await else { panic!("a response") };
    assert!(body.starts_with("{\"version\":1,\"batch_id\":\"mt-c400/3/100-100\",\"delivered\":1,"), "{body}");
    assert_eq!(collector.received().len(), 2);
}

#[tokio::test]
async fn an_event_with_failures_may_fail_as_a_whole() {
    let collector = Collector::start(&[]).await;
    let mut api = RuntimeApi::start().await;
    let _child = bootstrap(&api.address, &[(URL, collector.url()), ("COMBOIO_EVENT_SOURCE__FAILURES", "error")]);
    assert_eq!(api.told().await, Told::Next);
    let mut event: serde_json::Value = serde_json::from_str(include_str!("../../fixtures/msk-event.json")).unwrap();
    api.invoke(event.to_string().into());
    let Told::Error(body) = api.told().await else { panic!("an error") };
    let error: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(error["errorType"], "BatchItemFailures");
    let sentence = "2 records failed, the first mt-c300-0 offset 16: not-json: the record has no value";
    assert_eq!(error["errorMessage"], sentence);
    assert_eq!(api.told().await, Told::Next);

    event["records"]["mt-c300-0"].as_array_mut().unwrap().remove(1);
    event["records"].as_object_mut().unwrap().remove("mt-c400-7");
    api.invoke(event.to_string().into());
    assert_eq!(api.told().await, Told::Response("{\"batchItemFailures\":[]}".to_owned()));
    assert_eq!(collector.received().len(), 1, "the rest was done the first time");
}

#[tokio::test]
async fn a_wrong_configuration_does_not_start() {
    let mut api = RuntimeApi::start().await;
    let child = bootstrap(&api.address, &[(URL, "collector"), ("COMBOIO_DELIVER__ATTEMPTS", "2")]);
    let Told::InitError(body) = api.told().await else { panic!("an init error") };
    let error: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(error["errorType"], "Comboio.Configuration");
    let sentence = error["errorMessage"].as_str().unwrap();
    assert!(
        sentence.starts_with("destinations.collector.http.url is `collector` (COMBOIO_DESTINATIONS__"),
        "{sentence}"
    );
    let output = tokio::time::timeout(Duration::from_secs(10), child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, format!("error: {sentence}\n"));
}

#[tokio::test]
async fn what_comes_again_is_logged_with_its_batch_and_its_trace() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut api = RuntimeApi::start().await;
    let away = [(URL, "http://127.0.0.1:1/"), ("COMBOIO_LOGS__FORMAT", "json"), ("COMBOIO_DELIVER__ATTEMPTS", "1")];
    let mut child = bootstrap(&api.address, &away);
    assert_eq!(api.told().await, Told::Next);
    api.invoke(batch(&[event("BR00001", 1)]).request(1, Some(TRACE)));
    assert!(matches!(api.told().await, Told::Response(_)));
    assert_eq!(api.told().await, Told::Next);
    child.start_kill().unwrap();
    let output = child.wait_with_output().await.unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let line = log.lines().find(|line| line.contains("batch answered")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["batch_id"], &line["traceparent"]), (&"mt-c400/3/100-100".into(), &TRACE.into()), "{line}");
    assert_eq!((&line["request_id"], &line["retry"]), (&"request-1".into(), &1.into()));
}

#[tokio::test]
async fn started_by_hand_it_says_so() {
    let child = bootstrap("", &[]);
    let output = tokio::time::timeout(Duration::from_secs(10), child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: AWS_LAMBDA_RUNTIME_API is not set: bootstrap is started by AWS Lambda, not by hand\n"
    );
}
