//! From cold start to the loop over invocations.

use crate::config::Config;
use crate::dispatcher::Dispatcher;
use crate::handler::handle;
use crate::init_error;
use crate::telemetry::Telemetry;
use lambda_runtime::{Runtime, service_fn};
use runtime::config::environment;
use runtime::exit::Failure;

/// Set by Lambda; lambda_runtime panics without them. Source: Lambda runtime environment variables.
const GIVEN: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// Serves invocations until Lambda ends the process.
///
/// # Errors
/// A wrong configuration (also told to Lambda), or a Runtime API that went away.
pub fn run() -> Result<(), Failure> {
    let variable = |name: &str| environment().find(|(known, _)| known == name).map(|(_, value)| value);
    if let Some(missing) = GIVEN.iter().find(|name| variable(name).is_none_or(|value| value.is_empty())) {
        return Err(Failure::usage(format!("{missing} is not set: bootstrap is started by AWS Lambda, not by hand")));
    }
    let config = Config::from_variables(environment()).inspect_err(|error| {
        let told = init_error::report(&variable(GIVEN[0]).unwrap_or_default(), &error.to_string());
        if let Err(why) = told {
            tracing::warn!(error = %why, "lambda could not be told about the configuration error");
        }
    })?;
    runtime::logs::init(&config.logs);
    let telemetry = Telemetry::start(&config.telemetry, variable(GIVEN[1]).unwrap_or_default())?;
    serve(Dispatcher::told(config, telemetry))
}

/// One thread: an instance has one invocation at a time, and less than one CPU at most memory sizes.
fn serve(dispatcher: Dispatcher) -> Result<(), Failure> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let dispatcher = &dispatcher;
    let handler = service_fn(|event| handle(dispatcher, event));
    tokio.block_on(Runtime::new(handler).run()).map_err(Failure::failed)
}
