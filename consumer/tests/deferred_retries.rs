//! Records that are put off: the others go on, nothing comes before it is due, and what was put off often enough becomes a dead letter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::dead_letter::DeadLetter;
use consumer::desk::DeskSettings;
use consumer::pause::Scope;
use consumer::record::Headers;
use consumer::topic::TopicPlan;
use domain::failure::FailureClass;
use rig::{Answer, FUNCTION, Rig, TOPIC, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const SHORT: &str = "t.retry.5s";
const LONG: &str = "t.retry.30s";
/// The numbers of the only partitions of the retry topics, so that they are told apart.
const SHORT_PARTITION: i32 = 7;
const LONG_PARTITION: i32 = 8;

/// A topic that puts records off.
fn deferring(records: usize) -> DeskSettings {
    let retries = vec![SHORT.into(), LONG.into()];
    let topics = vec![TopicPlan { retries, ..TopicPlan::new(TOPIC, 1, FUNCTION) }];
    DeskSettings { topics, ..settings(1, records) }
}

fn header(letter: &DeadLetter, name: &str) -> String {
    let headers = letter.headers();
    let found: Vec<_> = headers.iter().filter(|(known, _)| known == name).collect();
    assert_eq!(found.len(), 1, "{name} in {headers:?}");
    String::from_utf8(found[0].1.clone().unwrap()).unwrap()
}

/// Offsets of the calls for one partition.
fn sent_of(rig: &Rig, partition: i32) -> Vec<Vec<i64>> {
    rig.calls().into_iter().filter(|call| call.partition == partition).map(|call| call.offsets).collect()
}

/// A record of partition 0 that was put off for 5 s just now.
async fn put_off(rig: &mut Rig, offset: i64) -> DeadLetter {
    rig.assign(&[0]);
    rig.script([Answer::Retry(vec![offset])]);
    rig.receive(0, offset..offset + 4);
    while rig.dead_letters().is_empty() {
        rig.pass(SECOND / 100).await;
    }
    rig.dead_letters().pop().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_record_that_must_come_again_is_put_off_and_the_others_go_on_at_once() {
    let mut rig = Rig::new(deferring(4));
    rig.assign(&[0]);
    rig.script([Answer::Retry(vec![1, 3])]);
    rig.receive(0, 0..8);
    let begun_ms = rig.wall_ms();
    rig.pass(SECOND / 10).await;
    assert_eq!((sent_of(&rig, 0), rig.commit()), (vec![vec![0, 1, 2, 3], vec![4, 5, 6, 7]], vec![(0, 8)]));
    let letters = rig.dead_letters();
    let put_off: Vec<_> = letters.iter().map(|letter| (letter.record.offset.0, letter.topic())).collect();
    assert_eq!(put_off, [(1, SHORT.to_owned()), (3, SHORT.to_owned())]);
    let due: i64 = header(&letters[0], "comboio-due").parse().unwrap();
    assert!((begun_ms + 5_000..begun_ms + 5_100).contains(&due), "{due} from {begun_ms}");
    let record = &letters[0].record;
    assert_eq!((record.key.as_deref(), record.value.as_deref()), (Some(&b"key-1"[..]), Some(&b"{\"v\":1}"[..])));
    assert_eq!((rig.meters.deferred.get(), rig.meters.dead_lettered.get()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_put_off_is_acknowledged_before_its_record_is_committed() {
    let mut rig = Rig::new(deferring(4));
    rig.assign(&[0]);
    rig.dead_letters_down(true);
    rig.script([Answer::Retry(vec![1])]);
    rig.receive(0, 0..8);
    rig.pass(SECOND * 5).await;
    assert_eq!((rig.commit(), rig.sent().len()), (vec![(0, 1)], 1));
    assert!(rig.condition.why().unwrap().contains("deferred records of t/0"), "{:?}", rig.condition.why());
    rig.dead_letters_down(false);
    rig.pass(SECOND * 3).await;
    assert_eq!((rig.commit(), rig.condition.why(), rig.dead_letters().len()), (vec![(0, 8)], None, 1));
}

#[tokio::test(start_paused = true)]
async fn it_comes_when_it_is_due_and_no_sooner_and_ends_as_a_dead_letter_of_where_it_came_from() {
    let mut rig = Rig::new(deferring(4));
    let first = put_off(&mut rig, 40).await;
    rig.assign_of(SHORT, &[SHORT_PARTITION]);
    rig.script([Answer::Retry(vec![2])]);
    rig.receive_letter(SHORT_PARTITION, 2, &first);
    rig.pass(SECOND * 49 / 10).await;
    assert_eq!((sent_of(&rig, SHORT_PARTITION), rig.desk.standings()[1].put_off), (vec![], 1));
    // A batch of one closes by its age of a second.
    rig.pass(SECOND * 13 / 10).await;
    assert_eq!(sent_of(&rig, SHORT_PARTITION), [[2]]);
    let second = rig.dead_letters().pop().unwrap();
    assert_eq!((second.topic().as_str(), header(&second, "comboio-attempts").as_str()), (LONG, "2"));

    rig.assign_of(LONG, &[LONG_PARTITION]);
    rig.script([Answer::Retry(vec![0])]);
    rig.receive_letter(LONG_PARTITION, 0, &second);
    rig.pass(SECOND * 29).await;
    assert_eq!(sent_of(&rig, LONG_PARTITION), [[0; 0]; 0]);
    rig.pass(SECOND * 3).await;
    assert_eq!(sent_of(&rig, LONG_PARTITION), [[0]]);
    let last = rig.dead_letters().pop().unwrap();
    let seen = ["topic", "partition", "offset", "timestamp", "attempts", "class", "reason"];
    assert_eq!(
        seen.map(|name| header(&last, &format!("comboio-{name}"))),
        ["t", "0", "40", "1040", "3", "transient", "busy"]
    );
    assert_eq!((last.topic().as_str(), last.record.value.as_deref()), ("t.dlq", Some(&b"{\"v\":1}"[..])));
    assert_eq!(rig.commit(), [(0, 44), (SHORT_PARTITION, 3), (LONG_PARTITION, 1)]);
}

/// A record's own headers: a name twice, values that are null, empty and no text, and names that are also ours.
fn own_headers() -> Headers {
    let header = |name: &str, value: Option<&[u8]>| (name.to_owned(), value.map(<[u8]>::to_vec));
    vec![
        header("b", Some(b"1")),
        header("a", None),
        header("b", Some(b"\xff\x00")),
        header("", Some(b"")),
        header("a", None),
        header("comboio-due", Some(b"mine")),
        header("comboio-topic", None),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_record_keeps_its_key_value_and_headers_through_every_wait_and_as_a_dead_letter() {
    let mut rig = Rig::new(deferring(1));
    rig.assign(&[0]);
    rig.assign_of(SHORT, &[SHORT_PARTITION]);
    rig.assign_of(LONG, &[LONG_PARTITION]);
    rig.lambda.standing(Some(Answer::Retry(vec![3])));
    rig.receive_with(0, 3, own_headers());
    let stations = [
        (0, SHORT, Some(SHORT_PARTITION)),
        (SHORT_PARTITION, LONG, Some(LONG_PARTITION)),
        (LONG_PARTITION, "t.dlq", None),
    ];
    for (partition, topic, next) in stations {
        rig.pass(SECOND * 40).await;
        assert_eq!(sent_of(&rig, partition), [[3]]);
        let letter = rig.dead_letters().pop().unwrap();
        assert_eq!(letter.topic(), topic);
        assert_eq!(
            (letter.record.key.as_deref(), letter.record.value.as_deref()),
            (Some(&b"key-3"[..]), Some(&b"{\"v\":1}"[..]))
        );
        let headers = letter.headers();
        let (own, added) = headers.split_at(own_headers().len());
        assert_eq!(own, own_headers(), "{topic}");
        assert!(added.iter().all(|(name, _)| name.starts_with("comboio-")), "{added:?}");
        if let Some(next) = next {
            rig.receive_letter(next, 3, &letter);
        }
    }
    assert_eq!(rig.dead_letters().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_partition_with_much_that_is_not_due_is_paused_and_goes_on_when_it_is() {
    let mut rig = Rig::new(deferring(100));
    let letter = put_off(&mut rig, 0).await;
    rig.assign_of(SHORT, &[SHORT_PARTITION]);
    let mut next = 0;
    while rig.paused.is_empty() {
        rig.receive_letter(SHORT_PARTITION, next, &letter);
        next += 1;
        rig.turn().await;
        assert!(next <= 500, "never paused");
    }
    assert_eq!(rig.paused, [SHORT_PARTITION]);
    rig.receive(0, 4..8);
    rig.pass(SECOND * 4).await;
    assert_eq!((sent_of(&rig, SHORT_PARTITION).len(), sent_of(&rig, 0).len()), (0, 2), "other partitions go on");
    rig.pass(SECOND * 4).await;
    assert_eq!(rig.paused, [0; 0]);
    assert_eq!(sent_of(&rig, SHORT_PARTITION).concat(), (0..next).collect::<Vec<_>>());
    assert_eq!(rig.commit(), [(0, 8), (SHORT_PARTITION, next)]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_be_due_stays_while_its_topic_is_paused_by_hand() {
    let mut rig = Rig::new(deferring(4));
    let letter = put_off(&mut rig, 0).await;
    rig.assign_of(SHORT, &[SHORT_PARTITION]);
    rig.receive_letter(SHORT_PARTITION, 0, &letter);
    rig.pauses.pause(Scope::topic(TOPIC), 1);
    rig.pass(SECOND * 20).await;
    assert_eq!((sent_of(&rig, SHORT_PARTITION).len(), rig.paused.clone()), (0, vec![0, SHORT_PARTITION]));
    rig.pauses.resume(Scope::topic(TOPIC), 2);
    rig.pass(SECOND * 2).await;
    assert_eq!((sent_of(&rig, SHORT_PARTITION), rig.paused.clone()), (vec![vec![0]], vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_not_committed_and_is_read_again_by_the_next_owner() {
    let mut rig = Rig::new(deferring(4));
    let letter = put_off(&mut rig, 0).await;
    let held = rig.assign_of(SHORT, &[SHORT_PARTITION]).remove(0);
    rig.receive_letter(SHORT_PARTITION, 0, &letter);
    rig.pass(SECOND).await;
    let (ticket, gone) = rig.desk.begin_revoke(Some(&[(SHORT.to_owned(), SHORT_PARTITION)]));
    rig.turn().await;
    assert!(rig.desk.is_drained(ticket) && gone == [held]);
    assert_eq!(rig.give_back(&gone), []);
    rig.pass(SECOND * 10).await;
    assert_eq!(sent_of(&rig, SHORT_PARTITION).len(), 0);
    rig.assign_of(SHORT, &[SHORT_PARTITION]);
    rig.receive_letter(SHORT_PARTITION, 0, &letter);
    rig.pass(SECOND * 2).await;
    assert_eq!(sent_of(&rig, SHORT_PARTITION), [[0]]);
}

#[tokio::test(start_paused = true)]
async fn backpressure_and_failures_hold_up_their_lane_and_put_nothing_off() {
    let mut rig = Rig::new(deferring(4));
    rig.assign(&[0]);
    let classes = [FailureClass::Throttled, FailureClass::Transient, FailureClass::FunctionError];
    rig.script(classes.map(Answer::Fail));
    rig.script([Answer::TimeOut, Answer::Malformed]);
    rig.receive(0, 0..4);
    rig.pass(SECOND * 20).await;
    assert_eq!((rig.commit(), rig.dead_letters().len(), rig.meters.deferred.get()), (vec![(0, 4)], 0, 0));
}
