//! The real binary as AWS gets it: zipped and deployed by cargo-lambda, and invoked by it with requests of the contract.

use crate::cloud::cloud;
use localenv::cargo_lambda::CargoLambda;
use serde_json::Value;
use std::path::{Path, PathBuf};

const DESTINATION: &str = "COMBOIO_DESTINATIONS__SINK__FILE__PATH";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/fixtures/contract").join(name)
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A folder of packages as cargo-lambda builds it.
fn packages(folder: &Path) -> PathBuf {
    let packages = folder.join("packages");
    std::fs::create_dir_all(packages.join("bootstrap")).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_bootstrap"), packages.join("bootstrap/bootstrap")).unwrap();
    packages
}

fn lines(sink: &Path) -> usize {
    std::fs::read_to_string(sink).unwrap().lines().count()
}

#[test]
fn deployed_by_cargo_lambda_it_answers_as_the_contract_says() {
    let folder = tempfile::tempdir().unwrap();
    let (packages, sink) = (packages(folder.path()), folder.path().join("sink.ndjson"));
    let lambda = CargoLambda::at(&cloud().endpoint(), folder.path()).unwrap();
    lambda.deploy("deployed", &packages, &[(DESTINATION, sink.to_str().unwrap())]).unwrap();
    let mut delivered = 0;
    for name in ["mixed", "one"] {
        let answer = lambda.invoke("deployed", &fixture(&format!("{name}.request.json"))).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer, read(&fixture(&format!("{name}.response.json"))), "{name}");
        delivered += answer["delivered"].as_u64().unwrap();
        assert_eq!(lines(&sink) as u64, delivered, "{name}");
    }
    let refused = lambda.invoke("deployed", &fixture("version.bad-request.json")).unwrap_err().to_string();
    let error = read(&fixture("version.error.json"));
    for part in ["errorType", "errorMessage"] {
        assert!(refused.contains(error[part].as_str().unwrap()), "{part} of {error} is not in {refused}");
    }

    // Deployed anew it takes its new settings; what it remembered is gone with the old process.
    let other = folder.path().join("other.ndjson");
    lambda.deploy("deployed", &packages, &[(DESTINATION, other.to_str().unwrap())]).unwrap();
    lambda.invoke("deployed", &fixture("one.request.json")).unwrap();
    assert_eq!((lines(&other), lines(&sink) as u64), (1, delivered));
}

#[test]
fn a_wrong_configuration_is_said_to_who_invokes_it() {
    let folder = tempfile::tempdir().unwrap();
    let lambda = CargoLambda::at(&cloud().endpoint(), folder.path()).unwrap();
    lambda.deploy("wrong", &packages(folder.path()), &[(DESTINATION, "/no/such/folder/sink")]).unwrap();
    let refused = lambda.invoke("wrong", &fixture("one.request.json")).unwrap_err().to_string();
    assert!(refused.contains("cannot be opened for appending"), "{refused}");
}
