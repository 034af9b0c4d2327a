//! The server in this process, with a flow that the test plays: every answer of the document, and what a sender may do wrong.

use crate::bench::{Bench, DEADLINE, events, until};
use crate::client::{Client, Reply};
use crate::{document, event, lines};
use producer::doors::Closed;
use producer::limit::Limits;
use producer::ticket::Fate;
use runtime::config::{Size, Span};
use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, Instant};

const TOKEN: &str = "0123456789abcdef";

/// What a server with a token and tight limits answers.
fn refusals() -> Vec<(&'static str, Reply)> {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
    let bench = Bench::new(|raw| {
        raw.token_file = token.display().to_string();
        (raw.max_line, raw.max_body, raw.max_events) = (Size::from_kib(1), Size::from_kib(4), 10);
        raw.body_within = Span::from_millis(100);
    });
    let client = || Client { headers: format!("authorization: Bearer {TOKEN}\r\n"), ..bench.client() };
    let mut late = client();
    late.begin("POST", "/v1/events", 10);
    let mut broken = client();
    broken.send(&format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n{}\r\nzz\r\n",
        broken.headers
    ));
    let mut packed = client();
    packed.headers += "content-encoding: gzip\r\n";
    // Its length is not told beforehand.
    let mut flood = client();
    let flooding =
        format!("POST /v1/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n{}\r\n", flood.headers);
    flood.send(&(flooding + &format!("1800\r\n{}\r\n0\r\n\r\n", "x".repeat(0x1800))));
    let replies = vec![
        ("/v1/events", bench.client().post(&events(1))),
        (
            "/v1/events",
            Client { headers: "authorization: Bearer 0123456789abcdeF\r\n".into(), ..bench.client() }.post(""),
        ),
        ("/v1/openapi.json", bench.client().get("/v1/openapi.json")),
        ("/v1/openapi.json", client().get("/v1/openapi.json")),
        ("/v1/events", client().post(&format!("{}{}\n", events(1), "x".repeat(1_025)))),
        ("/v1/events", client().post(&"x\n".repeat(2_049))),
        ("/v1/events", flood.reply("post", "/v1/events")),
        ("/v1/events", client().post(&"\n{}".repeat(11))),
        ("/v1/events", packed.post(&events(1))),
        ("/v1/events", late.reply("post", "/v1/events")),
        ("/v1/events", broken.reply("post", "/v1/events")),
        ("", client().get("/v1/nothing")),
        ("", client().get("/v1/events")),
    ];
    let statuses: Vec<u16> = replies.iter().map(|(_, reply)| reply.status).collect();
    assert_eq!(statuses, [401, 401, 401, 200, 413, 413, 413, 413, 415, 408, 400, 404, 405]);
    assert_eq!((replies[4].1.json()["line"].as_u64(), replies[7].1.json()["line"].as_u64()), (Some(2), Some(12)));
    assert_eq!((replies[12].1.headers["allow"].as_str(), bench.tickets.open_now()), ("POST", 0));
    assert!(bench.parcels.pop().is_none() && bench.allowance.used() == (0, 0), "nothing was taken");
    replies
}

