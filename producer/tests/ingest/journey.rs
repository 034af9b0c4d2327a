//! Events by HTTP into the real binary and out of Kafka again.

use crate::client::Client;
use crate::stage::{DEADLINE, Stage};
use crate::{event, lines};
use domain::event::check;
use localenv::process::Guarded;
use nix::sys::signal::Signal;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// One sender with trucks of its own: many requests over one connection, of different sizes, with a bad line here and there.
/// What it was told is safe.
fn send(address: SocketAddr, sender: u64, requests: u64) -> Vec<String> {
    let (mut client, mut seqs, mut safe) = (Client::to(address), HashMap::new(), Vec::new());
    for request in 0..requests {
        let mut body = Vec::new();
        for place in 0..1 + request * 7 % 40 {
            let key = (format!("BR{sender}T{}", place % 3), 300 + (place % 2) as u32 * 100);
            let seq = seqs.entry(key.clone()).and_modify(|seq| *seq += 1).or_insert(1);
            // What no schema knows must arrive as it was sent.
            body.push(event(&key.0, key.1, *seq).replace("\"v\":1,", "\"v\": 1, \"ação\" : [1, 2.50],"));
        }
        safe.extend(body.iter().cloned());
        let bad = request % 5 == 4;
        if bad {
            body.insert(body.len() / 2, "{\"v\":1".into());
        }
        let reply = client.post(&lines(&body));
        let told = reply.json();
        assert_eq!(reply.status, if bad { 400 } else { 202 }, "{told}");
        assert_eq!(told["acknowledged"].as_u64().unwrap() as usize, body.len() - usize::from(bad));
    }
    safe
}

#[test]
fn what_was_answered_is_in_kafka_as_it_was_sent_and_in_order_per_key() {
    let stage = Stage::new();
    let mut producer = stage.start("", "");
    let address = stage.address(&mut producer);
    let senders: Vec<_> = (1..=4).map(|sender| std::thread::spawn(move || send(address, sender, 60))).collect();
    let sent: Vec<String> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
    let records = stage.read(sent.len());
    let arrived: HashSet<&String> = records.iter().map(|record| &record.value).collect();
    assert_eq!(arrived, sent.iter().collect(), "each event once, byte for byte");
    let mut last = HashMap::new();
    for record in &records {
        let event = check(record.value.as_bytes()).unwrap();
        let seq = last.insert(record.key.clone(), event.seq).unwrap_or(0) + 1;
        assert_eq!((event.seq, record.timestamp), (seq, event.ts), "{}", record.value);
        assert_eq!(record.topic, if event.codigo < 400 { "mt-c300" } else { "mt-c400" });
    }
    let status = stage.admin().get("/status").json();
    assert_eq!(status["ingest"]["events"], sent.len());
    assert_eq!((&status["ingest"]["waiting_events"], &status["ingest"]["requests"]["400"]), (&0.into(), &48.into()));
    let metrics = String::from_utf8(stage.admin().get("/metrics").body).unwrap();
    assert!(metrics.contains("comboio_producer_ingest_requests_total{status=\"202\"} 192"), "{metrics}");
    let report = stage.stop(&mut producer);
    assert_eq!((report.acknowledged, report.bad_lines, report.failed), (sent.len() as u64, 48, 0));
    assert_eq!((report.source.as_str(), report.ended.as_str()), ("ingest", "stopped: SIGTERM"));
    assert!(!stage.path("ingest").exists(), "the address file is gone with the server");
}

#[test]
fn a_lonely_event_does_not_wait_for_the_flow_to_wake_up() {
    let stage = Stage::new();
    let mut producer = stage.start("", "[send]\nlinger = \"0ms\"");
    let mut client = Client::to(stage.address(&mut producer));
    let mut times: Vec<Duration> = (1..=21)
        .map(|seq| {
            let begin = Instant::now();
            assert_eq!(client.post(&lines(&[event("BR1", 400, seq)])).status, 202);
            begin.elapsed()
        })
        .collect();
    times.sort();
    // A flow that slept would take its 50 ms for each of them.
    assert!(times[10] < Duration::from_millis(35), "{times:?}");
    stage.stop(&mut producer);
}

