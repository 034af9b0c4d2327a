//! What a consumer's client is told: by which protocol, and what is left to Kafka.

use super::*;

#[test]
fn a_consumer_commits_only_what_it_is_told_to() {
    let mut tuning = ConsumerTuning::for_group("lambda");
    tuning.instance = Some("consumer-1".to_owned());
    let settings = plaintext().consumer(&tuning);
    for (name, value) in [
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "earliest"),
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("group.protocol", "classic"),
        ("group.id", "lambda"),
        ("group.instance.id", "consumer-1"),
        ("session.timeout.ms", "45000"),
        ("heartbeat.interval.ms", "3000"),
        ("fetch.queue.backoff.ms", "20"),
    ] {
        assert_eq!(settings.property(name), Some(value), "{name}");
    }
}

#[test]
fn a_scout_is_no_member_and_reads_little() {
    let mut tuning = ConsumerTuning::for_group("lambda");
    tuning.instance = Some("consumer-1".to_owned());
    let settings = plaintext().consumer(&tuning).to_scout();
    for (name, value) in [
        ("enable.partition.eof", Some("true")),
        ("enable.auto.commit", Some("false")),
        ("queued.min.messages", Some("1")),
        ("group.instance.id", None),
    ] {
        assert_eq!(settings.property(name), value, "{name}");
    }
}

#[test]
fn a_short_session_has_a_heartbeat_that_fits() {
    let tuning = ConsumerTuning { session_timeout: Duration::from_secs(6), ..ConsumerTuning::for_group("g") };
    assert_eq!(plaintext().consumer(&tuning).property("heartbeat.interval.ms"), Some("2000"));
}

pub(super) fn by_the_brokers() -> ConsumerTuning {
    let (protocol, assignor, instance) = (GroupProtocol::Consumer, Some("range".into()), Some("consumer-1".into()));
    ConsumerTuning { protocol, assignor, instance, ..ConsumerTuning::for_group("g") }
}

#[test]
fn a_group_of_the_brokers_is_not_told_what_is_theirs_to_say() {
    let settings = plaintext().consumer(&by_the_brokers());
    for (name, value) in [
        ("group.protocol", Some("consumer")),
        ("group.remote.assignor", Some("range")),
        ("group.instance.id", Some("consumer-1")),
        ("max.poll.interval.ms", Some("300000")),
        ("session.timeout.ms", None),
        ("heartbeat.interval.ms", None),
        ("partition.assignment.strategy", None),
    ] {
        assert_eq!(settings.property(name), value, "{name}");
    }
}
