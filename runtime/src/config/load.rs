//! File, then environment, then the typed value; every mistake becomes one sentence.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{ConfigError, Shown};
use super::misfit::{Problem, ReadError};
use super::node::{Node, Value, join, last, parent};
use super::origin::Origin;
use super::read::Reader;
use super::settings::Settings;
use super::spelling::nearest;
use super::written::{PREFIX, overlay, parse};

/// The variable that holds the configuration file's path, or the TOML text itself.
const CONFIG: &str = "COMBOIO_CONFIG";

/// Read by the local environment and by `ci/`; who sets it for a whole shell sets it for every service started there.
const CACHE: &str = "COMBOIO_CACHE";

/// What was written, typed, and the settings with their origins. Derefs to [`Settings`]: `loaded.origin(..)`,
/// `loaded.refuse(..)`, `loaded.effective()`.
#[derive(Clone, Debug)]
pub struct Loaded<Raw> {
    /// The typed value; sections are validated by the parts that own them.
    pub raw: Raw,
    /// Keys, values and origins, for validation by parts that do not know `Raw`.
    pub settings: Settings,
}

impl<Raw> Deref for Loaded<Raw> {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

/// The process's environment as [`load`] wants it; names and values that are not UTF-8 are shown with replacement
/// characters.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
}

/// Reads `file` (or what `COMBOIO_CONFIG` names or holds, or nothing), then the `COMBOIO_...` variables over it.
///
/// # Errors
/// File missing, TOML syntax, unknown key or variable, a value that does not fit its type or unit.
pub fn load<Raw>(file: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Loaded<Raw>, ConfigError>
where
    Raw: Serialize + DeserializeOwned,
{
    load_allowing(file, env, &[])
}

/// Like [`load`], but leaves alone the variables in `own`, which the service reads by itself (full names:
/// `COMBOIO_RUN_ID`).
///
/// # Errors
/// As [`load`].
pub fn load_allowing<Raw>(
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
    own: &[&str],
) -> Result<Loaded<Raw>, ConfigError>
where
    Raw: Serialize + DeserializeOwned,
{
    let mut variables: BTreeMap<String, String> =
        env.filter(|(name, _)| name.starts_with(PREFIX) && name != CACHE && !own.contains(&name.as_str())).collect();
    let config = variables.remove(CONFIG).filter(|text| !text.trim().is_empty());
    let mut root = written(file, config)?;
    for (name, text) in variables {
        overlay(&mut root, &name, text)?;
    }
    let raw = Raw::deserialize(Reader(&root)).map_err(|error| explain(error, &root.origin))?;
    let settings = Settings::gather(&root, &raw)?;
    Ok(Loaded { raw, settings })
}

fn written(file: Option<&Path>, config: Option<String>) -> Result<Node, ConfigError> {
    match (file, config) {
        (Some(file), _) => read(file),
        (None, Some(text)) if text.contains(['=', '\n', '[']) => parse(Path::new(CONFIG), &text),
        (None, Some(path)) => read(Path::new(path.trim())),
        (None, None) => Ok(Node::new(Value::Table(BTreeMap::new()), Origin::Default)),
    }
}

fn read(file: &Path) -> Result<Node, ConfigError> {
    let text = fs::read_to_string(file).map_err(|error| ConfigError::Unreadable {
        path: file.display().to_string(),
        reason: match error.kind() {
            std::io::ErrorKind::NotFound => "no such file".to_owned(),
            std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => error.to_string(),
        },
    })?;
    parse(file, &text)
}

fn explain(error: ReadError, root: &Origin) -> ConfigError {
    let ReadError { key, problem, place } = error;
    let (value, origin) = place.map_or((None, root.clone()), |(value, origin)| (Some(value), origin));
    match problem {
        Problem::Refused(sentence) => ConfigError::Refused { key, value: Shown(value), origin, sentence },
        Problem::Missing => {
            ConfigError::Missing { key, origin, sentence: "it has no default, write it here".to_owned() }
        }
        Problem::Unknown { allowed } => match &origin {
            Origin::Env(name) if name.to_uppercase().starts_with(&variable(&key)) => {
                ConfigError::UnknownVariable { name: name.clone(), hint: hint(&key, allowed, variable) }
            }
            _ => ConfigError::UnknownKey { hint: hint(&key, allowed, str::to_owned), key, origin },
        },
    }
}

/// The nearest key, or all that are allowed there.
fn hint(key: &str, allowed: &'static [&'static str], spell: impl Fn(&str) -> String) -> String {
    let section = parent(key).unwrap_or("");
    match nearest(last(key), allowed) {
        Some(near) => format!("did you mean {}?", spell(&join(section, near))),
        None if allowed.is_empty() => "nothing can be set here".to_owned(),
        None if section.is_empty() => format!("allowed are {}", allowed.join(", ")),
        None => format!("allowed in {section} are {}", allowed.join(", ")),
    }
}

/// The environment variable that overrides a key.
fn variable(key: &str) -> String {
    let name = key.replace(']', "").replace(['.', '['], "__");
    format!("{PREFIX}{}", name.to_uppercase())
}

#[cfg(test)]
mod tests;
