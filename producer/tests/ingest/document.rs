//! schemas/ingest.openapi.json as the judge of every answer.

use crate::client::Reply;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../schemas/ingest.openapi.json")).expect("the document is JSON")
});

/// The answers to paths and methods that the document does not have: where it says them, and their status.
const OTHERS: [(&str, u16); 2] = [("NotFound", 404), ("MethodNotAllowed", 405)];

/// Fails unless the document describes this answer: its status, its headers, its body. The admin port is not its matter.
pub fn check(method: &str, path: &str, reply: &Reply) {
    if !path.starts_with("/v1/") {
        return;
    }
    let (known, operation) = (&DOCUMENT["paths"][path], &DOCUMENT["paths"][path][method]);
    let (other, status) = OTHERS[usize::from(!known.is_null())];
    let response = match operation.is_null() {
        true if reply.status == status => &DOCUMENT["components"]["responses"][other],
        true => &Value::Null,
        false => &operation["responses"][reply.status.to_string()],
    };
    assert!(!response.is_null(), "{method} {path} answers {}, which the document does not know", reply.status);
    let content = &reply.headers["content-type"];
    valid(&response["content"][content]["schema"], &reply.json(), &format!("{method} {path} {}", reply.status));
    for name in response["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
        let header = &DOCUMENT["components"]["headers"][name];
        let value = reply.headers.get(&name.to_lowercase());
        let value = value.unwrap_or_else(|| panic!("{name} is missing with {}", reply.status));
        valid(&header["schema"], &json!(value), name);
    }
}

/// A schema of the document, which may refer to its components.
fn valid(schema: &Value, value: &Value, what: &str) {
    assert!(schema.is_object(), "{what} has no schema");
    let mut schema = schema.clone();
    schema["components"] = DOCUMENT["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(faults.is_empty(), "{what}: {value}: {faults:?}");
}

/// Every answer of the document: path (empty for those to other paths and methods), status.
pub fn promised() -> BTreeSet<(String, u16)> {
    let mut all = BTreeSet::new();
    for (path, operations) in DOCUMENT["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            let statuses = operation["responses"].as_object().unwrap().keys();
            all.extend(statuses.map(|status| (path.clone(), status.parse().unwrap())));
        }
    }
    let others = DOCUMENT["components"]["responses"].as_object().unwrap().keys().map(String::as_str);
    assert_eq!(others.collect::<BTreeSet<_>>(), OTHERS.map(|(name, _)| name).into());
    all.extend(OTHERS.map(|(_, status)| (String::new(), status)));
    all
}

/// Every reason word of the document.
pub fn reasons() -> BTreeSet<String> {
    let schemas = &DOCUMENT["components"]["schemas"];
    let words = ["Refused", "Unsettled"].map(|name| schemas[name]["properties"]["reason"]["enum"].as_array().unwrap());
    words.into_iter().flatten().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_judge_refuses_what_the_document_does_not_say() {
    let reply = |status, body: &str| Reply {
        status,
        headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
        body: body.into(),
    };
    let taken = r#"{"accepted":1,"acknowledged":1,"spooled":0,"dead_lettered":0,"bad_lines":[]}"#;
    let judged = |reply: Reply| std::panic::catch_unwind(|| check("post", "/v1/events", &reply)).is_ok();
    assert!(judged(reply(202, taken)));
    assert!(!judged(reply(299, taken)));
    let gone =
        std::panic::catch_unwind(|| check("get", "/v1/nothing", &reply(405, r#"{"reason":"path","error":"x"}"#)));
    assert!(gone.is_err(), "another path is 404");
    assert!(!judged(reply(202, &taken.replace("\"accepted\":1,", ""))));
    assert!(!judged(reply(202, &taken.replace("\"accepted\"", "\"more\":1,\"accepted\""))));
    assert!(!judged(reply(429, r#"{"reason":"rate-limit","error":"x"}"#)), "without Retry-After");
}
