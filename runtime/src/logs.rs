//! Log lines on standard error: JSON for machines, text on a terminal.

mod json;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{ConfigError, Settings};

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Section `[logs]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogsRaw {
    /// What is logged: a level (`off`, `error`, `warn`, `info`, `debug`, `trace`), or one per target:
    /// `info,consumer=debug`.
    pub filter: String,
    /// `auto` is text on a terminal and JSON everywhere else.
    pub format: LogFormat,
}

impl Default for LogsRaw {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Auto }
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON everywhere else.
    #[default]
    Auto,
    /// One JSON object a line: `ts` (RFC 3339, UTC), `level`, `target`, `message`, then the fields of the event and
    /// of its spans.
    Json,
    /// Lines for people.
    Text,
}

/// Validated `[logs]`.
#[derive(Clone, Debug)]
pub struct LogsConfig {
    filter: Targets,
    format: LogFormat,
}

impl LogsConfig {
    /// Checks the section `logs`.
    ///
    /// # Errors
    /// A filter that is not a list of `level` and `target=level`.
    pub fn validate(settings: &Settings, raw: &LogsRaw) -> Result<Self, ConfigError> {
        let refuse = || {
            let levels = LEVELS.join(", ");
            settings.refuse(
                "logs.filter",
                format!("allowed is a level ({levels}), or level and target=level with commas: info,consumer=debug"),
            )
        };
        let known = |directive: &str| LEVELS.contains(&directive.rsplit('=').next().unwrap_or("").trim());
        if !raw.filter.split(',').all(known) {
            return Err(refuse());
        }
        let filter = raw.filter.replace(' ', "").parse().map_err(|_| refuse())?;
        Ok(Self { filter, format: raw.format })
    }
}

static JSON: AtomicBool = AtomicBool::new(false);

/// Starts logging to standard error for the whole process; standard output belongs to reports. Later calls change
/// nothing.
pub fn init(config: &LogsConfig) {
    let terminal = io::stderr().is_terminal();
    let json = match config.format {
        LogFormat::Auto => !terminal,
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let registry = tracing_subscriber::registry().with(config.filter.clone());
    let installed = if json {
        registry.with(json::layer(io::stderr)).try_init()
    } else {
        registry.with(tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(terminal)).try_init()
    };
    if installed.is_ok() {
        JSON.store(json, Ordering::Relaxed);
    }
}

/// True once [`init`] has chosen JSON.
pub fn are_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// An error and all its causes in one line, joined by `: `; a cause that the line already holds is not repeated.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    for cause in causes(error).skip(1) {
        let sentence = cause.to_string();
        if !line.contains(&sentence) {
            line.push_str(": ");
            line.push_str(&sentence);
        }
    }
    line.replace('\n', " ")
}

/// An error and its causes, outermost first.
pub(crate) fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| <dyn Error>::source(*error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validate(filter: &str) -> Result<LogsConfig, ConfigError> {
        let raw = LogsRaw { filter: filter.to_owned(), ..LogsRaw::default() };
        LogsConfig::validate(&Settings::of(&serde_json::json!({ "logs": raw })), &raw)
    }

    #[test]
    fn filters_are_levels_and_targets_with_levels() {
        for good in ["info", "off", "info,consumer=debug", "warn, kafka_client=trace"] {
            assert!(validate(good).is_ok(), "{good}");
        }
        for bad in ["loud", "", "info,consumer", "consumer=loud", "info,,"] {
            assert!(validate(bad).is_err(), "{bad}");
        }
        assert_eq!(
            validate("loud").unwrap_err().to_string(),
            "logs.filter is `loud` (default): allowed is a level (off, error, warn, info, debug, trace), \
             or level and target=level with commas: info,consumer=debug"
        );
    }

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Layer>>);

    #[test]
    fn a_chain_is_one_line_without_repeats() {
        let inner = Layer("refused", None);
        let middle = Layer("connection: refused", Some(Box::new(inner)));
        let outer = Layer("admin port\ncannot be opened", Some(Box::new(middle)));
        assert_eq!(chain(&outer), "admin port cannot be opened: connection: refused");
    }
}
