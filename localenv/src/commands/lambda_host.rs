//! `comboio-localenv lambda-host`.

use super::standing::{announce, until_stopped};
use anyhow::Context;
use localenv::lambda_host::{Function, HostOptions, LambdaHost, Rule};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of this subcommand.
#[derive(clap::Args)]
pub struct Arguments {
    /// The executable of a function to deploy at once; others by --functions or POST /_host/functions.
    #[arg(long)]
    bootstrap: Option<PathBuf>,
    /// The name of that function.
    #[arg(long, default_value = "dispatcher")]
    name: String,
    /// An environment variable of that function; may be given often.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// How long one of its invocations may run, in milliseconds.
    #[arg(long, default_value_t = 30_000)]
    timeout_ms: u64,
    /// How many of its invocations may run at once.
    #[arg(long, value_name = "N")]
    reserved_concurrency: Option<usize>,
    /// A JSON file with a list of functions.
    #[arg(long, value_name = "FILE")]
    functions: Option<PathBuf>,
    /// A JSON file with a list of fault rules.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Port on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Folder for what the functions print.
    #[arg(long)]
    log_dir: Option<PathBuf>,
    /// End processes that have been idle for so many seconds.
    #[arg(long, default_value_t = 60)]
    idle_after_s: u64,
    /// Write the endpoint here once it listens.
    #[arg(long)]
    address_file: Option<PathBuf>,
}

impl Arguments {
    fn options(&self) -> HostOptions {
        HostOptions {
            port: self.port,
            log_dir: self.log_dir.clone(),
            idle_after: Duration::from_secs(self.idle_after_s),
            ..HostOptions::default()
        }
    }

    fn all_functions(&self) -> anyhow::Result<Vec<Function>> {
        let mut functions: Vec<Function> = self.functions.as_deref().map(read).transpose()?.unwrap_or_default();
        functions.extend(self.bootstrap.as_ref().map(|bootstrap| Function {
            env: self.env.iter().cloned().collect(),
            timeout: Duration::from_millis(self.timeout_ms),
            reserved_concurrency: self.reserved_concurrency,
            ..Function::new(&self.name, bootstrap)
        }));
        Ok(functions)
    }
}

/// Runs until Ctrl-C, then prints the last counts as JSON.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let functions = arguments.all_functions()?;
    let rules: Vec<Rule> = arguments.faults.as_deref().map(read).transpose()?.unwrap_or_default();
    tokio::runtime::Runtime::new()?.block_on(async {
        let host = LambdaHost::start(arguments.options()).await?;
        functions.into_iter().try_for_each(|function| host.deploy(function))?;
        rules.into_iter().try_for_each(|rule| host.add_fault(rule).map(|_| ()))?;
        announce("lambda host", &host.endpoint(), arguments.address_file.as_deref())?;
        until_stopped().await?;
        println!("{}", serde_json::to_string_pretty(&host.stats())?);
        Ok(())
    })
}

fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    serde_json::from_slice(&bytes).with_context(|| file.display().to_string())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
