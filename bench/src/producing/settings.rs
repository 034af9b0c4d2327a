//! The settings of each rival: the same, in the words of our producer, of librdkafka and of Java.

use crate::properties::{Properties, access, java_access, librdkafka, lines, put, set, shared, text};
use crate::world::World;
use anyhow::Result;
use localenv::authority::Identity;
use producer::config::{Config, Overrides, Raw};
use runtime::config::load;
use std::path::{Path, PathBuf};
use toml::{Table, Value, toml};

/// The properties of our producer's client that the C program gets as well. Certificates come from files there.
const SHARED: [&str; 19] = [
    "enable.idempotence",
    "acks",
    "max.in.flight.requests.per.connection",
    "partitioner",
    "compression.codec",
    "linger.ms",
    "batch.size",
    "message.max.bytes",
    "batch.num.messages",
    "queue.buffering.max.messages",
    "queue.buffering.max.kbytes",
    "delivery.timeout.ms",
    "statistics.interval.ms",
    "socket.keepalive.enable",
    "socket.connection.setup.timeout.ms",
    "socket.timeout.ms",
    "metadata.recovery.strategy",
    "metadata.recovery.rebootstrap.trigger.ms",
    "ssl.endpoint.identification.algorithm",
];

/// The files of one topic.
#[derive(Debug, Clone)]
pub struct SettingsFiles {
    /// Our producer's configuration, mutual TLS.
    pub ours: PathBuf,
    /// The same in plain text.
    pub plaintext: PathBuf,
    /// librdkafka's properties.
    pub c: PathBuf,
    /// Java's properties.
    pub java: PathBuf,
    /// What `c` holds, without addresses and file names.
    pub shared: Properties,
}

/// Writes all of them into `folder`. What is not said here is the default of our producer.
///
/// # Errors
/// The folder cannot be written.
pub fn write(world: &World, topic: &str, folder: &Path) -> Result<SettingsFiles> {
    let file = |ending: &str| folder.join(format!("{topic}.{ending}"));
    let files = (file("toml"), file("plaintext.toml"));
    put(&files.0, &ours(&world.bootstrap(), Some(&world.identity), topic, folder).to_string())?;
    put(&files.1, &ours(&world.plaintext()?, None, topic, folder).to_string())?;
    let config = read(&files.0)?;
    let shared = shared(&config.kafka.producer(&config.tuning), &SHARED);
    let (c, java) = (file("c.properties"), file("java.properties"));
    put(&c, &lines(&librdkafka(world, &shared)))?;
    put(&java, &lines(&java_client(world, &shared)))?;
    Ok(SettingsFiles { ours: files.0, plaintext: files.1, c, java, shared })
}

/// Reads a configuration of our producer, without what the environment says over it: every rival has the same settings.
///
/// # Errors
/// As `comboio-producer check`.
pub fn read(path: &Path) -> Result<Config> {
    let loaded = load::<Raw>(Some(path), std::iter::empty())?;
    Ok(Config::validate(&loaded, &Overrides::default())?)
}

fn ours(bootstrap: &str, identity: Option<&Identity>, topic: &str, folder: &Path) -> Table {
    let mut table = toml! {
        [source]
        kind = "generator"

        [[routes]]
        codigo = "*"

        // High enough never to bind, so that the check is paid for and nothing else.
        [limits]
        events_per_second = 10000000.0
        bytes_per_second = "10GB"

        [kafka]
    };
    set(&mut table, "source", "profile", text(&crate::events::profile()));
    let aside = folder.join("set-aside.ndjson");
    table.insert("dead_letter".into(), Value::Table(Table::from_iter([("file".to_owned(), text(&aside))])));
    access(&mut table, bootstrap, identity);
    if let Some(Value::Array(routes)) = table.get_mut("routes")
        && let Some(Value::Table(route)) = routes.first_mut()
    {
        route.insert("topic".into(), topic.into());
    }
    table
}

/// Java's names for the same.
fn java_client(world: &World, shared: &[(String, String)]) -> Properties {
    let of = |name: &str| shared.iter().find(|(shared, _)| shared == name).map_or("", |(_, value)| value.as_str());
    let queue: u64 = of("queue.buffering.max.kbytes").parse::<u64>().unwrap_or_default() * 1024;
    let settings = [
        ("enable.idempotence", "true".into()),
        ("acks", "all".into()),
        ("compression.type", of("compression.codec").into()),
        ("linger.ms", of("linger.ms").into()),
        ("batch.size", of("batch.size").into()),
        ("buffer.memory", queue.to_string()),
        ("max.request.size", "4194304".into()),
        ("delivery.timeout.ms", of("delivery.timeout.ms").into()),
    ];
    java_access(world).into_iter().chain(settings.map(|(name, value)| (name.to_owned(), value))).collect()
}
