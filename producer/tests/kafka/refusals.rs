//! Records that can never be written, each for a reason of its own, beside records that can.

use crate::reader;
use crate::senders::{event, post};
use crate::stage::{DEADLINE, Routes, Stage};
use localenv::broker::grant::{Grant, Operation, Resource};
use localenv::broker::topic::Topic;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Headers, Message};
use serde_json::Value;
use std::collections::BTreeMap;

const ROUTES: Routes = &[("400", "c400", 2), ("300", "gone", 2), ("200", "denied", 2)];

/// The topic that may only be looked at.
fn rights(topic: &str) -> Grant {
    match topic.ends_with("denied") {
        true => Grant::on(Resource::Topic(topic.to_owned()), &[Operation::Describe]),
        false => Grant::produce(topic),
    }
}

fn delete(stage: &mut Stage, topic: &str) {
    let broker = stage.broker();
    let admin: AdminClient<DefaultClientContext> = broker.client_config(broker.admin()).create().unwrap();
    let options = AdminOptions::new().operation_timeout(Some(DEADLINE)).request_timeout(Some(DEADLINE));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(admin.delete_topics(&[topic], &options)).unwrap()[0].as_ref().unwrap();
}

/// Class of every dead letter on the topics, by the id of its event.
fn dead_letters(stage: &mut Stage) -> BTreeMap<String, Vec<String>> {
    let topics: Vec<_> = ROUTES.iter().map(|(_, name, _)| (format!("{}.dlq", stage.topic(name)), 1)).collect();
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    reader::each(stage.broker(), &topics, |message| {
        let event: Value = serde_json::from_slice(message.payload().unwrap()).unwrap();
        let class = message.headers().unwrap().iter().find(|header| header.key == "comboio-class").unwrap();
        let class = String::from_utf8(class.value.unwrap().to_vec()).unwrap();
        let time = message.headers().unwrap().iter().find(|header| header.key == "comboio-timestamp").unwrap();
        assert_eq!(time.value, Some(event["ts"].to_string().as_bytes()), "the time that the record had");
        assert!(message.timestamp().to_millis() > event["ts"].as_i64().map(|ts| ts + 1_000), "when it was written");
        found.entry(event["id"].as_str().unwrap().to_owned()).or_default().push(class);
    });
    found
}

