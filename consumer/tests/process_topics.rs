//! Several topics, as an operator meets them: what is refused, what is missing, breakers by function, pauses by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "process/program.rs"]
mod program;

use localenv::lambda_host::{Function, HostOptions, LambdaHost};
use program::{Consumer, DEADLINE, NOBODY, broker};
use std::time::Instant;

const TWO_TOPICS: [(&str, &str); 3] = [
    ("CONSUMER__TOPICS", "t,u"),
    ("TOPIC", r#"[{name = "u", weight = 4, function = "dispatcher-u"}]"#),
    ("FUNCTION__ENDPOINT_URL", NOBODY),
];

#[test]
fn a_topic_that_is_not_consumed_and_settings_without_effect_exit_64_and_are_named() {
    let cases: [(&[(&str, &str)], &str); 4] = [
        (
            &[("TOPIC", r#"[{name = "v"}]"#)],
            "topic[0].name is `v` (COMBOIO_TOPIC): allowed is one of consumer.topics: t",
        ),
        (&[("TOPIC", r#"[{name = "t", weight = 21}]"#)], "topic[0].weight is `21` (COMBOIO_TOPIC): allowed is 1 to 20"),
        (
            &[("CONSUMER__PROTOCOL", "consumer"), ("CONSUMER__SESSION_TIMEOUT", "30s")],
            "consumer.session_timeout is `30s`",
        ),
        (&[("CONSUMER__ASSIGNOR", "range")], "consumer.assignor is `range`"),
    ];
    for (more, words) in cases {
        let settings = [("KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:9"), ("CONSUMER__TOPICS", "t")];
        let settings: Vec<_> = settings.iter().chain(more).copied().collect();
        let (code, said) = Consumer::start("check", &settings).end();
        assert_eq!(code, Some(64), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_missing_function_of_a_topic_is_named_too() {
    let (broker, host) =
        (broker(&["t", "t.dlq", "u", "u.dlq"]), LambdaHost::start(HostOptions::default()).await.unwrap());
    // It is only asked for.
    host.deploy(Function::new("dispatcher", "/bin/true")).unwrap();
    let (bootstrap, endpoint) = (broker.bootstrap(), host.endpoint());
    let mut settings = vec![("KAFKA__BOOTSTRAP_SERVERS", bootstrap.as_str())];
    settings.extend(TWO_TOPICS);
    settings.extend([("FUNCTION__ENDPOINT_URL", endpoint.as_str())]);
    let consumer = Consumer::start("run", &settings);
    let (code, said) = tokio::task::spawn_blocking(|| consumer.end()).await.unwrap();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("function dispatcher-u cannot be invoked"), "{said}");
}

#[test]
fn breakers_are_forced_by_function_and_topics_are_paused_by_hand() {
    let broker = broker(&["t", "t.dlq", "u", "u.dlq"]);
    let bootstrap = broker.bootstrap();
    let mut settings = vec![("KAFKA__BOOTSTRAP_SERVERS", bootstrap.as_str())];
    settings.extend(TWO_TOPICS);
    let mut consumer = Consumer::start("run", &settings);
    consumer.wait_for("partitions assigned");
    let address = std::fs::read_to_string(consumer.folder.path().join("address")).unwrap();
    let ask = |request: &str, body: &str| {
        let answer = program::ask(address.trim(), request, body);
        let said = answer.split("\r\n\r\n").nth(1).unwrap();
        (answer[9..12].to_owned(), serde_json::from_str::<serde_json::Value>(said).unwrap())
    };
    let ask_code = |request: &str| program::ask(address.trim(), request, "")[9..12].to_owned();
    let states = |said: &serde_json::Value| {
        let all = said["functions"].as_array().unwrap().iter();
        all.map(|one| format!("{} {}", one["function"], one["breaker"]["state"]).replace('"', "")).collect::<Vec<_>>()
    };
    let (code, said) = ask("POST /control/breaker", r#"{"force":"open","function":"dispatcher-u"}"#);
    assert_eq!((code.as_str(), states(&said)), ("200", vec!["dispatcher closed".into(), "dispatcher-u open".into()]));
    let (code, said) = ask("POST /control/breaker", r#"{"force":"open","function":"dispatcher-v"}"#);
    assert!(code == "400" && said["error"].as_str().unwrap().contains("one of dispatcher, dispatcher-u"), "{said}");
    let (_, said) = ask("POST /control/breaker", r#"{"force":"closed"}"#);
    assert_eq!(states(&said), ["dispatcher closed", "dispatcher-u closed"]);

    let (code, said) = ask("POST /control/pause", r#"{"topic":"v"}"#);
    assert!(code == "400" && said["error"].as_str().unwrap().contains("allowed is one of t, u"), "{said}");
    let (code, _) = ask("POST /control/pause", r#"{"topic":"u"}"#);
    assert_eq!(code, "200");
    consumer.wait_for("paused by hand");
    let until = Instant::now() + DEADLINE;
    while ask_code("GET /readyz") != "200" {
        assert!(Instant::now() < until, "{}", program::ask(address.trim(), "GET /readyz", ""));
    }
    let (_, status) = ask("GET /status", "");
    assert_eq!(status["paused_by_hand"]["paused"][0]["topic"], "u");
    assert_eq!(
        (&status["guard"]["topics"][1]["weight"], &status["guard"]["topics"][1]["function"]),
        (&4.into(), &"dispatcher-u".into())
    );
    assert_eq!(ask("POST /control/resume", r#"{"topic":"u","partition":0}"#).1["but_not"][0]["partition"], 0);
    assert_eq!(ask("GET /control/pause", "").1, ask("GET /control/resume", "").1);
    assert_eq!(ask("POST /control/resume", "").1, serde_json::json!({ "paused": [], "but_not": [] }));
    assert_eq!(consumer.process.stop(DEADLINE).unwrap().code(), Some(0), "{}", consumer.said());
}
