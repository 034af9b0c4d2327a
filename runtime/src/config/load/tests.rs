//! A service's configuration with a value of every kind, and how the tests load it.

mod layers;
mod refusals;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::*;
use crate::config::{Secret, Size, Span};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    instance: String,
    kafka: Kafka,
    routes: Vec<Route>,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Kafka {
    bootstrap_servers: Vec<String>,
    linger: Span,
    limit: Size,
    port: u16,
    idempotent: bool,
    ratio: f64,
    mode: Mode,
    group: Option<String>,
    tls: Tls,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            bootstrap_servers: vec!["localhost:9092".to_owned()],
            linger: Span::from_millis(20),
            limit: Size::from_kib(64),
            port: 9092,
            idempotent: true,
            ratio: 0.5,
            mode: Mode::Safe,
            group: None,
            tls: Tls::default(),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tls {
    ca: String,
    key_password: Secret,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Safe,
    Fast,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    topic: String,
    #[serde(default)]
    codigo: Codigos,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Codigos {
    One(u32),
    Set(Vec<u32>),
    Range(String),
}

impl Default for Codigos {
    fn default() -> Self {
        Self::Set(Vec::new())
    }
}

fn vars(pairs: &[(&str, &str)]) -> std::vec::IntoIter<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into_iter()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

fn loaded(text: &str, env: &[(&str, &str)]) -> Loaded<Raw> {
    let file = file(text);
    load(Some(file.path()), vars(env)).unwrap()
}

/// The sentence, with the path of the file replaced by `FILE`.
fn refused(text: &str, env: &[(&str, &str)]) -> String {
    let file = file(text);
    let error = load::<Raw>(Some(file.path()), vars(env)).unwrap_err();
    error.to_string().replace(file.path().to_str().unwrap(), "FILE")
}
