//! Two hosts with the real `bootstrap` on them, called by the real SDK.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime};
use localenv::aws::Aws;
use localenv::lambda_host::{Function, HostOptions, LambdaHost};
use runtime::aws::{https_client, in_function};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// What a function may take: it answers half a second before.
const TIMEOUT_S: i32 = 3;

/// Both hosts; they end with this value.
pub struct Hosts {
    ours: LambdaHost,
    ministack: Aws,
    package: Vec<u8>,
    _folder: TempDir,
}

/// What the caller of a function gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: i32,
    pub function_error: Option<String>,
    pub body: String,
}

impl Hosts {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let package = package(folder.path());
        let ministack = Aws::start(folder.path()).unwrap();
        let ours = LambdaHost::start(HostOptions::default()).await.unwrap();
        Self { ours, ministack, package, _folder: folder }
    }

    /// A function of this configuration on each host.
    pub async fn deploy(&self, name: &str, config: &str) {
        let mut function = Function::new(name, env!("CARGO_BIN_EXE_bootstrap"));
        function.env.insert("COMBOIO_CONFIG".to_owned(), config.to_owned());
        function.timeout = Duration::from_secs(TIMEOUT_S.unsigned_abs().into());
        self.ours.deploy(function).unwrap();
        let code = FunctionCode::builder().zip_file(Blob::new(self.package.clone())).build();
        let environment = Environment::builder().variables("COMBOIO_CONFIG", config).build();
        let request = client(&self.ministack.endpoint()).create_function().function_name(name).code(code);
        let request = request.runtime(Runtime::Providedal2023).handler("bootstrap").environment(environment);
        let request = request.role("arn:aws:iam::000000000000:role/x").timeout(TIMEOUT_S);
        request.send().await.unwrap();
    }

    /// The names of the hosts and how to reach them.
    pub fn all(&self) -> [(&'static str, Client); 2] {
        [("ours", client(&self.ours.endpoint())), ("ministack", client(&self.ministack.endpoint()))]
    }
}

/// One synchronous invocation.
pub async fn invoke(client: &Client, name: &str, payload: &[u8]) -> Answer {
    let answer = client.invoke().function_name(name).payload(Blob::new(payload)).send().await.unwrap();
    let body = String::from_utf8(answer.payload.unwrap_or_else(|| Blob::new("")).into_inner()).unwrap();
    Answer { status: answer.status_code, function_error: answer.function_error, body }
}

fn client(endpoint: &str) -> Client {
    Client::new(&in_function("us-east-1", Some(endpoint), https_client(), Duration::from_secs(30)))
}

/// The zip that Lambda takes: `bootstrap` and nothing else.
fn package(folder: &Path) -> Vec<u8> {
    let zip = folder.join("package.zip");
    let bootstrap = Path::new(env!("CARGO_BIN_EXE_bootstrap"));
    let made = Command::new("python3").args(["-m", "zipfile", "-c"]).arg(&zip).arg(bootstrap).status().unwrap();
    assert!(made.success());
    std::fs::read(zip).unwrap()
}
