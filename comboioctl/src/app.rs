//! Runs a command and maps its end to an exit code.

use crate::answer::Answer;
use crate::cli::{Cli, Command, TopicsCommand};
use crate::{certs, lag, topics};
use clap::Parser;
use runtime::exit::{Exit, Failure};
use std::io::Write;
use std::process::ExitCode;

/// Something was found that needs a person. The other codes are those of every Comboio process.
const FINDING: u8 = 2;

/// Parses the command line and runs it; standard output has the answer, standard error one line if there is none.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing can be done about a closed terminal here.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    match answer(&cli).and_then(|answer| answer.print(cli.json).map(|()| answer.finding)) {
        Ok(false) => Exit::Ok.into(),
        Ok(true) => ExitCode::from(FINDING),
        Err(failure) => {
            // Nothing can be done about a closed terminal here either.
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            failure.exit().into()
        }
    }
}

fn answer(cli: &Cli) -> Result<Answer, Failure> {
    let connection = &cli.connection;
    match &cli.command {
        Command::Certs(args) => certs::run(connection, args),
        Command::Topics(TopicsCommand::List) => topics::list(connection),
        Command::Topics(TopicsCommand::Plan(file)) => topics::plan(connection, file),
        Command::Topics(TopicsCommand::Apply(args)) => topics::apply(connection, args),
        Command::Lag(args) => lag::run(connection, args),
    }
}
