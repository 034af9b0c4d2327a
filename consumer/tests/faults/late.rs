//! Answers that come when nobody waits for them any more.

use crate::brain::Fault;
use crate::case;
use crate::world::World;
use std::time::Duration;

/// A call is given up 10 s after the function's own timeout.
const GIVEN_UP: Duration = Duration::from_secs(11);

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_is_given_up_and_the_work_that_was_done_is_not_lost() {
    let mut world = World::embedded("late").await;
    let more = [("FUNCTION__TIMEOUT", "1s".to_owned())];
    let consumer = world.start(&[case::settings(), more.to_vec()].concat());
    world.produce(200);
    world.assert_recovered_from_start().await;
    let before = world.brain.calls().len();
    world.brain.begin(vec![Fault::Hang]);
    world.produce_for(GIVEN_UP + Duration::from_secs(1), 10).await;
    let calls = world.brain.calls()[before..].to_vec();
    let again =
        calls.iter().filter(|call| calls.iter().any(|other| other.at < call.at && other.offsets == call.offsets));
    assert!(again.count() > 0, "nothing was tried again after {GIVEN_UP:?}: {calls:?}");
    assert_eq!(consumer.status().unwrap()["dead_lettered"], 0);
    world.brain.end();
    world.assert_recovered().await;
    let log = consumer.stop().await;
    assert_eq!(log.find("an invocation failed")["class"], "transient");
}
