//! `comboio-localenv collector`.

use super::standing::{announce, until_stopped};
use localenv::collector::{Collector, CollectorOptions};
use std::path::PathBuf;

/// Options of this subcommand.
#[derive(clap::Args)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Write every event that is taken down here, one a line, in order of arrival.
    #[arg(long)]
    file: Option<PathBuf>,
    /// Test only: answer 2xx for every n-th event and lose it.
    #[arg(long, value_name = "N")]
    forget_every: Option<u64>,
    /// Write the endpoint here once it listens.
    #[arg(long)]
    address_file: Option<PathBuf>,
}

/// Runs until Ctrl-C, then prints the last snapshot as JSON.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let options = CollectorOptions {
            port: arguments.port,
            file: arguments.file.clone(),
            forget_every: arguments.forget_every,
        };
        let collector = Collector::start_with(options).await?;
        announce("collector", &collector.endpoint(), arguments.address_file.as_deref())?;
        until_stopped().await?;
        println!("{}", serde_json::to_string_pretty(&collector.snapshot())?);
        Ok(())
    })
}
