//! The command line: `comboio-consumer run|check`.

use crate::app;
use crate::config::{Config, Raw};
use crate::invoke::Invoker;
use crate::invoke::lambda::LambdaInvoker;
use clap::{Args, Parser, Subcommand};
use runtime::config::{ConfigError, Loaded, environment, load};
use runtime::exit::Failure;
use runtime::shutdown::Shutdown;
use runtime::stdout;
use std::path::PathBuf;

/// Takes records from Kafka in batches, has the dispatcher deliver them, and commits what is finished.
#[derive(Debug, Parser)]
#[command(name = "comboio-consumer", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs until SIGTERM or SIGINT, then drains; a second signal hurries.
    Run(Common),
    /// Checks configuration and certificates, and prints every setting with its origin.
    Check(Check),
}

#[derive(Debug, Args)]
struct Common {
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    common: Common,
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
}

impl Common {
    fn load(&self) -> Result<Loaded<Raw>, ConfigError> {
        load::<Raw>(self.config.as_deref(), environment())
    }
}

/// One worker makes some thousand calls a second, a million records; with more of them each call wakes two, and costs a quarter more
/// (`make bench-consumer BENCH="--only path"`).
const WORKERS: usize = 1;

/// Does what the command line asks for.
///
/// # Errors
/// Bad configuration or usage, or the surroundings.
pub fn run(cli: Cli) -> Result<(), Failure> {
    run_with(cli, |lambda| lambda)
}

/// The same with another invoker around Lambda's: for wirings of a test.
///
/// # Errors
/// As [`run`].
pub fn run_with<I: Invoker>(cli: Cli, wrap: impl FnOnce(LambdaInvoker) -> I) -> Result<(), Failure> {
    match cli.command {
        Command::Run(common) => {
            let config = Config::validate(&common.load()?)?;
            runtime::logs::init(&config.logs);
            let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
            let ended = tokio.block_on(async {
                let shutdown = Shutdown::on_signals()?;
                let lambda = LambdaInvoker::connect(&config.lambda).await.map_err(Failure::usage)?;
                app::run(config, shutdown, wrap(lambda)).await
            });
            // A question to Kafka that nobody waits for any more takes its time.
            tokio.shutdown_background();
            ended
        }
        Command::Check(check) => show(&check),
    }
}

fn show(check: &Check) -> Result<(), Failure> {
    let loaded = check.common.load()?;
    let config = Config::validate(&loaded)?;
    let effective = loaded.effective();
    if check.json {
        return stdout::say(format_args!("{}\n", serde_json::to_string_pretty(&effective)?));
    }
    stdout::say(format_args!("{effective}{}", config.kafka.shown()))
}