#[test]
fn what_kafka_never_takes_is_set_aside_and_the_answer_says_so() {
    let stage = Stage::new();
    let mut producer = stage.start("max_line = \"2MiB\"", "");
    let mut client = Client::to(stage.address(&mut producer));
    let huge = event("BR1", 400, 2).replace("\"v\":1", &format!("\"v\":1,\"more\":\"{}\"", "x".repeat(1_100_000)));
    let reply = client.post(&lines(&[event("BR1", 400, 1), huge, event("BR1", 999, 1), event("BR1", 400, 3)]));
    let told = reply.json();
    assert_eq!((reply.status, told["acknowledged"].as_u64(), told["dead_lettered"].as_u64()), (202, Some(2), Some(2)));
    let aside = std::fs::read_to_string(stage.path("aside.ndjson")).unwrap();
    let reasons: HashSet<String> = aside
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["reason"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(reasons, HashSet::from(["no-route".to_owned(), "message-size-too-large".to_owned()]));
    let report = stage.stop(&mut producer);
    assert_eq!((report.acknowledged, report.dead_lettered, report.unroutable), (2, 1, 1));
}

#[test]
fn a_connection_that_breaks_harms_nobody_else() {
    let stage = Stage::new();
    let mut producer = stage.start("", "");
    let address = stage.address(&mut producer);
    let whole = lines(&[event("BR1", 400, 1), event("BR1", 400, 2)]);
    let mut half = Client::to(address);
    half.begin("POST", "/v1/events", whole.len());
    half.send(&whole[..whole.len() - 2]);
    drop(half);
    let mut gone = Client::to(address);
    gone.begin("POST", "/v1/events", whole.len());
    gone.send(&whole);
    // Hangs up as soon as its events were taken: they arrive, and only they.
    stage.until(&mut producer, "its events", || {
        (stage.admin().get("/status").json()["acknowledged"] == 2).then_some(())
    });
    drop(gone);
    assert_eq!(Client::to(address).post(&lines(&[event("BR1", 400, 3)])).status, 202);
    let values: Vec<String> = stage.read(3).into_iter().map(|record| record.value).collect();
    assert_eq!(values, [1, 2, 3].map(|seq| event("BR1", 400, seq)));
    assert_eq!(stage.stop(&mut producer).offered, 3);
}

#[test]
fn limits_of_the_admin_port_hold_at_the_door() {
    let stage = Stage::new();
    let mut producer = stage.start("", "[limits]\nevents_per_second = 2");
    let mut client = Client::to(stage.address(&mut producer));
    let body = |from: u64| lines(&(from..from + 100).map(|seq| event("BR1", 400, seq)).collect::<Vec<_>>());
    let begin = Instant::now();
    assert_eq!(client.post(&body(1)).status, 202);
    assert!(begin.elapsed() < Duration::from_secs(10), "the flow does not make it pay again");
    let refused = client.post(&body(101));
    assert_eq!((refused.status, refused.reason().as_str()), (429, "rate-limit"));
    let after: u64 = refused.headers["retry-after"].parse().unwrap();
    assert!((40..=50).contains(&after), "98 events are owed at 2 a second, not {after} s");
    let limits = "{\"events_per_second\":0}";
    let mut admin = stage.admin();
    admin.begin("PUT", "/control/limits", limits.len());
    admin.send(limits);
    assert_eq!(admin.reply("put", "/control/limits").status, 200);
    assert_eq!(client.post(&body(101)).status, 202);
    assert_eq!(stage.stop(&mut producer).acknowledged, 200);
}

/// Waits until the producer knows of the signal.
fn draining(stage: &Stage, producer: &mut Guarded) {
    stage.until(producer, "the drain", || (stage.admin().get("/status").json()["state"] == "draining").then_some(()));
}

#[test]
fn a_drain_refuses_new_events_and_answers_for_those_it_has() {
    let stage = Stage::new();
    let mut producer = stage.start("", "[run]\nshutdown_deadline = \"50s\"\n[send]\nqueue_records = 100");
    let address = stage.address(&mut producer);
    assert_eq!(Client::to(address).post(&lines(&[event("BR1", 400, 1)])).status, 202);
    stage.brokers(false);
    let (mut waiting, mut behind, idle) = (Client::to(address), Client::to(address), Client::to(address));
    // The first fills the client's queue, so that the second does not even reach the flow.
    for (client, truck, events) in [(&mut waiting, "BR1", 300), (&mut behind, "BR2", 2)] {
        let body = lines(&(1..=events).map(|seq| event(truck, 300, seq)).collect::<Vec<_>>());
        client.begin("POST", "/v1/events", body.len());
        client.send(&body);
        stage.until(&mut producer, "events that wait", || {
            let status = stage.admin().get("/status").json();
            let (full, waiting) = (&status["queue"], &status["ingest"]["waiting_events"]);
            (full.as_u64() > Some(100) && waiting.as_u64() >= Some(if truck == "BR1" { 1 } else { 302 })).then_some(())
        });
    }
    producer.signal(Signal::SIGTERM).unwrap();
    draining(&stage, &mut producer);
    for mut client in [idle, Client::to(address)] {
        let refused = client.post(&lines(&[event("BR1", 400, 9)]));
        assert_eq!((refused.status, refused.reason().as_str()), (503, "closed"));
        assert_eq!((refused.headers["connection"].as_str(), refused.headers["retry-after"].as_str()), ("close", "5"));
    }
    stage.brokers(true);
    for (mut client, events) in [(waiting, 300), (behind, 2)] {
        let answered = client.reply("post", "/v1/events");
        assert_eq!((answered.status, answered.json()["acknowledged"].as_u64()), (202, Some(events)));
    }
    let code = producer.wait_exit(DEADLINE).unwrap().expect("it ends").code();
    assert_eq!((code, stage.report().acknowledged), (Some(0), 303), "{}", stage.log());
}

#[test]
fn a_drain_whose_deadline_passes_says_that_the_events_may_be_sent_again() {
    let stage = Stage::new();
    let mut producer = stage.start("", "[run]\nshutdown_deadline = \"500ms\"");
    let address = stage.address(&mut producer);
    stage.brokers(false);
    let mut waiting = Client::to(address);
    let body = lines(&[event("BR1", 400, 1)]);
    waiting.begin("POST", "/v1/events", body.len());
    waiting.send(&body);
    stage.until(&mut producer, "a request that waits", || {
        (stage.admin().get("/status").json()["offered"] == 1).then_some(())
    });
    producer.signal(Signal::SIGTERM).unwrap();
    let answered = waiting.reply("post", "/v1/events");
    assert_eq!((answered.status, answered.json()["failed"].as_u64()), (503, Some(1)));
    assert_eq!(producer.wait_exit(DEADLINE).unwrap().expect("it ends").code(), Some(1), "{}", stage.log());
}

#[test]
fn a_configuration_that_would_let_anybody_in_does_not_start() {
    let stage = Stage::new();
    for (ingest, said) in [
        ("listen = \"0.0.0.0:0\"", "others can reach this address"),
        ("token_file = \"/nowhere/token\"", "ingest.token_file"),
        ("tls = { certificate = \"/nowhere/cert\" }", "ingest.tls.key"),
        ("max_events = 0", "ingest.max_events"),
    ] {
        let code = stage.start(ingest, "").wait_exit(DEADLINE).unwrap().expect("it ends").code();
        assert_eq!((code, stage.log().contains(said)), (Some(64), true), "{said}: {}", stage.log());
    }
}
