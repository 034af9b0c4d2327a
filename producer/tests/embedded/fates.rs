//! What is sent is what arrives: good events, bad ones, repeats, and records that are too large.

use crate::stage::{ROUTES, Stage};
use domain::event::EventId;
use domain::headers::{EVENT_ID, EXPECTED_FATE};
use domain::key::partition_of;
use domain::ledger::{Deliveries, Seen, verify};
use rdkafka::message::{Headers, Message};
use rdkafka::types::RDKafkaRespErr;

#[test]
fn what_is_sent_is_what_arrives_in_order_with_its_fate() {
    let stage = Stage::new();
    assert_eq!(stage.run("", &["--rate", "1000"]), Some(0), "{}", stage.log());
    let report = stage.report();
    assert_eq!((report.offered, report.acknowledged, report.failed), (5_000, 5_000, 0));
    assert!(report.adds_up() && report.ended == "complete");
    assert!(report.ack_latency_ms.p50 > 0.0 && report.cpu_seconds > 0.0 && report.peak_rss_bytes > 0);
    assert_eq!(report.topics.iter().map(|topic| topic.acknowledged).sum::<u64>(), 5_000);

    let (mut good, mut bad) = (Deliveries::default(), Deliveries::default());
    stage.read(5_000, |message| {
        let partitions = ROUTES.iter().find(|(_, topic, _)| *topic == message.topic()).unwrap().2;
        let key = message.key().unwrap();
        assert_eq!(message.partition(), partition_of(key, partitions as u32) as i32);
        match domain::event::check(message.payload().unwrap()) {
            Ok(event) => {
                assert_eq!(message.timestamp().to_millis(), Some(event.ts));
                assert!(message.headers().is_none());
                assert_eq!(good.record(&EventId::parse(&event.id).unwrap()), Seen::First);
            }
            Err(_) => {
                let header = |name| {
                    let headers = message.headers().unwrap();
                    let found = headers.iter().find(|header| header.key == name).unwrap();
                    String::from_utf8(found.value.unwrap().to_vec()).unwrap()
                };
                assert_eq!(header(EXPECTED_FATE), "rejected");
                assert_eq!(bad.record(&EventId::parse(&header(EVENT_ID)).unwrap()), Seen::First);
            }
        }
    });
    let proof = verify(&stage.ledger(), &good, &bad);
    assert!(proof.holds() && proof.rejected > 20, "{proof:?}");
}

#[test]
fn a_record_that_is_too_large_is_set_aside_and_the_rest_goes_on() {
    let stage = Stage::new();
    let event = |seq: u64, more: &str| {
        format!(
            r#"{{"v":1,"id":"r-BR1-400-{seq}","codigo":400,"truck_id":"BR1","seq":{seq},"ts":1763701200000,"lat":-23.5,"lon":-46.6,"speed":8.4,"fuel":6.2,"odo":2.2,"more":"{more}"}}"#
        )
    };
    let lines = [event(1, "ação"), event(2, &"x".repeat(1_030_000)), "nonsense".into(), event(3, "")];
    let source = format!("[source]\nkind = \"replay\"\npath = {:?}", stage.write("in.ndjson", &lines.join("\n")));
    assert_eq!(stage.run(&source, &[]), Some(0), "{}", stage.log());
    let report = stage.report();
    assert_eq!((report.offered, report.acknowledged, report.dead_lettered, report.bad_lines), (3, 2, 1, 1));
    let mut values = Vec::new();
    stage.read(2, |message| values.push(message.payload().unwrap().to_vec()));
    assert_eq!(values, [lines[0].as_bytes(), lines[3].as_bytes()]);
    let aside = std::fs::read_to_string(stage.path("aside.ndjson")).unwrap();
    let aside: Vec<serde_json::Value> = aside.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(aside.iter().any(|line| line["line"] == 3 && line["reason"] == "not-json"));
    assert!(aside.iter().any(|line| line["reason"] == "message-size-too-large" && line["value"] == lines[1]));
    let ledger = stage.ledger();
    let key = ledger.keys().next().unwrap().1;
    assert_eq!((key.offered.count(), key.acknowledged.count(), key.dead_lettered.ranges()), (3, 2, &[(2, 2)][..]));
}

