//! Starts the producer and maps its end to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::exit::main(producer::cli::run)
}
