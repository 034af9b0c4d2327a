//! Starts the dispatcher's bench and maps its end to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::exit::main(bench::dispatching::cli::run)
}
