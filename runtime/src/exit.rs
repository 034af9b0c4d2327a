//! The life of `main`: command line, run, one error line, exit code.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::config::ConfigError;
use crate::logs::{self, causes};

pub use crate::logs::chain;

/// How a process of ours ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// Failed at run time: the surroundings (broker unreachable, TLS refused, topic missing).
    Failed = 1,
    /// Bad configuration or usage: all that can be seen wrong without the network.
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a run ended early, and with which exit code. Made from any error by `?`: [`Exit::Usage`] when a
/// [`ConfigError`] is in its chain of causes, else [`Exit::Failed`].
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// Ends with a code of the caller's choice; takes a sentence or an error.
    pub fn new(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit, error: error.into() }
    }

    /// Failed at run time; takes a sentence or an error.
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Exit::Failed, error)
    }

    /// Bad configuration or usage; takes a sentence or an error.
    pub fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Exit::Usage, error)
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let usage = |cause: &(dyn Error + 'static)| cause.downcast_ref().is_some_and(ConfigError::is_usage);
        let exit = if causes(&error).any(usage) { Exit::Usage } else { Exit::Failed };
        Self { exit, error: Box::new(error) }
    }
}

/// The error and its causes in one line, as [`chain`] writes it.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self.error.as_ref()))
    }
}

/// Parses the command line and runs: `fn main() -> ExitCode { exit::main(app::run) }`. A wrong command line exits 64,
/// `--help` and `--version` 0.
pub fn main<Cli: Parser>(run: impl FnOnce(Cli) -> Result<(), Failure>) -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => self::run(|| run(cli)),
        Err(error) => {
            // Nothing can be done about a closed standard error here.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() }
        }
    }
}

/// Runs, prints one `error: ...` line (a JSON log line when logs are JSON) and maps to the exit code.
pub fn run(main: impl FnOnce() -> Result<(), Failure>) -> ExitCode {
    match main() {
        Ok(()) => Exit::Ok.into(),
        Err(failure) => {
            tell(&failure);
            failure.exit.into()
        }
    }
}

fn tell(failure: &Failure) {
    if logs::are_json() {
        tracing::error!(error = %failure, exit_code = failure.exit as u8, "ended with an error");
    } else {
        // Nothing can be done about a closed standard error here.
        let _ = writeln!(io::stderr(), "error: {failure}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the producer cannot start")]
    struct Wrapped(#[source] ConfigError);

    fn ends(with: Failure) -> (Exit, String) {
        (with.exit(), with.to_string())
    }

    #[test]
    fn a_configuration_error_anywhere_in_the_chain_is_bad_usage() {
        let error = ConfigError::other("profile hot.toml is missing");
        assert_eq!(ends(error.clone().into()), (Exit::Usage, "profile hot.toml is missing".to_owned()));
        let wrapped = "the producer cannot start: profile hot.toml is missing".to_owned();
        assert_eq!(ends(Wrapped(error).into()), (Exit::Usage, wrapped));
    }

    #[test]
    fn any_other_error_failed_at_run_time() {
        let elsewhere = ConfigError::Surroundings("s3://bucket/key cannot be reached".to_owned());
        assert_eq!(ends(elsewhere.into()).0, Exit::Failed, "not the configuration's fault");
        let error = std::io::Error::other("broker unreachable");
        assert_eq!(ends(error.into()), (Exit::Failed, "broker unreachable".to_owned()));
        assert_eq!(ends(Failure::failed("two events lost")), (Exit::Failed, "two events lost".to_owned()));
        assert_eq!(ends(Failure::usage("--rate is zero")), (Exit::Usage, "--rate is zero".to_owned()));
    }

    #[test]
    fn exit_codes_are_those_that_are_documented() {
        assert_eq!([Exit::Ok as u8, Exit::Failed as u8, Exit::Usage as u8], [0, 1, 64]);
    }
}
