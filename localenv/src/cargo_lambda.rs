//! cargo-lambda, which `ci/setup` installs: deploys a packaged function and invokes it, on an emulator of AWS alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::installed::Programs;
use crate::process::Guarded;

const PROGRAMS: Programs = Programs {
    name: "lambda",
    title: "cargo-lambda",
    list: include_str!("cargo_lambda/requirements.txt"),
    list_path: "localenv/src/cargo_lambda/requirements.txt",
    first: "cargo-lambda",
};

/// The emulator does not look at it, but it must have the form.
const ROLE: &str = "arn:aws:iam::000000000000:role/dispatcher";
/// cargo-lambda reads the manifest of the folder it stands in.
const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// A dev binary of 30 MB takes two seconds to be zipped; a busy machine takes its time.
const DEADLINE: Duration = Duration::from_secs(120);
const LINES_IN_ERRORS: usize = 15;

/// cargo-lambda in front of one emulator.
#[derive(Debug)]
pub struct CargoLambda {
    program: PathBuf,
    endpoint: String,
    folder: PathBuf,
}

impl CargoLambda {
    /// `endpoint` is the emulator's; what cargo-lambda says goes to files in `folder`.
    ///
    /// # Errors
    /// It is not installed; the text says how to.
    pub fn at(endpoint: &str, folder: &Path) -> anyhow::Result<Self> {
        let program = PROGRAMS.path("cargo-lambda")?;
        Ok(Self { program, endpoint: endpoint.to_owned(), folder: folder.to_owned() })
    }

    /// `cargo lambda deploy`: makes the function `name`, or replaces it, with these environment variables. `packages` holds
    /// `bootstrap/bootstrap.zip`, which is taken as it is, or `bootstrap/bootstrap`, which is zipped. Blocks, some seconds.
    ///
    /// # Errors
    /// What cargo-lambda says.
    pub fn deploy(&self, name: &str, packages: &Path, variables: &[(&str, &str)]) -> anyhow::Result<()> {
        let mut command = self.command("deploy");
        command.args(["--role", ROLE, "--timeout", "30", "--memory", "128", "--binary-name", "bootstrap"]);
        command.arg("--lambda-dir").arg(std::path::absolute(packages)?);
        for (variable, value) in variables {
            command.args(["--env-var", &format!("{variable}={value}")]);
        }
        command.arg(name);
        self.run("deploy", command).map(drop)
    }

    /// `cargo lambda invoke --remote` with the file `request` as payload: the function's answer. Blocks.
    ///
    /// # Errors
    /// What cargo-lambda says; so it does when the function answers with an error.
    pub fn invoke(&self, name: &str, request: &Path) -> anyhow::Result<String> {
        let mut command = self.command("invoke");
        command.arg("--remote").arg("--data-file").arg(std::path::absolute(request)?).arg(name);
        self.run("invoke", command)
    }

    /// Nothing of the user's own AWS settings, so that it cannot end up in an account.
    fn command(&self, what: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["lambda", what, "--endpoint-url", &self.endpoint]).current_dir(CHECKOUT);
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"] {
            command.env_remove(name);
        }
        for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            command.env(name, "/dev/null");
        }
        command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local").env("AWS_REGION", "us-east-1");
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("DO_NOT_TRACK", "1");
        command
    }

    /// What it printed.
    fn run(&self, what: &str, command: Command) -> anyhow::Result<String> {
        let log = tempfile::Builder::new().prefix(&format!("cargo-lambda-{what}-")).tempfile_in(&self.folder)?;
        let title = format!("cargo lambda {what}");
        let mut process = Guarded::spawn(&title, command, log.path())?;
        let how = match process.wait_exit(DEADLINE)? {
            Some(status) if status.success() => {
                return fs::read_to_string(log.path()).with_context(|| format!("what {title} printed"));
            }
            Some(status) => format!("ended with {status}"),
            None => format!("did not end within {DEADLINE:?}"),
        };
        bail!("{title} {how}; its last lines:\n{}", process.log_tail(LINES_IN_ERRORS));
    }
}
