//! An emulator that enforces policies, with one of everything in it, and the dispatcher as a function with a role of its own.

use crate::Way;
use crate::requests::{batch, event};
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, LogType, Runtime};
use localenv::aws::Aws;
use runtime::aws::{https_client, in_function};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const ACCOUNT: &str = "000000000000";

pub struct Guarded {
    aws: Aws,
    sdk: aws_config::SdkConfig,
    package: Vec<u8>,
    /// So that no event is known from before.
    run: Cell<u64>,
    _folder: TempDir,
}

impl Guarded {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let aws = Aws::guarded(folder.path()).unwrap();
        let sdk = in_function("us-east-1", Some(&aws.endpoint()), https_client(), Duration::from_secs(30));
        let package = package(folder.path(), "package", Path::new(env!("CARGO_BIN_EXE_bootstrap")));
        let guarded = Self { aws, sdk, package, run: Cell::new(0), _folder: folder };
        guarded.make_one_of_everything().await;
        guarded
    }

    async fn make_one_of_everything(&self) {
        aws_sdk_sqs::Client::new(&self.sdk).create_queue().queue_name("events").send().await.unwrap();
        aws_sdk_sns::Client::new(&self.sdk).create_topic().name("events").send().await.unwrap();
        aws_sdk_s3::Client::new(&self.sdk).create_bucket().bucket("events").send().await.unwrap();
        for (table, key) in [("events", "id"), ("trucks", "truck_id"), ("dedupe", "pk")] {
            let attribute = AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S);
            let schema = KeySchemaElement::builder().attribute_name(key).key_type(KeyType::Hash);
            let request = aws_sdk_dynamodb::Client::new(&self.sdk).create_table().table_name(table);
            let request = request.billing_mode(BillingMode::PayPerRequest);
            let request = request.attribute_definitions(attribute.build().unwrap()).key_schema(schema.build().unwrap());
            request.send().await.unwrap();
        }
        let source = self._folder.path().join("index.py");
        std::fs::write(&source, "def handler(request, context):\n    return None\n").unwrap();
        let taker = package(self._folder.path(), "taker", &source);
        self.role("taker");
        self.function("taker", taker, (Runtime::Python311, "index.handler"), "").await;
    }

    /// The dispatcher as a function of this name, with a role of its name that may do nothing.
    pub async fn deploy(&self, name: &str, config: &str) {
        let endpoint = self.aws.endpoint();
        let store = format!("[dedupe.dynamodb]\ntable = \"dedupe\"\nendpoint_url = \"{endpoint}\"\n");
        let place = format!("endpoint_url = \"{endpoint}\"\n");
        // Every destination on AWS is the emulator's.
        let local = !config.contains(".http]") && !config.contains(".file]");
        let config = config.replace("{ENDPOINT}", &endpoint).replace("{STORE}", &store);
        let config = if local { format!("{config}{place}") } else { config };
        self.role(name);
        self.function(name, self.package.clone(), (Runtime::Providedal2023, "bootstrap"), &config).await;
    }

    async fn function(&self, name: &str, package: Vec<u8>, (runtime, handler): (Runtime, &str), config: &str) {
        let code = FunctionCode::builder().zip_file(Blob::new(package)).build();
        let environment = Environment::builder().variables("COMBOIO_CONFIG", config).build();
        let request = aws_sdk_lambda::Client::new(&self.sdk).create_function().function_name(name).code(code);
        let request = request.runtime(runtime).handler(handler).environment(environment).timeout(10);
        request.role(format!("arn:aws:iam::{ACCOUNT}:role/{name}")).send().await.unwrap();
    }

    /// What the function answers to a batch of new events, and the end of its log.
    pub async fn invoke(&self, name: &str, way: Way) -> String {
        self.run.set(self.run.get() + 1);
        let values = [event(&format!("BR{:05}", self.run.get()), 1)];
        let mut head = batch(&[]).head().clone();
        (head.log, head.since) = (Some(format!("log-{}", self.run.get())), Some(domain::offset::Offset(100)));
        if way == Way::Cut {
            self.keep_fence().await;
            head.log = None;
        }
        let mut batch = domain::contract::OpenBatch::new(head, usize::MAX);
        batch.push(domain::offset::Offset(100), 1_763_701_200_123, values[0].as_bytes());
        let request = aws_sdk_lambda::Client::new(&self.sdk).invoke().function_name(name).log_type(LogType::Tail);
        let answer = request.payload(Blob::new(batch.request(1, None))).send().await.unwrap();
        let body = String::from_utf8(answer.payload.unwrap().into_inner()).unwrap();
        assert_eq!(answer.function_error, None, "{body}");
        let log = base64(&answer.log_result.unwrap_or_default());
        if way != Way::Failed && !format!("{body}{log}").contains("not authorized") {
            assert!(body.replace(' ', "").contains("\"delivered\":1"), "{name}: {body}");
        }
        format!("{body}\n{log}")
    }

    /// There is a fence of the lane whose batches are brought.
    async fn keep_fence(&self) {
        let put = aws_sdk_dynamodb::Client::new(&self.sdk).put_item().table_name("dedupe");
        let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let fence = text("{\"log\":\"cut\",\"from\":0,\"next\":900}");
        put.item("pk", text("fence/mt-c400/3/0/1/0/cg")).item("fence", fence).send().await.unwrap();
    }

    fn role(&self, name: &str) {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        self.iam(&[("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", trust)]);
    }

    /// These rights and no others.
    pub fn allow(&self, name: &str, rights: &[String]) {
        let rights: Vec<&str> = rights.iter().flat_map(|right| asked_for(right)).collect();
        let statement = serde_json::json!({"Effect": "Allow", "Action": rights, "Resource": "*"});
        let none = serde_json::json!({"Effect": "Deny", "Action": "iam:*", "Resource": "*"});
        let statements = if rights.is_empty() { vec![none] } else { vec![statement] };
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        self.iam(&[("Action", "PutRolePolicy"), ("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", &policy)]);
    }

    /// A request to IAM, which is not worth a client of its own.
    fn iam(&self, form: &[(&str, &str)]) {
        let form = form.iter().chain(&[("Version", "2010-05-08")]);
        let body: Vec<String> = form.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let (body, endpoint) = (body.join("&"), self.aws.endpoint());
        let address = endpoint.trim_start_matches("http://");
        let scope =
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0";
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "POST / HTTP/1.0\r\nhost: {address}\r\nauthorization: {scope}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.split(' ').nth(1), Some("200"), "{answer}");
    }
}

/// What the emulator asks for where AWS asks for `right`. Batches need the right of a single message on AWS (SQS developer guide, "Amazon SQS API
/// permissions"; SNS API reference, `PublishBatch`); the emulator has names of its own for them.
fn asked_for(right: &str) -> Vec<&str> {
    match right {
        "sqs:SendMessage" => vec![right, "sqs:SendMessageBatch"],
        "sns:Publish" => vec![right, "sns:PublishBatch"],
        other => vec![other],
    }
}

fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The text behind base64.
fn base64(text: &str) -> String {
    let decoded = aws_smithy_types::base64::decode(text).unwrap();
    String::from_utf8_lossy(&decoded).into_owned()
}

fn package(folder: &Path, name: &str, what: &Path) -> Vec<u8> {
    let zip = folder.join(format!("{name}.zip"));
    let made = Command::new("python3").args(["-m", "zipfile", "-c"]).arg(&zip).arg(what).status().unwrap();
    assert!(made.success());
    std::fs::read(zip).unwrap()
}
