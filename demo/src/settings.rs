//! The configuration files of the services, written as a person would write them.

use crate::layout::{FUNCTION, GROUP, RunFolder, TOPICS, profile};
use crate::services::address_file;
use crate::world::Access;
use anyhow::{Context, Result};
use std::path::Path;
use toml::{Table, Value, toml};

/// Short, so that a killed consumer's partitions move while one watches.
const SESSION_TIMEOUT: &str = "6s";

/// A producer of the demo's profile, with the demo's routes.
pub fn producer(run: &RunFolder, name: &str, access: &Access) -> Table {
    let mut table = toml! {
        [source]
        kind = "generator"

        [[routes]]
        codigo = "900-909"
        topic = "mt-priority"

        [[routes]]
        codigo = "400-499"
        topic = "mt-c400"

        [[routes]]
        codigo = "300-399"
        topic = "mt-c300"
    };
    set(&mut table, "source.profile", text(&profile()));
    set(&mut table, "dead_letter.file", text(&run.file("set-aside.ndjson")));
    connect(&mut table, access);
    administer(&mut table, run, name);
    table
}

/// A consumer of the demo's group; `endpoint` is the Lambda host's.
pub fn consumer(run: &RunFolder, name: &str, access: &Access, endpoint: &str) -> Table {
    let mut table = Table::new();
    let topics = TOPICS.iter().map(|(topic, _)| Value::from(*topic)).collect();
    set(&mut table, "consumer.group", GROUP.into());
    set(&mut table, "consumer.topics", Value::Array(topics));
    set(&mut table, "consumer.instance_id", name.into());
    set(&mut table, "consumer.session_timeout", SESSION_TIMEOUT.into());
    // The lag that one watches is as old as the client's statistics.
    set(&mut table, "kafka.statistics_interval", "1s".into());
    set(&mut table, "function.name", FUNCTION.into());
    set(&mut table, "function.endpoint_url", endpoint.into());
    set(&mut table, "function.timeout", "10s".into());
    connect(&mut table, access);
    administer(&mut table, run, name);
    table
}

/// Fills the section `[kafka]`.
fn connect(table: &mut Table, access: &Access) {
    let servers = access.bootstrap.split(',').map(Value::from).collect();
    set(table, "kafka.bootstrap_servers", Value::Array(servers));
    if let Some(identity) = &access.identity {
        set(table, "kafka.tls.ca", text(&identity.ca));
        set(table, "kafka.tls.certificate", text(&identity.certificate));
        set(table, "kafka.tls.key", text(&identity.key));
    }
}

fn administer(table: &mut Table, run: &RunFolder, name: &str) {
    set(table, "admin.listen", "127.0.0.1:0".into());
    set(table, "admin.address_file", text(&address_file(run, name)));
}

/// Sets a dotted key, making the tables on the way.
pub fn set(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

/// A path as a setting.
pub fn text(path: &Path) -> Value {
    path.to_string_lossy().into_owned().into()
}

/// Writes `<name>.toml`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(run: &RunFolder, name: &str, table: &Table) -> Result<()> {
    let file = run.file(&format!("{name}.toml"));
    std::fs::write(&file, table.to_string()).with_context(|| format!("cannot write {}", file.display()))
}
