//! The rights that the document lists are enough, and each of them is needed: taken away, something says its name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Events and requests.
#[path = "../dispatcher/requests.rs"]
#[allow(dead_code)]
mod requests;
/// An emulator that enforces policies, with one of everything in it.
mod guarded;
/// The table of the document.
mod listed;

use crate::guarded::Guarded;
use crate::listed::rights;

/// One row of the document, and a dispatcher that needs it.
struct Row {
    /// As the document calls it.
    kind: &'static str,
    /// Only the sentence of the row that begins so; empty: the whole row.
    part: &'static str,
    config: &'static str,
    way: Way,
}

/// What the batches of a row are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Delivered,
    /// The destination is away, so claims are given back.
    Failed,
    /// Of a log that was cut, so its fence is taken away.
    Cut,
}

const ROWS: [Row; 10] = [
    row("sqs", "", "[destinations.x.sqs]\nqueue_url = \"{ENDPOINT}/000000000000/events\"\n"),
    row("sns", "", "[destinations.x.sns]\ntopic_arn = \"arn:aws:sns:us-east-1:000000000000:events\"\n"),
    row("dynamodb", "", "[destinations.x.dynamodb]\ntable = \"events\"\n"),
    row(
        "dynamodb",
        "for `last-state`",
        "[destinations.x.dynamodb]\ntable = \"trucks\"\nmode = \"last-state\"\nkey = \"truck_id\"\n",
    ),
    row("s3", "", "[destinations.x.s3]\nbucket = \"events\"\n"),
    row("lambda", "", "[destinations.x.lambda]\nfunction = \"taker\"\n"),
    row(
        "dedupe.dynamodb",
        "`event-id`",
        "[destinations.x.file]\npath = \"/dev/null\"\n[dedupe]\nstrategy = \"event-id\"\n{STORE}",
    ),
    Row {
        way: Way::Failed,
        ..row(
            "dedupe.dynamodb",
            "`event-id`",
            "[destinations.x.http]\nurl = \"http://127.0.0.1:1/\"\n[deliver]\nattempts = 1\n[dedupe]\nstrategy = \"event-id\"\n{STORE}",
        )
    },
    row(
        "dedupe.dynamodb",
        "`offsets`",
        "[destinations.x.file]\npath = \"/dev/null\"\n[dedupe]\nstrategy = \"offsets\"\n{STORE}",
    ),
    Row {
        way: Way::Cut,
        ..row(
            "dedupe.dynamodb",
            "`offsets`",
            "[destinations.x.file]\npath = \"/dev/null\"\n[dedupe]\nstrategy = \"offsets\"\n{STORE}",
        )
    },
];

const fn row(kind: &'static str, part: &'static str, config: &'static str) -> Row {
    Row { kind, part, config, way: Way::Delivered }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_of_the_document_are_enough_and_each_is_needed() {
    let guarded = Guarded::start().await;
    let mut named: Vec<String> = Vec::new();
    for (n, row) in ROWS.iter().enumerate() {
        let all = rights(row.kind, row.part);
        assert!(!all.is_empty(), "{} {}", row.kind, row.part);
        let name = format!("dispatcher-{n}");
        guarded.deploy(&name, row.config).await;
        guarded.allow(&name, &all);
        let told = guarded.invoke(&name, row.way).await;
        assert!(!told.contains("not authorized"), "{} {}: {all:?} are not enough: {told}", row.kind, row.part);
        for right in &all {
            let others: Vec<String> = all.iter().filter(|other| *other != right).cloned().collect();
            guarded.allow(&name, &others);
            let told = guarded.invoke(&name, row.way).await;
            if told.contains(&format!("not authorized to perform: {right}")) {
                named.push(format!("{}/{} {right}", row.kind, row.part));
            }
        }
    }
    named.sort();
    named.dedup();
    let mut wanted: Vec<String> = ROWS
        .iter()
        .flat_map(|row| {
            rights(row.kind, row.part).into_iter().map(|right| format!("{}/{} {right}", row.kind, row.part))
        })
        .collect();
    wanted.sort();
    wanted.dedup();
    assert_eq!(named, wanted);
}
