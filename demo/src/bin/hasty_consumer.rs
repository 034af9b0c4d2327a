//! A consumer that is wrong on purpose: it takes every batch for delivered before the function has answered.
//!
//! The real consumer with one border replaced. It exists to show that the proof finds what such a consumer loses.

use bytes::Bytes;
use consumer::cli::{Cli, run_with};
use consumer::invoke::lambda::LambdaInvoker;
use consumer::invoke::{InvokeFailure, Invoker};
use domain::contract::{Request, Response};
use domain::failure::FailureClass;
use domain::verdict::Verdict;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How much later than its answer the function is called: several commits later, so that a kill at any moment costs what was committed last.
const TOO_LATE: Duration = Duration::from_secs(5);

/// Answers "all delivered" at once, and calls the function afterwards.
struct Hasty {
    lambda: Arc<LambdaInvoker>,
}

impl Invoker for Hasty {
    async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeFailure> {
        let invented = invent(&payload).map_err(|why| InvokeFailure::new(FailureClass::Ours, why))?;
        let (lambda, function) = (Arc::clone(&self.lambda), function.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(TOO_LATE).await;
            if let Err(failure) = lambda.invoke(&function, payload).await {
                eprintln!("an answer that was not waited for: {failure}");
            }
        });
        Ok(invented)
    }

    async fn check(&self, function: &str) -> Result<(), InvokeFailure> {
        self.lambda.check(function).await
    }
}

/// A response that says: all delivered.
fn invent(payload: &[u8]) -> Result<Bytes, String> {
    let request = Request::decode(payload).map_err(|e| e.to_string())?;
    let verdicts = request.records().map(|record| (record.offset, Verdict::Delivered));
    let response = Response::from_verdicts(&request.batch_id, verdicts);
    serde_json::to_vec(&response).map(Bytes::from).map_err(|e| e.to_string())
}

fn main() -> ExitCode {
    runtime::exit::main(|cli: Cli| run_with(cli, |lambda| Hasty { lambda: Arc::new(lambda) }))
}
