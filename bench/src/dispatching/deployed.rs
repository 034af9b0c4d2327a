//! The package on an emulator of AWS: deployed and invoked by cargo-lambda, as one would on AWS.

use anyhow::{Context, Result, ensure};
use localenv::aws::Aws;
use localenv::cargo_lambda::CargoLambda;
use serde::Serialize;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// Requests and the answers that belong to them.
const CONTRACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../domain/fixtures/contract");
const NAME: &str = "dispatcher";
/// Where the file destination writes; the settings have their defaults beside it.
const DESTINATION: &str = "COMBOIO_DESTINATIONS__SINK__FILE__PATH";

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Deployed {
    pub deploy_seconds: f64,
    pub invoke_seconds: f64,
    /// The answer to the contract's request `mixed`, which is the one that belongs to it.
    pub answer: Value,
}

/// Deploys `packages`, a folder with `bootstrap/bootstrap.zip`, and invokes it once.
///
/// # Errors
/// Emulator or cargo-lambda are not installed or fail, the answer is another one, or what was delivered is not there.
pub fn run(packages: &Path, folder: &Path) -> Result<Deployed> {
    let aws = Aws::start(&folder.join("aws"))?;
    let lambda = CargoLambda::at(&aws.endpoint(), folder)?;
    let sink = folder.join("sink.ndjson");
    let start = Instant::now();
    lambda.deploy(NAME, packages, &[(DESTINATION, &sink.display().to_string())])?;
    let deploy_seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let answer = lambda.invoke(NAME, &Path::new(CONTRACT).join("mixed.request.json"))?;
    let invoke_seconds = start.elapsed().as_secs_f64();
    let answer: Value = serde_json::from_str(&answer).with_context(|| format!("the function's answer {answer}"))?;
    let expected: Value = serde_json::from_str(&fs::read_to_string(format!("{CONTRACT}/mixed.response.json"))?)?;
    ensure!(answer == expected, "the function answers {answer} where the contract has {expected}");
    let lines = fs::read_to_string(&sink).context("what was delivered")?.lines().count() as u64;
    ensure!(
        Some(lines) == answer["delivered"].as_u64(),
        "{lines} events are at the destination, the answer is {answer}"
    );
    Ok(Deployed { deploy_seconds, invoke_seconds, answer })
}
