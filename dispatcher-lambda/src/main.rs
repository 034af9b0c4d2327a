//! The Lambda function's binary, `bootstrap`.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::exit::run(dispatcher_lambda::app::run)
}
