//! An outage that is longer than the spool is large: senders are told to wait, and what was accepted arrives.

use crate::sender::Sender;
use crate::stage::Stage;

#[test]
fn a_full_spool_answers_503_and_all_that_was_answered_202_arrives_in_order() {
    let stage = Stage::new();
    let spool = format!("[spool]\ndir = {:?}\nmax_size = \"1MiB\"\nafter = \"500ms\"", stage.path("spool"));
    let mut producer = stage.start("answer_within = \"1s\"", &spool);
    let mut sender = Sender::to(stage.address(&mut producer));
    assert_eq!(sender.send().status, 202, "Kafka is there");

    stage.brokers(false);
    // Each request is answered: the client fails the test where silence lasts.
    let mut unsettled = 0;
    let refused = stage.until(&mut producer, "a full spool", || {
        let reply = sender.send();
        assert!([202, 503].contains(&reply.status), "{}", reply.json());
        unsettled += u64::from(reply.reason() == "no-answer-in-time");
        (reply.reason() == "closed").then_some(reply)
    });
    let why = refused.json();
    assert!(why["error"].as_str().unwrap().starts_with("the spool is full ("), "{why}");
    assert!(why["error"].as_str().unwrap().ends_with(": nothing was taken"), "{why}");
    assert_eq!(refused.headers["retry-after"], "5");
    // What passed the door and found no room was told so as well.
    assert!(sender.accepted() > 2 && unsettled > 0, "{} accepted, {unsettled} unsettled", sender.accepted());
    let unready = stage.admin().get("/readyz");
    assert_eq!(unready.status, 503, "who looks at readiness sends elsewhere");
    assert!(unready.json()["wrong"][0]["why"].as_str().unwrap().starts_with("the spool is full"));
    let status = stage.admin().get("/status").json();
    assert!((900_000..1_060_000).contains(&status["spool"]["bytes"].as_u64().unwrap()), "{status}");

    stage.brokers(true);
    stage.until(&mut producer, "an accepted request", || (sender.send().status == 202).then_some(()));
    stage.until_empty(&mut producer);
    assert_eq!(stage.admin().get("/readyz").status, 200);
    let room = || stage.log().contains("the spool has room again").then_some(());
    stage.until(&mut producer, "the line that it is over", room);
    assert_eq!(stage.log().matches("the spool takes no more requests").count(), 1, "{}", stage.log());
    let report = stage.stop(&mut producer);
    assert!(report.adds_up(), "{report}");
    assert_eq!((report.in_spool, report.failed, report.dead_lettered), (0, 0, 0), "{report}");
    sender.assert_delivered(&stage.read_all());
}
