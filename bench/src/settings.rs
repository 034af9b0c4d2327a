//! The settings of each rival: the same, in the words of our producer, of librdkafka and of Java.

use crate::world::World;
use anyhow::{Context, Result};
use localenv::authority::Identity;
use producer::config::{Config, Overrides, Raw};
use runtime::config::load;
use std::fs;
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
    pub shared: Vec<(String, String)>,
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
    let shared = shared(&read(&files.0)?);
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
    let servers = bootstrap.split(',').map(Value::from).collect();
    set(&mut table, "kafka", "bootstrap_servers", Value::Array(servers));
    if let Some(Value::Array(routes)) = table.get_mut("routes")
        && let Some(Value::Table(route)) = routes.first_mut()
    {
        route.insert("topic".into(), topic.into());
    }
    if let Some(Identity { ca, certificate, key, .. }) = identity {
        let tls = [("ca", ca), ("certificate", certificate), ("key", key)];
        let tls = Table::from_iter(tls.map(|(name, path)| (name.to_owned(), text(path))));
        set(&mut table, "kafka", "tls", Value::Table(tls));
    }
    table
}

fn shared(config: &Config) -> Vec<(String, String)> {
    let client = config.kafka.producer(&config.tuning);
    SHARED.iter().filter_map(|name| Some(((*name).to_owned(), client.property(name)?.to_owned()))).collect()
}

fn librdkafka(world: &World, shared: &[(String, String)]) -> Vec<(String, String)> {
    let identity = &world.identity;
    let own = [
        ("bootstrap.servers", world.bootstrap()),
        ("security.protocol", "ssl".into()),
        ("ssl.ca.location", identity.ca.display().to_string()),
        ("ssl.certificate.location", identity.certificate.display().to_string()),
        ("ssl.key.location", identity.key.display().to_string()),
    ];
    own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(shared.iter().cloned()).collect()
}

/// Java's names for the same; it reads key and certificate from one file.
fn java_client(world: &World, shared: &[(String, String)]) -> Vec<(String, String)> {
    let of = |name: &str| shared.iter().find(|(shared, _)| shared == name).map_or("", |(_, value)| value.as_str());
    let queue: u64 = of("queue.buffering.max.kbytes").parse::<u64>().unwrap_or_default() * 1024;
    let (identity, delivery) = (&world.identity, of("delivery.timeout.ms"));
    let pem = identity.key.with_extension("pem");
    let settings = [
        ("bootstrap.servers", world.bootstrap()),
        ("security.protocol", "SSL".into()),
        ("ssl.truststore.type", "PEM".into()),
        ("ssl.truststore.location", identity.ca.display().to_string()),
        ("ssl.keystore.type", "PEM".into()),
        ("ssl.keystore.location", pem.display().to_string()),
        ("enable.idempotence", "true".into()),
        ("acks", "all".into()),
        ("compression.type", of("compression.codec").into()),
        ("linger.ms", of("linger.ms").into()),
        ("batch.size", of("batch.size").into()),
        ("buffer.memory", queue.to_string()),
        ("max.request.size", "4194304".into()),
        ("delivery.timeout.ms", delivery.into()),
    ];
    settings.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// Writes key and certificate into the one file that Java wants.
///
/// # Errors
/// A file cannot be read or written.
pub fn join_for_java(identity: &Identity) -> Result<()> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let both = read(&identity.key)? + &read(&identity.certificate)?;
    put(&identity.key.with_extension("pem"), &both)
}

fn lines(settings: &[(String, String)]) -> String {
    settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

fn set(table: &mut Table, section: &str, key: &str, value: Value) {
    if let Some(Value::Table(section)) = table.get_mut(section) {
        section.insert(key.to_owned(), value);
    }
}

fn text(path: &Path) -> Value {
    path.to_string_lossy().into_owned().into()
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
