//! Success, reuse, concurrency and every way in which a function can fail.

use crate::probe::{PROBE, Stage, client, json, refusal, text};
use aws_sdk_lambda::types::InvocationType;
use localenv::lambda_host::{Function, HostOptions};
use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[tokio::test]
async fn an_event_comes_back_with_its_context() {
    let stage = Stage::start().await;
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let answer = stage.answer(r#"{"a":[1,"ü"]}"#).await;
    assert_eq!(answer["done"], serde_json::json!({"a": [1, "ü"]}));
    assert_eq!(answer["arn"], "arn:aws:lambda:us-east-1:000000000000:function:probe");
    assert_eq!(answer["request_id"].as_str().unwrap().len(), 36);
    assert!(answer["trace_id"].as_str().unwrap().starts_with("Root=1-"));
    let allowed = answer["deadline"].as_u64().unwrap() - before;
    assert!((30_000..60_000).contains(&allowed), "deadline {allowed} ms after the call");
}

#[tokio::test]
async fn a_warm_process_is_used_again() {
    let stage = Stage::start().await;
    let first = stage.answer("{}").await;
    for calls in 2..=20 {
        let next = stage.answer("{}").await;
        assert_eq!((&next["pid"], next["calls"].as_u64()), (&first["pid"], Some(calls)));
    }
    let stats = stage.stats();
    assert_eq!((stats.invocations, stats.executions, stats.processes.started), (20, 20, 1));
    assert_eq!(stats.outcomes["success"], 20);
}

#[tokio::test]
async fn every_concurrent_invocation_has_its_own_process() {
    let stage = Stage::start().await;
    let calls = (0..6).map(|_| stage.answer(r#"{"do":"sleep","ms":1500}"#));
    let answers = futures(calls).await;
    let processes: HashSet<_> = answers.iter().map(|answer| answer["pid"].as_u64()).collect();
    let stats = stage.stats();
    assert_eq!((processes.len(), stats.in_flight_max, stats.in_flight), (6, 6, 0));
    assert_eq!((stats.processes.alive, stats.processes.idle), (6, 6));
}

/// Runs all at once.
async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = all.map(|one| (Some(Box::pin(one)), None)).collect();
    std::future::poll_fn(|cx| {
        for (future, output) in &mut running {
            if let Some(std::task::Poll::Ready(done)) = future.as_mut().map(|future| future.as_mut().poll(cx)) {
                (*future, *output) = (None, Some(done));
            }
        }
        if running.iter().all(|(future, _)| future.is_none()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn an_error_and_a_panic_are_reported_and_the_process_lives_on() {
    let stage = Stage::start().await;
    let first = stage.answer("{}").await;
    let (_, message) = stage.function_error(r#"{"do":"error"}"#).await;
    assert_eq!(message, "the probe was told to fail");
    let (_, message) = stage.function_error(r#"{"do":"panic"}"#).await;
    assert_eq!(message, "Lambda panicked: the probe was told to panic");
    assert_eq!(stage.answer("{}").await["pid"], first["pid"]);
}

#[tokio::test]
async fn a_process_that_exits_is_replaced() {
    let stage = Stage::start().await;
    let first = stage.answer("{}").await;
    for (event, how) in [
        (r#"{"do":"exit","code":3}"#, "Runtime exited with error: exit status 3"),
        (r#"{"do":"exit","code":0}"#, "Runtime exited without providing a reason"),
        (r#"{"do":"abort"}"#, "Runtime exited with error: signal: aborted"),
    ] {
        let (kind, message) = stage.function_error(event).await;
        assert_eq!(kind, "Runtime.ExitError");
        assert!(message.starts_with("RequestId: ") && message.contains(how), "{message}");
    }
    assert_ne!(stage.answer("{}").await["pid"], first["pid"]);
    assert_eq!((stage.stats().processes.exited, stage.stats().processes.started), (3, 4));
}

#[tokio::test]
async fn a_timeout_kills_the_process_and_the_next_event_gets_a_new_one() {
    let stage = Stage::with(HostOptions::default(), |probe| probe.timeout = Duration::from_millis(1500)).await;
    let first = stage.answer("{}").await;
    let began = Instant::now();
    let (kind, message) = stage.function_error(r#"{"do":"sleep","ms":60000}"#).await;
    assert_eq!(kind, "Sandbox.Timedout");
    assert!(message.ends_with("Error: Task timed out after 1.50 seconds"), "{message}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let second = stage.answer("{}").await;
    assert_ne!(second["pid"], first["pid"]);
    let gone = format!("/proc/{}", first["pid"]);
    assert!(!std::path::Path::new(&gone).exists(), "{gone} is still there");
}

#[tokio::test]
async fn a_start_that_fails_says_why() {
    for (how, kind, message, seconds) in [
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 7", 30),
        ("report", "Probe.Init", "no settings", 30),
        ("hang", "Sandbox.Timedout", "Task timed out after 1.00 seconds", 1),
    ] {
        let options = HostOptions { init_limit: Duration::from_secs(seconds), ..HostOptions::default() };
        let stage = Stage::with(options, |probe| {
            probe.env.insert("PROBE_INIT".into(), how.into());
        });
        let error = stage.await.function_error("{}").await;
        assert!(error.0 == kind && error.1.contains(message), "{how}: {error:?}");
    }
}

#[tokio::test]
async fn a_bootstrap_that_cannot_be_executed_is_an_invalid_entrypoint() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bootstrap");
    std::fs::write(&path, "#!/nowhere/interpreter\n").unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let stage = Stage::with(HostOptions::default(), |probe| probe.bootstrap = path).await;
    assert_eq!(stage.function_error("{}").await.0, "Runtime.InvalidEntrypoint");
}

#[tokio::test]
async fn the_environment_is_lambdas_and_the_functions_and_no_more() {
    let stage = Stage::with(HostOptions::default(), |probe| {
        probe.env.insert("COMBOIO_CONFIG".into(), "x = 1".into());
        probe.memory_mb = 512;
    });
    let stage = stage.await;
    for (name, value) in [
        ("COMBOIO_CONFIG", Some("x = 1")),
        ("AWS_LAMBDA_FUNCTION_NAME", Some(PROBE)),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", Some("512")),
        ("AWS_LAMBDA_FUNCTION_VERSION", Some("$LATEST")),
        ("AWS_REGION", Some("us-east-1")),
        ("CARGO_MANIFEST_DIR", None),
    ] {
        let answer = stage.answer(&format!(r#"{{"do":"env","name":"{name}"}}"#)).await;
        assert_eq!(answer["done"].as_str(), value, "{name}");
    }
}

#[tokio::test]
async fn a_dry_run_runs_nothing() {
    let stage = Stage::start().await;
    let dry = stage.client.invoke().function_name(PROBE).invocation_type(InvocationType::DryRun);
    assert_eq!(dry.send().await.unwrap().status_code(), 204);
    assert_eq!((stage.stats().executions, stage.stats().processes.started), (0, 0));
    let event = stage.client.invoke().function_name(PROBE).invocation_type(InvocationType::Event);
    assert_eq!(refusal(event.send().await), (400, "InvalidParameterValueException".into()));
}

#[tokio::test]
async fn a_missing_function_is_named_by_its_arn() {
    let stage = Stage::start().await;
    let error = stage.client.invoke().function_name("nope").send().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception());
    let message = aws_sdk_lambda::error::ProvideErrorMetadata::message(&error).unwrap().to_owned();
    assert_eq!(message, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nope");
    assert_eq!(stage.host.stats().not_found, 1);
}

#[tokio::test]
async fn aliases_and_arns_reach_the_same_function() {
    let stage = Stage::start().await;
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:probe";
    let by_arn = stage.client.invoke().function_name(arn).send().await.unwrap();
    assert_eq!(json(&by_arn)["arn"], arn, "{}", text(&by_arn));
    let by_alias = stage.client.invoke().function_name(PROBE).qualifier("live").send().await.unwrap();
    assert_eq!(json(&by_alias)["arn"], format!("{arn}:live"));
    assert_eq!(by_alias.executed_version(), Some("$LATEST"));
}

#[tokio::test]
async fn a_new_deployment_is_used_by_the_next_invocation() {
    let stage = Stage::start().await;
    let first = stage.answer("{}").await;
    let mut second = Function::new(PROBE, crate::probe::bootstrap());
    second.env.insert("GENERATION".into(), "2".into());
    stage.host.deploy(second).unwrap();
    let answer = stage.answer(r#"{"do":"env","name":"GENERATION"}"#).await;
    assert_eq!(answer["done"], "2");
    assert_ne!(answer["pid"], first["pid"]);
    assert_eq!(stage.stats().invocations, 2);
}

#[tokio::test]
async fn idle_processes_are_ended_and_none_outlives_the_host() {
    let options = HostOptions { idle_after: Duration::from_millis(200), ..HostOptions::default() };
    let stage = Stage::with(options, |_| {}).await;
    stage.answer("{}").await;
    stage.until("the idle process ends", |stats| stats.processes.reaped == 1 && stats.processes.alive == 0).await;
    let last = stage.answer("{}").await;
    drop(stage);
    let path = format!("/proc/{}", last["pid"]);
    assert!(!std::path::Path::new(&path).exists(), "{path} is still there");
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_the_function() {
    let stage = Stage::start().await;
    let impatient = tokio::time::timeout(Duration::from_millis(300), stage.invoke(r#"{"do":"sleep","ms":900}"#)).await;
    assert!(impatient.is_err());
    stage.until("it runs to its end", |stats| stats.outcomes.get("success") == Some(&1)).await;
}

#[tokio::test]
async fn the_host_can_be_steered_over_http() {
    let stage = Stage::start().await;
    let dir = tempfile::tempdir().unwrap();
    let function = serde_json::json!({"name": "second", "bootstrap": crate::probe::bootstrap(), "timeout_ms": 9000});
    let said = post(&stage.host.endpoint(), "/_host/functions", &function.to_string()).await;
    assert!(said.contains(r#"{"deployed":1}"#), "{said}");
    let invoked = client(&stage.host.endpoint()).invoke().function_name("second").send().await.unwrap();
    assert_eq!(invoked.function_error(), None);
    let missing = serde_json::json!({"name": "third", "bootstrap": dir.path().join("none")});
    let said = post(&stage.host.endpoint(), "/_host/functions", &missing.to_string()).await;
    assert!(said.starts_with("HTTP/1.1 400") && said.contains("third"), "{said}");
}

/// A bare HTTP POST; the whole answer as text.
pub async fn post(endpoint: &str, path: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = endpoint.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