/// What a server answers whose flow, doors or limits stand in the way.
fn hindrances() -> Vec<(&'static str, Reply)> {
    let bench = Bench::new(|raw| {
        (raw.max_events, raw.queue_events, raw.answer_within) = (3, 3, Span::from_millis(200));
    });
    let mut replies = vec![
        bench.post(&events(2), Fate::Acknowledged),
        bench.post(&format!("{}nonsense\n", events(1)), Fate::Spooled),
        bench.post(&events(1), Fate::DeadLettered),
        bench.post(&events(1), Fate::Failed),
        // The flow stands still: the first waits in vain, the second finds no room.
        bench.client().post(&events(2)),
        bench.client().post(&events(2)),
    ];
    assert_eq!(bench.parcel().events.len(), 2);
    assert_eq!(bench.post(&events(2), Fate::Acknowledged).status, 202, "room comes back");
    let closed = Closed { reason: "the spool is full".into(), retry_after: Duration::from_millis(6_500) };
    *bench.hand.0.lock().unwrap() = Some(closed);
    replies.push(bench.client().post(&events(1)));
    *bench.hand.0.lock().unwrap() = None;
    bench.limits.set(Limits { events_per_second: 1.0, ..Limits::default() });
    assert_eq!(bench.post(&events(3), Fate::Acknowledged).status, 202);
    replies.push(bench.client().post(&events(1)));
    bench.limits.set(Limits::default());
    assert_eq!(bench.post(&events(3), Fate::Acknowledged).status, 202, "limits change while it runs");
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [202, 400, 202, 503, 503, 503, 503, 429]);
    assert_eq!(replies[6].headers["retry-after"], "7");
    assert!(replies[6].json()["error"].as_str().unwrap().contains("the spool is full"));
    replies.into_iter().map(|reply| ("/v1/events", reply)).collect()
}

/// What those get who still wait when the server ends.
fn endings() -> Vec<(&'static str, Reply)> {
    let mut bench = Bench::new(|_| {});
    let (mut waiting, mut idle) = (bench.client(), bench.client());
    waiting.begin("POST", "/v1/events", events(2).len());
    waiting.send(&events(2));
    let parcel = bench.parcel();
    bench.tickets.settle(parcel.ticket, Fate::Acknowledged);
    bench.shutdown.trigger("SIGTERM");
    let refused = idle.post(&events(1));
    assert_eq!((refused.status, refused.headers["connection"].as_str()), (503, "close"));
    bench.server.take().unwrap().stop();
    let ended = waiting.reply("post", "/v1/events");
    assert_eq!((ended.status, ended.json()["acknowledged"].as_u64()), (503, Some(1)));
    vec![("/v1/events", refused), ("/v1/events", ended)]
}

#[test]
fn every_answer_of_the_document_is_given_and_no_other() {
    let replies = [refusals(), hindrances(), endings()].concat();
    let given: BTreeSet<(String, u16)> =
        replies.iter().map(|(path, reply)| ((*path).to_owned(), reply.status)).collect();
    assert_eq!(given, document::promised());
    let words = replies.iter().map(|(_, reply)| reply.reason()).filter(|word| !word.is_empty());
    let words: BTreeSet<String> = words.collect();
    assert_eq!(words, document::reasons());
}

