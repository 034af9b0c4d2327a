//! Starts the bench and maps its end to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::exit::main(bench::cli::run)
}
