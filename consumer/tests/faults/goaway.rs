//! HTTP/2 connections that Lambda ends, politely and in the middle of calls, and one that nobody ends although nothing comes out of it any more.

use crate::RECOVERY;
use crate::brain::Fault;
use crate::case::{self, Bound, strike};
use crate::consumer::Setting;
use crate::secure_front::SecureFront;
use crate::world::World;
use localenv::authority::Authority;
use std::time::Duration;

/// Where the function is asked for, with the certificate that belongs there.
async fn secured(world: &World) -> (SecureFront, Vec<Setting>, Vec<(&'static str, String)>) {
    let authority = Authority::create(world.folder()).unwrap();
    let front = SecureFront::start(world.brain.clone(), &authority).await;
    let variables = vec![
        ("SSL_CERT_FILE", authority.ca().display().to_string()),
        ("AWS_REGION", "us-east-1".into()),
        ("AWS_ACCESS_KEY_ID", "local".into()),
        ("AWS_SECRET_ACCESS_KEY", "local".into()),
    ];
    let endpoint = [("FUNCTION__ENDPOINT_URL", front.endpoint())];
    (front, [case::settings(), endpoint.to_vec()].concat(), variables)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_swallows_everything_is_left_when_its_calls_time_out() {
    let mut world = World::embedded("swallowed").await;
    let (front, settings, variables) = secured(&world).await;
    let short = [("FUNCTION__TIMEOUT", "1s".to_owned())];
    let consumer = world.start_with(&[settings, short.to_vec()].concat(), &variables);
    world.produce(200);
    world.assert_recovered_from_start().await;
    let before = front.connections();
    front.swallow();
    world.produce(200);
    // The function's own time and the margin for the way.
    world.wait_committed(Duration::from_secs(11) + RECOVERY).await;
    assert!(front.connections() > before, "{before} connections, and no other one");
    world.assert_delivered(400);
    let log = consumer.stop().await;
    log.find("an invocation failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn goaway_costs_a_connection_and_no_record() {
    let mut world = World::embedded("goaway").await;
    let (front, settings, variables) = secured(&world).await;
    let consumer = world.start_with(&settings, &variables);
    world.produce(200);
    world.assert_recovered_from_start().await;
    // Politely, again and again: each connection is followed by another one.
    for round in 2..6 {
        front.send_away();
        world.produce_for(Duration::from_millis(300), 30).await;
        assert!(front.connections() >= round, "{} connections after {round} rounds", front.connections());
    }
    world.assert_recovered().await;
    // And with calls under way that are never answered.
    strike(&mut world, vec![Fault::GoAway], Duration::from_secs(2), Bound::Breaker).await;
    let log = consumer.stop().await;
    assert_eq!(log.find("an invocation failed")["class"], "transient");
}
