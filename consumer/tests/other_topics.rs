//! Another topic under the name of one that is read: it is read from its beginning, and nothing that is committed speaks of it before that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::assignment::TopicPartition;
use consumer::desk::{DeskSettings, Other, Return};
use consumer::lag::{Committed, Look};
use kafka_client::topic_facts::{TopicFacts, TopicId};
use rig::{Rig, TOPIC, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// Later than every broker has learned of another topic.
const LATER_MS: i64 = 2_000;

fn back(from: i64) -> Return {
    Return { at: TopicPartition::new(TOPIC, 0), from, to: 0, why: Other::Topic }
}

fn see(rig: &mut Rig, id: u128) {
    rig.desk.topic_seen(TOPIC, TopicFacts { id: Some(TopicId(id)), partitions: 1 }, 0);
}

fn look(rig: &mut Rig, low: i64, end: i64, at_ms: i64) {
    assert_eq!(rig.desk.looked(&TopicPartition::new(TOPIC, 0), Look { low, end, at_ms }), []);
}

/// One partition, whose 300 records are delivered and committed.
async fn read_to_its_end(from_end: bool) -> Rig {
    let mut rig = Rig::new(DeskSettings { from_end, ..settings(1, 50) });
    let held = rig.assign(&[0]).remove(0);
    rig.desk.begin_trail(&held, Committed::Next(0), 0);
    see(&mut rig, 1);
    rig.receive(0, 0..300);
    rig.pass(SECOND * 2).await;
    assert_eq!((rig.commit(), rig.meters.delivered.get()), (vec![(0, 300)], 300));
    rig
}

#[tokio::test(start_paused = true)]
async fn another_topic_is_read_from_its_beginning_whatever_the_start_says() {
    for from_end in [false, true] {
        let mut rig = read_to_its_end(from_end).await;
        see(&mut rig, 2);
        assert_eq!((rig.desk.take_returns(), rig.commit()), (vec![back(300)], vec![(0, 0)]));
        // It goes on where the old topic stood, until the client is told.
        rig.receive_of_other_log(0, 300..350);
        look(&mut rig, 0, 900, 0);
        assert_eq!(rig.desk.outsets(), [], "a broker may answer for the old one");
        rig.pass(SECOND).await;
        assert_eq!(rig.paused, [0]);
        look(&mut rig, 0, 900, LATER_MS);
        let outsets = rig.desk.outsets();
        let (held, offset) = outsets[0].clone();
        assert_eq!((outsets.len(), offset), (1, 0));
        rig.desk.begun(&held, offset);
        rig.receive_of_other_log(0, 0..900);
        rig.pass(SECOND * 20).await;
        assert_eq!((rig.commit(), rig.meters.delivered.get()), (vec![(0, 900)], 1_200));
        assert_eq!((rig.paused.clone(), rig.desk.outsets(), rig.desk.take_returns()), (vec![], vec![], vec![]));
        look(&mut rig, 0, 900, LATER_MS + 1);
        assert_eq!(rig.desk.lag(&held, Some(900), None, 2_000).unwrap().lost, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_new_topic_lost_before_it_was_read_is_told() {
    let mut rig = read_to_its_end(false).await;
    see(&mut rig, 2);
    look(&mut rig, 40, 900, LATER_MS);
    let (held, offset) = rig.desk.outsets().remove(0);
    assert_eq!(offset, 40);
    rig.desk.begun(&held, offset);
    rig.receive_of_other_log(0, 40..50);
    let lost = rig.desk.looked(&held.at, Look { low: 40, end: 900, at_ms: LATER_MS + 1 });
    assert_eq!(lost.iter().map(|lost| (lost.from, lost.to)).collect::<Vec<_>>(), [(0, 40)]);
}

#[tokio::test(start_paused = true)]
async fn a_commit_on_its_way_carries_the_new_topic_nowhere() {
    let mut rig = read_to_its_end(false).await;
    rig.receive(0, 300..350);
    rig.pass(SECOND * 2).await;
    let due = rig.desk.due_commits();
    rig.desk.commits_asked(&due);
    see(&mut rig, 2);
    rig.desk.commit_settled(&due[0], true);
    assert_eq!((due[0].next.0, rig.commit()), (350, vec![(0, 0)]));
}

#[tokio::test(start_paused = true)]
async fn a_partition_on_its_way_to_another_owner_is_handed_over_at_its_beginning() {
    let mut rig = read_to_its_end(false).await;
    rig.receive(0, 300..350);
    rig.pass(SECOND * 2).await;
    let due = rig.desk.due_commits();
    rig.desk.commits_asked(&due);
    let (_, held) = rig.revoke(&[0]);
    see(&mut rig, 2);
    // Asked for when it was the old topic's.
    rig.desk.commit_settled(&due[0], true);
    rig.pass(SECOND * 2).await;
    assert_eq!(rig.give_back(&held), [(0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn the_topic_that_is_read_is_no_other_one_however_often_it_is_seen() {
    let mut rig = read_to_its_end(false).await;
    rig.desk.topic_seen(TOPIC, TopicFacts { id: None, partitions: 1 }, 0);
    (0..3).for_each(|_| see(&mut rig, 1));
    see(&mut rig, 2);
    assert_eq!(rig.desk.take_returns(), [back(300)]);
    (0..3).for_each(|nth| see(&mut rig, 1 + nth % 2));
    assert_eq!(rig.desk.take_returns(), [], "a broker was late");
}
