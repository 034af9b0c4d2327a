//! The settings of each rival: the same, in the words of our consumer, of librdkafka and of Java.

use crate::properties::{Properties, access, java_access, librdkafka, lines, put, set, shared};
use crate::world::{PARTITIONS, World};
use anyhow::Result;
use consumer::config::{Config, Raw};
use runtime::config::load;
use std::path::{Path, PathBuf};
use toml::{Table, Value, toml};

/// The properties of our consumer's client that rdkafka_performance gets as well. Certificates come from files there.
const SHARED: [&str; 21] = [
    "group.protocol",
    "partition.assignment.strategy",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "max.poll.interval.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "isolation.level",
    "check.crcs",
    "queued.min.messages",
    "queued.max.messages.kbytes",
    "max.partition.fetch.bytes",
    "fetch.wait.max.ms",
    "fetch.queue.backoff.ms",
    "statistics.interval.ms",
    "socket.keepalive.enable",
    "socket.connection.setup.timeout.ms",
    "socket.timeout.ms",
    "metadata.recovery.strategy",
    "ssl.endpoint.identification.algorithm",
];

/// Of these, ours are for each partition, and those of a client with one queue for all together.
const READ_AHEAD: [&str; 2] = ["queued.min.messages", "queued.max.messages.kbytes"];

/// The group when nobody says another one.
const GROUP: &str = "bench";

/// The files of one topic.
#[derive(Debug, Clone)]
pub struct SettingsFiles {
    /// Our consumer's configuration.
    pub ours: PathBuf,
    /// librdkafka's properties.
    pub c: PathBuf,
    /// Java's properties.
    pub java: PathBuf,
    /// What `c` holds, without addresses and file names.
    pub shared: Properties,
}

/// Writes all of them into `folder`. What is not said here is the default of our consumer.
///
/// # Errors
/// The folder cannot be written.
pub fn write(world: &World, topic: &str, folder: &Path) -> Result<SettingsFiles> {
    let file = |ending: &str| folder.join(format!("{topic}.consumer.{ending}"));
    let (ours, c, java) = (file("toml"), file("c.properties"), file("java.properties"));
    put(&ours, &our(world, topic).to_string())?;
    let config = read(&ours, &[])?;
    let mut shared = shared(&config.kafka.consumer(&config.tuning), &SHARED);
    shared.iter_mut().filter(|(name, _)| READ_AHEAD.contains(&name.as_str())).try_for_each(for_all)?;
    put(&c, &lines(&librdkafka(world, &shared)))?;
    put(&java, &lines(&java_client(world, &shared)))?;
    Ok(SettingsFiles { ours, c, java, shared })
}

/// Reads a configuration of our consumer and puts `changes` over it (`CONSUMER__GROUP` and the like); what the environment says counts
/// for nothing.
///
/// # Errors
/// As `comboio-consumer check`.
pub fn read(path: &Path, changes: &[(&str, String)]) -> Result<Config> {
    let changes = changes.iter().map(|(key, value)| (format!("COMBOIO_{key}"), value.clone()));
    let loaded = load::<Raw>(Some(path), changes)?;
    Ok(Config::validate(&loaded)?)
}

fn our(world: &World, topic: &str) -> Table {
    let mut table = toml! {
        [kafka]
        client_id = "comboio-bench"

        [consumer]

        [function]
        name = "bench"

        [admin]
        listen = "127.0.0.1:0"
    };
    access(&mut table, &world.bootstrap(), Some(&world.identity));
    set(&mut table, "consumer", "group", GROUP.into());
    set(&mut table, "consumer", "topics", Value::Array(vec![topic.into()]));
    table
}

/// As much for all partitions together as ours has for each of them.
fn for_all((_, value): &mut (String, String)) -> Result<()> {
    *value = (value.parse::<u64>()? * u64::from(PARTITIONS.unsigned_abs())).to_string();
    Ok(())
}

/// Java's names for the same; `auto.offset.reset` is set by the tool, to the same value, and so is `check.crcs`, to false.
/// `max.partition.fetch.bytes` is an option of the tool's.
fn java_client(world: &World, shared: &[(String, String)]) -> Properties {
    let of = |name: &str| shared.iter().find(|(shared, _)| shared == name).map_or("", |(_, value)| value.as_str());
    let settings = [
        ("enable.auto.commit", "false".into()),
        ("isolation.level", of("isolation.level").into()),
        ("fetch.max.wait.ms", of("fetch.wait.max.ms").into()),
        ("session.timeout.ms", of("session.timeout.ms").into()),
        ("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor".into()),
    ];
    java_access(world)
        .into_iter()
        .chain(settings.map(|(name, value): (&str, String)| (name.to_owned(), value)))
        .collect()
}
