//! The function fails in every way in which AWS says so: HTTP 200, a header, and an error in the body.

use crate::brain::{Fault, Reply};
use crate::case::{Bound, healthy, strike};
use crate::consumer::Consumer;
use crate::world::World;
use localenv::lambda_host::{Fault as HostFault, Rule};
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(2);
/// Longer than a batch takes to be cut and its first record to have used up `retry.attempts`, which is two or three seconds.
const LONG: Duration = Duration::from_secs(8);
/// So that each lane has a full batch when the function begins to fail.
const BURST: usize = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_fails_for_longer_than_all_attempts_makes_no_good_record_a_dead_letter() {
    let (mut world, consumer) = healthy("functions").await;
    let handled = Reply::failed("Handled", r#"{"errorType":"BadRequest","errorMessage":"no"}"#);
    let unhandled = Reply::failed("Unhandled", r#"{"errorType":"panic","errorMessage":"index out of bounds"}"#);
    let silent = Reply::failed("Unhandled", "");
    // Processes that really end: by themselves, and as the kernel ends one that has used up its memory.
    let ends = [Fault::Function("exits"), Fault::Function("killed")];
    for kind in [handled, unhandled, silent].map(Fault::Instead).into_iter().chain(ends) {
        burst_into(&mut world, kind).await;
    }
    let outcomes = |name: &str| world.host.stats().functions[name].outcomes.clone();
    assert!(
        outcomes("exits").contains_key("Runtime.ExitError") && outcomes("killed").contains_key("Runtime.ExitError")
    );

    let log = consumer.stop().await;
    assert_eq!(log.find("an invocation failed")["class"], "function-error");
    log.find("nothing shows that it takes others");
}

/// The function fails at everything from the moment on at which every lane has as much as it can take.
async fn burst_into(world: &mut World, kind: Fault) {
    world.brain.begin(vec![kind.clone()]);
    world.produce(BURST);
    strike(world, vec![kind], LONG, Bound::Cuts).await;
}

/// Repeats that the dispatcher knew.
fn removed(consumer: &Consumer) -> u64 {
    consumer.status().unwrap()["duplicates"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_times_out_when_its_work_is_done_repeats_and_loses_nothing() {
    let (mut world, consumer) = healthy("timeout").await;
    world.host.add_fault(Rule::always(HostFault::Timeout).only("dispatcher")).unwrap();
    let (before, begun) = (world.brain.calls().len(), Instant::now());
    world.produce_for(SPAN, 30).await;
    world.host.clear_faults();
    let (calls, most) = (world.brain.calls().len() - before, Bound::Cuts.calls(begun.elapsed()));
    assert!(calls <= most, "{calls} calls, allowed are {most}");
    world.assert_recovered().await;
    assert!(world.collector.snapshot().duplicates > 0 || removed(&consumer) > 0, "the work was done before");
    let said = consumer.stop().await;
    assert!(said.find("an invocation failed")["error"].as_str().unwrap().contains("Task timed out after"));
}
