//! Requests, faults of the destination, and what each must come to, whoever runs the function.

use crate::collector::Collector;
use crate::hosts::{Answer, Hosts, invoke};
use crate::requests::{batch, event};
use std::path::Path;
use std::time::{Duration, Instant};

type Answers = &'static [(u16, &'static str)];

/// What a case must come to on every host.
struct Case {
    name: &'static str,
    payload: Vec<u8>,
    /// How the destination answers before it takes everything; 0 is never.
    destination: Answers,
    judge: fn(&Answer),
    /// How many events the destination holds afterwards.
    held: usize,
}

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/fixtures/contract");
    std::fs::read_to_string(folder.join(name)).unwrap().trim_end().to_owned()
}

fn json(answer: &Answer) -> serde_json::Value {
    serde_json::from_str(&answer.body).unwrap()
}

fn is_verdicts(answer: &Answer, name: &str) {
    assert_eq!((answer.status, &answer.function_error), (200, &None));
    let wanted: serde_json::Value = serde_json::from_str(&fixture(&format!("{name}.response.json"))).unwrap();
    assert_eq!(json(answer), wanted);
}

fn is_error(answer: &Answer, name: &str) {
    assert_eq!((answer.status, answer.function_error.as_deref()), (200, Some("Unhandled")));
    let wanted: serde_json::Value = serde_json::from_str(&fixture(&format!("{name}.error.json"))).unwrap();
    let found = json(answer);
    assert_eq!(found["errorType"], wanted["errorType"]);
    assert_eq!(sentence(&found), sentence(&wanted));
}

/// Without the place in the payload, which a host may write anew.
fn sentence(error: &serde_json::Value) -> &str {
    let said = error["errorMessage"].as_str().unwrap();
    said.split(" at line ").next().unwrap()
}

/// `delivered`, and `offset:reason` of what is listed.
fn verdicts(answer: &Answer) -> (u64, Vec<String>, Vec<String>) {
    assert_eq!(answer.function_error, None);
    let body = json(answer);
    let listed = |name: &str| {
        let of = |listed: &serde_json::Value| format!("{}:{}", listed["offset"], listed["reason"].as_str().unwrap());
        body[name].as_array().unwrap().iter().map(of).collect()
    };
    (body["delivered"].as_u64().unwrap(), listed("rejected"), listed("retry"))
}

fn three(second: &str) -> Vec<u8> {
    batch(&[event("BR00001", 1), second.to_owned(), event("BR00003", 1)]).request(1, None)
}

fn cases() -> Vec<Case> {
    let request = |name: &str| fixture(&format!("{name}.request.json")).into_bytes();
    let bad = |name: &str| fixture(&format!("{name}.bad-request.json")).into_bytes();
    let good = || three(&event("BR00002", 1));
    let case = |name, payload, destination, held, judge| Case { name, payload, destination, judge, held };
    vec![
        case("mixed", request("mixed"), &[], 3, |answer| is_verdicts(answer, "mixed")),
        case("one", request("one"), &[], 1, |answer| is_verdicts(answer, "one")),
        case("busy", request("busy"), &[(429, "slow down"), (429, "slow down"), (429, "slow down")], 0, |answer| {
            is_verdicts(answer, "busy")
        }),
        case("version", bad("version"), &[], 0, |answer| is_error(answer, "version")),
        case("counts", bad("counts"), &[], 0, |answer| is_error(answer, "counts")),
        case("order", bad("order"), &[], 0, |answer| is_error(answer, "order")),
        case("shape", bad("shape"), &[], 0, |answer| is_error(answer, "shape")),
        case("no-event", three("{\"v\": 1}"), &[], 2, |answer| {
            assert_eq!(verdicts(answer), (2, vec!["101:schema".into()], vec![]));
        }),
        case("refused", good(), &[(503, "away"), (503, "away"), (503, "away")], 0, |answer| {
            let again = ["100:transient", "101:transient", "102:transient"].map(str::to_owned).to_vec();
            assert_eq!(verdicts(answer), (0, vec![], again));
        }),
        case("recovers", good(), &[(503, "away"), (429, "slow down")], 3, |answer| {
            assert_eq!(verdicts(answer), (3, vec![], vec![]));
        }),
        case("one-is-poison", three(&event("BR00002", 1).replace("t1-BR", "t1-poison-BR")), &[], 2, |answer| {
            assert_eq!(verdicts(answer), (2, vec!["101:rejected".into()], vec![]));
        }),
        case("hangs", good(), &[(0, ""), (0, ""), (0, "")], 0, |answer| {
            let again = ["100:deadline", "101:deadline", "102:deadline"].map(str::to_owned).to_vec();
            assert_eq!(verdicts(answer), (0, vec![], again));
        }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn both_hosts_give_the_answers_that_are_meant() {
    let hosts = Hosts::start().await;
    for case in cases() {
        let mut answers = Vec::new();
        for (host, client) in hosts.all() {
            let collector = Collector::start(case.destination).await;
            let name = format!("{}-{host}", case.name);
            let config = format!("[destinations.collector.http]\nurl = \"{}\"\n", collector.url());
            hosts.deploy(&name, &config).await;
            let begun = Instant::now();
            let answer = invoke(&client, &name, &case.payload).await;
            println!("{host} {}: {:?} {}", case.name, begun.elapsed(), answer.body);
            assert!(begun.elapsed() < Duration::from_secs(10), "{host} {}", case.name);
            (case.judge)(&answer);
            let held: usize = collector.received().iter().map(|post| post.lines.len()).sum();
            assert_eq!(held, case.held, "{host} {}", case.name);
            answers.push(answer);
        }
        let without_trace = |answer: &Answer| Answer { body: errors_alone(answer), ..answer.clone() };
        assert_eq!(without_trace(&answers[0]), without_trace(&answers[1]), "{}", case.name);
    }
}

/// Hosts may write JSON anew, and add to an error (a request's id, a stack); to verdicts they may not.
fn errors_alone(answer: &Answer) -> String {
    let body = json(answer);
    if answer.function_error.is_none() {
        return body.to_string();
    }
    format!("{}: {}", body["errorType"], sentence(&body))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_an_error_on_both_hosts() {
    let hosts = Hosts::start().await;
    hosts.deploy("wrong", "[destinations.collector.http]\nurl = \"collector\"\n").await;
    for (host, client) in hosts.all() {
        let answer = invoke(&client, "wrong", &three(&event("BR00002", 1))).await;
        println!("{host}: {}", answer.body);
        assert_eq!(answer.function_error.as_deref(), Some("Unhandled"), "{host}");
    }
}
