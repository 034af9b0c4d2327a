//! Lambda: a function that writes down what it gets.

use crate::cloud::{cloud, sdk};
use crate::convoy::{DELIVER, bring, dispatcher, events};
use crate::held::bring_through_faults;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes down every event, fails on command, and names what it was told to name.
const FUNCTION: &str = r#"
import json, os

def handler(request, context):
    texts = [json.dumps(event, separators=(",", ":"), ensure_ascii=False) for event in request["events"]]
    if any('"fail"' in text for text in texts):
        raise ValueError("told to fail")
    bad = [offset for offset, text in zip(request["offsets"], texts) if '"later"' in text]
    with open(os.environ["BOOK"], "a") as book:
        book.write("".join(text + "\n" for text in texts if '"later"' not in text))
    return {"batchItemFailures": [{"itemIdentifier": str(offset)} for offset in bad]}
"#;

/// Makes the function; gives the file into which it writes.
async fn function(name: &str, folder: &Path) -> PathBuf {
    let (source, package, book) = (folder.join("index.py"), folder.join("package.zip"), folder.join("book"));
    std::fs::write(&source, FUNCTION).unwrap();
    let zip = Command::new("python3").args(["-m", "zipfile", "-c"]).arg(&package).arg(&source).status().unwrap();
    assert!(zip.success());
    let client = Client::new(&sdk());
    let code = FunctionCode::builder().zip_file(Blob::new(std::fs::read(package).unwrap())).build();
    let environment = Environment::builder().variables("BOOK", book.display().to_string()).build();
    let request = client.create_function().function_name(name).runtime(Runtime::Python311).handler("index.handler");
    let request = request.role("arn:aws:iam::000000000000:role/x").timeout(30).environment(environment).code(code);
    request.send().await.unwrap();
    book
}

fn destination(name: &str, more: &str, endpoint: &str) -> String {
    format!(
        "[destinations.function.lambda]\nfunction = \"{name}\"\nendpoint_url = \"{endpoint}\"\nbatch.records = 100\n{more}"
    )
}

fn written(book: &Path) -> Vec<String> {
    std::fs::read_to_string(book).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_function_gets_everything() {
    let folder = tempfile::tempdir().unwrap();
    let book = function("everything", folder.path()).await;
    let brought = bring_through_faults("lambda", &destination("everything", "", &cloud().faulty_endpoint())).await;
    brought.is_held_by(&written(&book));
}

#[tokio::test]
async fn what_the_function_names_comes_again_and_a_failure_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let book = function("choosy", folder.path()).await;
    let dispatcher = dispatcher(&format!("{}{DELIVER}", destination("choosy", "", &cloud().endpoint())));
    let mut values = events("choosy", 20);
    values[3] = values[3].replace("\"v\":1", "\"v\":1,\"note\":\"later\"");
    let records: Vec<(i64, &str)> = (0..).zip(values.iter().map(String::as_str)).collect();
    let judgement = bring(&dispatcher, &records, 1).await;
    assert_eq!(judgement.delivered, 19);
    assert_eq!((judgement.retry[0].offset.0, judgement.retry[0].reason.as_str()), (3, "transient"));
    assert_eq!(written(&book).len(), 19);

    values[3] = values[3].replace("later", "fail");
    let judgement = bring(&dispatcher, &[(3, values[3].as_str())], 1).await;
    assert_eq!(judgement.retry[0].reason, "function-error");
    assert!(judgement.retry[0].detail.contains("told to fail"), "{}", judgement.retry[0].detail);
}

#[tokio::test]
async fn asynchronously_the_function_gets_it_later() {
    let folder = tempfile::tempdir().unwrap();
    let book = function("later", folder.path()).await;
    let more = "invocation = \"asynchronous\"\n";
    let dispatcher = dispatcher(&format!("{}{DELIVER}", destination("later", more, &cloud().endpoint())));
    let values = events("later", 50);
    let records: Vec<(i64, &str)> = (0..).zip(values.iter().map(String::as_str)).collect();
    assert_eq!(bring(&dispatcher, &records, 1).await.delivered, 50);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while std::fs::read_to_string(&book).is_ok_and(|text| text.lines().count() == 50).eq(&false) {
        assert!(std::time::Instant::now() < end, "the function has not run");
        tokio::task::yield_now().await;
    }
}
