//! The subcommands of `comboio-localenv`: each has an `Arguments` struct and a blocking `run`.

mod standing;

mod collector;
mod kafka;
mod lambda_host;

use clap::Subcommand;

/// What can be started.
#[derive(Subcommand)]
pub enum Command {
    /// Real Apache Kafka with mutual TLS and ACLs, one or three brokers.
    Kafka(kafka::Arguments),
    /// A Lambda host that runs a real `bootstrap` binary.
    LambdaHost(lambda_host::Arguments),
    /// An HTTP destination that counts what it receives.
    Collector(collector::Arguments),
}

/// Runs one subcommand until it ends or Ctrl-C.
pub fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Kafka(arguments) => kafka::run(&arguments),
        Command::LambdaHost(arguments) => lambda_host::run(&arguments),
        Command::Collector(arguments) => collector::run(&arguments),
    }
}
