//! The environment that AWS gives to a `provided.al2023` function.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>. Credentials are made up: they are there because the
//! AWS SDKs in a function look for them.

use super::super::function::{Function, REGION, VERSION};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// The command that starts the function's process.
pub fn command(function: &Function, runtime_api: SocketAddr) -> Command {
    let task_root = function.bootstrap.parent().filter(|path| path.is_dir()).unwrap_or(Path::new("/"));
    let mut command = Command::new(&function.bootstrap);
    command.current_dir(task_root).env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string())
        .env("AWS_LAMBDA_FUNCTION_VERSION", VERSION)
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/[{VERSION}]{}", runtime_api.port()))
        .env("LAMBDA_TASK_ROOT", task_root)
        .env("LAMBDA_RUNTIME_DIR", "/var/runtime")
        .env("_HANDLER", "bootstrap")
        .env("LANG", "en_US.UTF-8")
        .env("TZ", ":UTC");
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        command.env(name, REGION);
    }
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        command.env(name, "local");
    }
    command.envs(&function.env);
    command
}