#[test]
fn a_missing_dead_letter_topic_moves_its_own_letters_alone_to_the_file() {
    let stage = Stage::new();
    stage.create("mt-c400.dlq");
    let event = |codigo: u32| {
        format!(
            r#"{{"v":1,"id":"r-BR1-{codigo}-1","codigo":{codigo},"truck_id":"BR1","seq":1,"ts":1763701200000,"lat":-23.5,"lon":-46.6,"speed":8.4,"fuel":6.2,"odo":2.2}}"#
        )
    };
    let path = stage.write("in.ndjson", &[event(400), event(300)].join("\n"));
    stage.answer(&[RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 2]);
    let source = format!("[source]\nkind = \"replay\"\npath = {path:?}");
    assert_eq!(stage.run(&source, &[]), Some(0), "{}", stage.log());
    let report = stage.report();
    assert_eq!((report.offered, report.dead_lettered, report.failed), (2, 2, 0), "{report}\n{}", stage.log());
    let aside = std::fs::read_to_string(stage.path("aside.ndjson")).unwrap();
    let aside: Vec<serde_json::Value> = aside.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((aside.len(), aside[0]["topic"].as_str()), (1, Some("mt-c300")), "{aside:?}");
    let mut values = Vec::new();
    stage.read_beside(&[("", "mt-c400.dlq", 1)], 1, |message| values.push(message.payload().unwrap().to_vec()));
    assert_eq!(values, [event(400).as_bytes()]);
    let log = stage.log();
    let warning = log.lines().find(|line| line.contains("dead letters go to S3 or to the local file")).unwrap();
    let named = ["mt-c300.dlq", "mt-priority.dlq", "mt-c400.dlq"].map(|topic| warning.contains(topic));
    assert_eq!(named, [true, true, false], "{warning}");
}

#[test]
fn a_dead_letter_topic_that_refuses_is_told_once_and_not_for_each_letter() {
    let stage = Stage::new();
    let topics = ["mt-c400.dlq", "mt-c300.dlq", "mt-priority.dlq"];
    topics.iter().for_each(|topic| stage.create(topic));
    let mix = "oversize_share = 0.01, oversize_bytes = \"1100KB\"";
    assert_eq!(stage.run("", &["--profile", &profile_with(&stage, mix)]), Some(0), "{}", stage.log());
    let (report, log) = (stage.report(), stage.log());
    let refusals = log.lines().filter(|line| line.contains("the dead-letter topic refuses")).count();
    assert!(report.dead_lettered > 10 && (1..=topics.len()).contains(&refusals), "{refusals} lines\n{log}");
    let aside = std::fs::read_to_string(stage.path("aside.ndjson")).unwrap();
    assert_eq!(aside.lines().count() as u64, report.dead_lettered);
}

/// A profile with a mix, in the stage's folder; named for `--profile`.
fn profile_with(stage: &Stage, mix: &str) -> String {
    let profile = format!(
        "purpose = \"t\"\nseed = 3\nduration = \"2s\"\nshape = {{ kind = \"constant\", rate = 2000 }}\n\
         codes = {{ share = 0.8, of = 0.2, groups = [{{ first = 400, count = 10 }}] }}\nfleet = {{ trucks = 20 }}\n\
         mix = {{ {mix} }}\n"
    );
    stage.write("load.toml", &profile).to_str().unwrap().to_owned()
}

#[test]
fn repeats_and_oversize_events_meet_the_fates_that_the_ledger_expects() {
    let stage = Stage::new();
    let mix = "duplicate_share = 0.1, oversize_share = 0.005, oversize_bytes = \"1100KB\"";
    assert_eq!(stage.run("", &["--profile", &profile_with(&stage, mix)]), Some(0), "{}", stage.log());
    let report = stage.report();
    assert!(report.adds_up() && report.offered == 4_000 && report.dead_lettered > 5, "{report}");
    let mut deliveries = Deliveries::default();
    stage.read(report.acknowledged, |message| {
        let event = domain::event::check(message.payload().unwrap()).unwrap();
        deliveries.record(&EventId::parse(&event.id).unwrap());
    });
    let proof = verify(&stage.ledger(), &deliveries, &Deliveries::default());
    assert!(proof.holds(), "{proof:?}");
    assert_eq!((proof.set_aside, proof.rejected), (report.dead_lettered, 0));
    assert!(proof.repeated > 200 && proof.duplicates_delivered == proof.repeated, "{proof:?}");
    let aside = std::fs::read_to_string(stage.path("aside.ndjson")).unwrap();
    assert_eq!(aside.lines().count() as u64, report.dead_lettered);
    assert!(aside.lines().all(|line| line.contains("\"reason\":\"message-size-too-large\"")));
}
