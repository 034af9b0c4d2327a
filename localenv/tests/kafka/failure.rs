//! Three brokers: what survives the loss of one, and of all.

use localenv::broker::kafka::{KafkaCluster, KafkaOptions};
use localenv::broker::topic::Topic;
use rdkafka::producer::BaseProducer;

use crate::client::{Heard, PATIENCE, producer, read_all, send};

const TOPIC: &str = "failure";

#[test]
fn nothing_acknowledged_is_lost() {
    let _turn = crate::turn();
    let options = KafkaOptions { forwarded: true, ..KafkaOptions::brokers(3) };
    let mut cluster = KafkaCluster::start(&options).unwrap();
    cluster.create_topics(&[Topic::new(TOPIC, 6)]).unwrap();
    let producer = producer(&cluster.client_config(cluster.admin()), true);
    assert_eq!(send(&producer, TOPIC, 0..300), 300);

    one_of_three_may_die(&mut cluster, &producer);
    all_may_come_back_on_other_ports(&mut cluster, &producer);
    cluster.check().unwrap();
}

/// The second broker dies once the first is back: what is read then is led by the first again, or by the third.
fn one_of_three_may_die(cluster: &mut KafkaCluster, producer: &BaseProducer<Heard>) {
    cluster.kill(1).unwrap();
    assert!(cluster.kill(1).is_err(), "killed twice");
    assert_eq!(send(producer, TOPIC, 300..600), 300, "two of three are enough");
    cluster.restart(1).unwrap();
    cluster.wait_in_sync(PATIENCE).unwrap();
    cluster.kill(2).unwrap();
    let seen = read_all(&cluster.client_config(cluster.admin()), "after-one", TOPIC, 600);
    assert!(seen.values().all(|times| *times == 1), "an idempotent producer's record is there twice");
    cluster.restart(2).unwrap();
}

/// The producer knows only addresses that are dead; it has to ask the bootstrap addresses again.
fn all_may_come_back_on_other_ports(cluster: &mut KafkaCluster, producer: &BaseProducer<Heard>) {
    let before = cluster.bootstrap();
    cluster.restart_all_on_new_ports().unwrap();
    assert_eq!(cluster.bootstrap(), before, "the bootstrap addresses stay");
    assert_eq!(send(producer, TOPIC, 600..900), 300);
    let seen = read_all(&cluster.client_config(cluster.admin()), "after-all", TOPIC, 900);
    assert!(seen.values().all(|times| *times == 1));
}
