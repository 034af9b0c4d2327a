//! `comboio-localenv`: starts one part of the local environment and keeps it up until Ctrl-C.

mod commands;

use std::process::ExitCode;

use clap::Parser;

use commands::Command;

/// Kafka, Lambda and a collector on this machine, for trying Comboio out.
#[derive(Parser)]
#[command(name = "comboio-localenv", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const FAILED: u8 = 1;
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(refusal) => return refused(&refusal),
    };
    match commands::run(line.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// `--help` and `--version` are answers, everything else that clap refuses is bad usage.
fn refused(refusal: &clap::Error) -> ExitCode {
    let usage = refusal.use_stderr();
    if refusal.print().is_err() || usage { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}
