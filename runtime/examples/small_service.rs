//! The smallest service: how `main`, settings, logs, metrics, health, admin port, signals and systemd fit together.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use runtime::admin::{Admin, AdminConfig, AdminParts, AdminRaw};
use runtime::config::{ConfigError, Loaded, Span};
use runtime::exit::Failure;
use runtime::health::Health;
use runtime::logs::{LogsConfig, LogsRaw};
use runtime::metrics::{Metrics, MetricsConfig, MetricsRaw};
use runtime::shutdown::Shutdown;
use runtime::{clock, config, exit, logs, systemd};
use serde::{Deserialize, Serialize};

/// Ticks until it is told to stop.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Configuration file (TOML).
    #[arg(long, global = true)]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run until SIGTERM.
    Run,
    /// Print the effective configuration.
    Check,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    tick: TickRaw,
    admin: AdminRaw,
    logs: LogsRaw,
    metrics: MetricsRaw,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TickRaw {
    every: Span,
    fail_after: Option<u64>,
}

impl Default for TickRaw {
    fn default() -> Self {
        Self { every: Span::from_millis(20), fail_after: None }
    }
}

/// What is meant, once all of it is known to be right.
struct Config {
    every: Duration,
    fail_after: Option<u64>,
    admin: AdminConfig,
    logs: LogsConfig,
    metrics: MetricsConfig,
}

impl Config {
    fn validate(loaded: &Loaded<Raw>) -> Result<Self, ConfigError> {
        let Loaded { raw, settings } = loaded;
        if raw.tick.every.get().is_zero() {
            return Err(settings.refuse("tick.every", "allowed is more than zero"));
        }
        Ok(Self {
            every: raw.tick.every.get(),
            fail_after: raw.tick.fail_after,
            admin: AdminConfig::validate(settings, &raw.admin)?,
            logs: LogsConfig::validate(settings, &raw.logs)?,
            metrics: MetricsConfig::validate(settings, &raw.metrics)?,
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the ticker broke after {0} ticks")]
struct Broke(u64);

fn main() -> ExitCode {
    exit::main(start)
}

fn start(cli: Cli) -> Result<(), Failure> {
    let loaded = config::load::<Raw>(cli.config.as_deref(), config::environment())?;
    let config = Config::validate(&loaded)?;
    if matches!(cli.command, Command::Check) {
        print!("{}", loaded.effective());
        return Ok(());
    }
    logs::init(&config.logs);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(config))
}

async fn run(config: Config) -> Result<(), Failure> {
    let shutdown = Shutdown::on_signals()?;
    let metrics = Metrics::start(&config.metrics, "small-service")?;
    let ticks = metrics.counter("comboio_example_tick_ticks", "ticks since the start", &[]);
    let health = Health::new(clock::system());
    let beat = health.component("tick", config.every * 50);
    let shown = ticks.clone();
    let parts = AdminParts {
        health: health.clone(),
        metrics: metrics.clone(),
        status: Arc::new(move || serde_json::json!({ "ticks": shown.get() })),
        controls: axum::Router::new(),
    };
    let _admin = Admin::start(&config.admin, parts)?;
    systemd::watchdog(&health);
    systemd::ready();
    beat.ready(true, "");
    while !shutdown.draining() {
        tokio::select! {
            () = tokio::time::sleep(config.every) => ticks.add(1),
            () = shutdown.drain() => {}
        }
        beat.progress();
        if config.fail_after.is_some_and(|limit| ticks.get() >= limit) {
            return Err(Broke(ticks.get()).into());
        }
    }
    systemd::stopping();
    tracing::info!(ticks = ticks.get(), "drained");
    metrics.stop(Duration::from_secs(1));
    Ok(())
}