#[test]
fn good_lines_are_taken_beside_bad_ones_and_the_answer_says_which() {
    let bench = Bench::new(|_| {});
    let (good, late) = (event("BR1", 400, 1), event("BR1", 400, 2));
    let body = format!("{good}\r\n\n{{\n{}\n{late}", event("BR1", 400, 9).replace("8.4", "301"));
    let mut client = bench.client();
    client.begin("POST", "/v1/events", body.len());
    client.send(&body);
    let parcel = bench.parcel();
    let values: Vec<&[u8]> = parcel.events.iter().map(|event| event.value.of(&parcel.bytes)).collect();
    assert_eq!(values, [good.as_bytes(), late.as_bytes()]);
    bench.settle(parcel, Fate::Acknowledged);
    let reply = client.reply("post", "/v1/events");
    let told = reply.json();
    assert_eq!((reply.status, told["accepted"].as_u64(), told["acknowledged"].as_u64()), (400, Some(2), Some(2)));
    let bad: Vec<_> = told["bad_lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bad| (bad["line"].as_u64().unwrap(), bad["reason"].as_str().unwrap()))
        .collect();
    assert_eq!((bad, bench.bad_lines.get()), (vec![(3, "not-json"), (4, "schema")], 2));
    let only_bad = bench.client().post("x\ny\n");
    assert_eq!((only_bad.status, only_bad.json()["accepted"].as_u64()), (400, Some(0)));
    assert_eq!(bench.client().post("\n").status, 202);
}

#[test]
fn requests_of_one_connection_come_in_the_order_in_which_they_were_sent() {
    let bench = Bench::new(|_| {});
    let mut client = bench.client();
    // All at once, without waiting for an answer.
    for seq in 1..=5 {
        let body = lines(&[event("BR1", 400, seq)]);
        client.begin("POST", "/v1/events", body.len());
        client.send(&body);
    }
    for seq in 1..=5 {
        let parcel = bench.parcel();
        assert_eq!(parcel.events[0].id.of(&parcel.bytes), format!("r-BR1-400-{seq}").as_bytes());
        bench.settle(parcel, Fate::Acknowledged);
        assert_eq!(client.reply("post", "/v1/events").status, 202);
    }
}

#[test]
fn a_sender_that_hangs_up_leaves_nothing_behind() {
    let bench = Bench::new(|_| {});
    let mut half = bench.client();
    half.begin("POST", "/v1/events", 1_000);
    half.send(&events(2));
    until("half a body", || bench.allowance.used().1 > 0);
    drop(half);
    until("its room", || bench.allowance.used() == (0, 0));
    assert!(bench.parcels.pop().is_none());
    let mut whole = bench.client();
    whole.begin("POST", "/v1/events", events(2).len());
    whole.send(&events(2));
    let parcel = bench.parcel();
    drop(whole);
    until("both hang-ups", || bench.metrics.requests() == [("400", 1), ("gone", 1)]);
    // Its events were taken, and have their fate although nobody waits for it.
    bench.settle(parcel, Fate::Acknowledged);
    assert_eq!((bench.tickets.open_now(), bench.allowance.used()), (0, (0, 0)));
    assert_eq!(bench.post(&events(1), Fate::Acknowledged).status, 202);
}

#[test]
fn a_refused_body_does_not_cost_the_connection_and_one_without_end_does() {
    let bench = Bench::new(|raw| (raw.max_line, raw.max_body) = (Size::from_kib(1), Size::from_kib(64)));
    let mut client = bench.client();
    assert_eq!(client.post(&"x".repeat(100_000)).status, 413);
    assert_eq!(client.get("/v1/openapi.json").status, 200, "the same connection goes on");
    let mut endless = bench.client();
    endless.begin("POST", "/v1/events", 1 << 40);
    assert_eq!(endless.reply("post", "/v1/events").status, 413);
    let end = Instant::now() + DEADLINE;
    while endless.stream.write_all(&[b'x'; 4_096]).is_ok() {
        assert!(Instant::now() < end, "the server reads on for ever");
    }
    let mut asks = bench.client();
    asks.headers = "expect: 100-continue\r\n".into();
    asks.begin("POST", "/v1/events", 1 << 20);
    assert_eq!(asks.reply("post", "/v1/events").status, 413, "told before anything was sent");
}

#[test]
fn who_waits_in_vain_is_told_why_before_its_time_is_up() {
    let bench = Bench::new(|raw| raw.answer_within = Span::from_secs(600));
    let (mut client, body) = (bench.client(), events(2));
    client.begin("POST", "/v1/events", body.len());
    client.send(&body);
    let parcel = bench.parcel();
    bench.tickets.settle(parcel.ticket, Fate::Acknowledged);
    let closed = Closed { reason: "the disk hangs".into(), retry_after: Duration::from_secs(5) };
    *bench.hand.0.lock().unwrap() = Some(closed);
    let reply = client.reply("post", "/v1/events");
    assert_eq!((reply.status, reply.reason().as_str()), (503, "no-answer-in-time"));
    let told = reply.json();
    assert_eq!((told["acknowledged"].as_u64(), told["failed"].as_u64()), (Some(1), Some(1)), "{told}");
    assert!(told["error"].as_str().unwrap().starts_with("the disk hangs: send the request again"), "{told}");
}
