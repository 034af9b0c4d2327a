//! The function fails in every way in which AWS says so: HTTP 200, a header, and an error in the body.

use crate::brain::{Fault, Reply};
use crate::case::{Bound, healthy, strike};
use crate::consumer::Consumer;
use localenv::lambda_host::{Fault as HostFault, Rule};
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_fails_for_a_while_makes_no_good_record_a_dead_letter() {
    let (mut world, consumer) = healthy("functions").await;
    let handled = Reply::failed("Handled", r#"{"errorType":"BadRequest","errorMessage":"no"}"#);
    let unhandled = Reply::failed("Unhandled", r#"{"errorType":"panic","errorMessage":"index out of bounds"}"#);
    let silent = Reply::failed("Unhandled", "");
    let errors = [handled, unhandled, silent].map(Fault::Instead);
    strike(&mut world, errors.to_vec(), SPAN, Bound::Cuts).await;

    // Processes that really end: by themselves, and as the kernel ends one that has used up its memory.
    let ends = vec![Fault::Function("exits"), Fault::Function("killed")];
    strike(&mut world, ends, SPAN, Bound::Cuts).await;
    let outcomes = |name: &str| world.host.stats().functions[name].outcomes.clone();
    assert!(
        outcomes("exits").contains_key("Runtime.ExitError") && outcomes("killed").contains_key("Runtime.ExitError")
    );

    let log = consumer.stop().await;
    assert_eq!(log.find("an invocation failed")["class"], "function-error");
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
