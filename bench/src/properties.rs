//! Settings of a client as files: in librdkafka's words, and in Java's.

use crate::world::World;
use anyhow::{Context, Result};
use kafka_client::settings::ClientSettings;
use localenv::authority::Identity;
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Names and values, in the order of the file.
pub type Properties = Vec<(String, String)>;

/// Those of `names` that our own client has; the others get what it gets: librdkafka's default.
pub fn shared(client: &ClientSettings, names: &[&str]) -> Properties {
    names.iter().filter_map(|name| Some(((*name).to_owned(), client.property(name)?.to_owned()))).collect()
}

/// How librdkafka reaches the brokers, certificates from files, and then `shared`.
pub fn librdkafka(world: &World, shared: &[(String, String)]) -> Properties {
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

/// How Java reaches the brokers.
pub fn java_access(world: &World) -> Properties {
    let identity = &world.identity;
    let settings = [
        ("bootstrap.servers", world.bootstrap()),
        ("security.protocol", "SSL".into()),
        ("ssl.truststore.type", "PEM".into()),
        ("ssl.truststore.location", identity.ca.display().to_string()),
        ("ssl.keystore.type", "PEM".into()),
        ("ssl.keystore.location", key_store(identity).display().to_string()),
    ];
    settings.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// The file in which Java finds key and certificate together.
pub fn key_store(identity: &Identity) -> PathBuf {
    identity.key.with_extension("pem")
}

/// Puts `bootstrap_servers` and `tls` into the section `kafka` of a service of ours.
pub fn access(table: &mut Table, bootstrap: &str, identity: Option<&Identity>) {
    let servers = bootstrap.split(',').map(Value::from).collect();
    set(table, "kafka", "bootstrap_servers", Value::Array(servers));
    if let Some(Identity { ca, certificate, key, .. }) = identity {
        let tls = [("ca", ca), ("certificate", certificate), ("key", key)];
        let tls = Table::from_iter(tls.map(|(name, path)| (name.to_owned(), text(path))));
        set(table, "kafka", "tls", Value::Table(tls));
    }
}

/// Sets one key of a section that is there.
pub fn set(table: &mut Table, section: &str, key: &str, value: Value) {
    if let Some(Value::Table(section)) = table.get_mut(section) {
        section.insert(key.to_owned(), value);
    }
}

/// One property a line.
pub fn lines(settings: &[(String, String)]) -> String {
    settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

/// A path as a setting's value.
pub fn text(path: &Path) -> Value {
    path.to_string_lossy().into_owned().into()
}

/// Writes a file.
///
/// # Errors
/// It cannot be written.
pub fn put(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