/// The lines of the local file.
fn set_aside(stage: &Stage) -> Vec<Value> {
    let text = std::fs::read_to_string(stage.path("aside.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A line whose seq is a word.
fn invalid(seq: u64) -> String {
    event("BR1", 400, seq).replace(&format!("\"seq\":{seq}"), "\"seq\":\"a word\"")
}

/// One invalid line between two good ones: it alone is set aside, once, with its reason.
fn an_invalid_line_of_a_replay_is_one_dead_letter(stage: &Stage) {
    let (file, lines) = (stage.path("in.ndjson"), [event("BR7", 400, 1), invalid(5), event("BR7", 400, 2)]);
    std::fs::write(&file, lines.join("\n")).unwrap();
    let mut producer = stage.start(&format!("[source]\nkind = \"replay\"\npath = {file:?}\n"));
    let report = stage.ended(&mut producer);
    assert_eq!((report.acknowledged, report.bad_lines, report.failed), (2, 1, 0), "{report}");
    let deliveries = stage.deliveries();
    assert_eq!((deliveries.first_deliveries(), deliveries.order_violations()), (2, 0), "the rest goes on");
    let [line] = &set_aside(stage)[..] else { panic!("{:?}", set_aside(stage)) };
    let told = ["class", "reason", "value"].map(|field| line[field].as_str());
    assert_eq!((told, &line["line"]), ([Some("rejected"), Some("schema"), Some(&*lines[1])], &2.into()));
}

fn each_refusal_has_its_class(story: &'static str, spool: &str) {
    let mut stage = Stage::with(story, ROUTES, rights);
    an_invalid_line_of_a_replay_is_one_dead_letter(&stage);
    let config = format!(
        "[source]\nkind = \"ingest\"\n[ingest]\nlisten = \"127.0.0.1:0\"\naddress_file = {:?}\nmax_line = \"2MiB\"\n\
         answer_within = \"80s\"\n[dead_letter]\ntopic_missing_for = \"6s\"\nfile = {:?}\n{spool}\n",
        stage.path("ingest"),
        stage.path("aside.ndjson"),
    );
    let mut producer = stage.start(&config);
    stage.shows(&mut producer, "its start", |status| status["state"] == "running");
    let (mut connection, address) = (None, stage.path("ingest"));
    stage.until(&mut producer, "an open door", || address.exists().then_some(()));
    let mut tell = |lines: &[String]| {
        let (status, answer) = post(&mut connection, &address, &(lines.join("\n") + "\n")).unwrap();
        (status, serde_json::from_str::<Value>(&answer).unwrap())
    };
    // A truck whose clock is decades ahead harms nobody in its batch, and not itself.
    let fast = event("BR9", 400, 1).replace("\"ts\":1", "\"ts\":4");
    let (status, told) = tell(&[event("BR1", 400, 1), fast, event("BR1", 300, 1)]);
    assert_eq!((status, &told["acknowledged"]), (202, &3.into()), "{told}");
    let gone = stage.topic("gone");
    delete(&mut stage, &gone);

    let huge = event("BR1", 400, 3).replace("\"v\":1", &format!("\"v\":1,\"more\":\"{}\"", "x".repeat(1_100_000)));
    let body = [
        event("BR1", 400, 2),
        event("BR1", 300, 2),
        event("BR1", 200, 1),
        huge.clone(),
        invalid(5),
        event("BR1", 400, 4),
    ];
    let (status, told) = tell(&body);
    eprintln!("{story}: {status} {told}");
    assert_eq!(
        (status, &told["bad_lines"][0]["line"], &told["bad_lines"][0]["reason"]),
        (400, &5.into(), &"schema".into())
    );
    // The rest goes on, whatever became of the others.
    assert_eq!(tell(&[event("BR1", 400, 6)]).0, 202);
    stage.shows(&mut producer, "an end for each event", |status| {
        status["queue"] == 0 && status["spool"]["events"] == 0 && status["dead_lettered"] == 3
    });
    let report = stage.stop(&mut producer);
    eprintln!("{report}");
    assert_eq!((report.acknowledged, report.dead_lettered, report.failed), (6, 3, 0), "{report}");
    let one = |class: &str| vec![class.to_owned()];
    let expected = [("s-BR1-200-1", one("ours")), ("s-BR1-300-2", one("ours"))];
    assert_eq!(dead_letters(&mut stage), expected.map(|(id, class)| (id.to_owned(), class)).into());
    // It is larger than the client sends at all, and so is its dead letter: only the local file takes it.
    let [_, line] = &set_aside(&stage)[..] else { panic!("{:?}", set_aside(&stage)) };
    assert_eq!((&line["class"], line["value"].as_str()), (&"too-large".into(), Some(huge.as_str())));
    stage.showed("no topic: ours; no right: ours; over the size limit: too-large; invalid: rejected; one dead letter each, the rest went on");
}

#[test]
fn a_missing_topic_a_missing_right_an_invalid_line_and_a_record_too_large_are_dead_letters() {
    each_refusal_has_its_class("refusals", "");
}

#[test]
fn so_they_are_with_a_spool() {
    let spool = tempfile::tempdir().unwrap();
    each_refusal_has_its_class("spooling", &format!("[spool]\ndir = {:?}\n", spool.path().join("spool")));
}

#[test]
fn a_topic_that_is_made_anew_gets_all_its_records() {
    let mut stage = Stage::new("anew");
    let patience = format!("[dead_letter]\ntopic_missing_for = \"20s\"\nfile = {:?}\n", stage.path("aside.ndjson"));
    let mut producer = stage.start(&(stage.generator(2_000, 300) + &patience));
    let acknowledged = |status: &Value| status["acknowledged"].as_u64().unwrap();
    stage.shows(&mut producer, "acknowledged events", |status| acknowledged(status) > 2_000);
    let topic = stage.topic("rest");
    delete(&mut stage, &topic);
    stage.until(&mut producer, "the topic to be missed", || {
        stage.log().contains("Kafka does not know the topic").then_some(())
    });
    stage.broker().create_topics(&[Topic::new(topic, 4)]).unwrap();
    let before = acknowledged(&stage.status().unwrap());
    stage.shows(&mut producer, "the load to go on", |status| {
        acknowledged(status) > before + 10_000 && status["queue"].as_u64() < Some(2_000)
    });
    let report = stage.stop(&mut producer);
    eprintln!("{report}");
    assert_eq!((report.acknowledged, report.dead_lettered, report.failed), (report.offered, 0, 0), "{report}");
    // What Kafka had acknowledged went with the topic; what was offered later is there, in its order.
    let deliveries = stage.deliveries();
    assert_eq!(deliveries.order_violations(), 0, "{:?}", deliveries.order_examples());
    for (key, arrived) in deliveries.keys().filter(|(key, _)| key.codigo < 400) {
        assert_eq!(arrived.ranges().len(), 1, "{key:?} has gaps: {arrived:?}");
    }
    stage.showed("a topic deleted and made anew under load: none failed, no dead letter, each key in order, no gap");
}
