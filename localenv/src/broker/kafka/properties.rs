//! The settings file of one broker.

use std::path::Path;

/// What differs between brokers and clusters.
pub struct Settings<'a> {
    /// Number of the broker, from 1.
    pub id: usize,
    /// How many there are.
    pub brokers: usize,
    /// Listening address for clients and other brokers.
    pub address: &'a str,
    /// Listening address for clients without TLS.
    pub plaintext: Option<&'a str>,
    /// Listening address for controllers.
    pub controller: &'a str,
    /// `id@address` of all controllers.
    pub voters: &'a str,
    /// Key, certificate and authority in one PEM file.
    pub key_store: &'a Path,
    /// The authority.
    pub ca: &'a Path,
    /// For everything the broker stores.
    pub data: &'a Path,
}

/// Settings that are the same everywhere. Not Kafka's defaults, because:
/// groups form at once and short session timeouts are possible in tests; a dead broker is noticed after 5 s, not 9; the
/// log cleaner takes 4 MiB of heap, not 128; internal topics are small.
const COMMON: &str = "\
process.roles=broker,controller
inter.broker.listener.name=SSL
controller.listener.names=CONTROLLER
listener.security.protocol.map=SSL:SSL,CONTROLLER:SSL,PLAINTEXT:PLAINTEXT
ssl.keystore.type=PEM
ssl.truststore.type=PEM
ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.session.timeout.ms=6000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=1000
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=5000
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
log.cleaner.dedupe.buffer.size=4194304
log.retention.check.interval.ms=10000
metric.reporters=
";

/// The text of server.properties.
pub fn render(settings: &Settings<'_>) -> String {
    let replication = settings.brokers.min(3);
    let in_sync = if replication == 3 { 2 } else { 1 };
    let (plaintext, anonymous) = match settings.plaintext {
        Some(address) => (format!(",PLAINTEXT://{address}"), ";User:ANONYMOUS"),
        None => (String::new(), ""),
    };
    let mut text = COMMON.to_owned();
    let mut set = |key: &str, value: &dyn std::fmt::Display| text += &format!("{key}={value}\n");
    set("node.id", &settings.id);
    set("controller.quorum.voters", &settings.voters);
    set("listeners", &format_args!("SSL://{}{plaintext},CONTROLLER://{}", settings.address, settings.controller));
    set("advertised.listeners", &format_args!("SSL://{}{plaintext}", settings.address));
    set("super.users", &format_args!("User:CN=broker;User:CN=admin{anonymous}"));
    set("ssl.keystore.location", &settings.key_store.display());
    set("ssl.truststore.location", &settings.ca.display());
    set("log.dirs", &settings.data.display());
    for key in
        ["default.replication.factor", "offsets.topic.replication.factor", "transaction.state.log.replication.factor"]
    {
        set(key, &replication);
    }
    set("min.insync.replicas", &in_sync);
    set("transaction.state.log.min.isr", &in_sync);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(brokers: usize, plaintext: Option<&str>) -> String {
        render(&Settings {
            id: 2,
            brokers,
            address: "127.0.0.1:9000",
            plaintext,
            controller: "127.0.0.1:9001",
            voters: "1@127.0.0.1:8001,2@127.0.0.1:9001",
            key_store: Path::new("/c/broker.pem"),
            ca: Path::new("/c/ca.crt"),
            data: Path::new("/d"),
        })
    }

    #[test]
    fn nobody_is_anonymous_unless_there_is_a_plaintext_listener() {
        let closed = rendered(1, None);
        assert!(!closed.contains("ANONYMOUS") && !closed.contains("PLAINTEXT://"), "{closed}");
        let open = rendered(1, Some("127.0.0.1:9002"));
        assert!(open.contains("advertised.listeners=SSL://127.0.0.1:9000,PLAINTEXT://127.0.0.1:9002\n"), "{open}");
        assert!(open.contains("super.users=User:CN=broker;User:CN=admin;User:ANONYMOUS\n"), "{open}");
    }

    #[test]
    fn three_brokers_keep_three_replicas_and_need_two() {
        let three = rendered(3, None);
        assert!(
            three.contains("\noffsets.topic.replication.factor=3\n") && three.contains("\nmin.insync.replicas=2\n")
        );
        let one = rendered(1, None);
        assert!(one.contains("\noffsets.topic.replication.factor=1\n") && one.contains("\nmin.insync.replicas=1\n"));
    }
}
