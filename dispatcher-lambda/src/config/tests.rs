//! The configuration from variables and text, and every mistake by its name.

use super::Config;
use crate::dedupe::Dedupe;
use crate::record::Need;
use domain::key::KeyStrategy;
use std::time::Duration;

fn from(variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::from_variables(variables).map_err(|error| error.to_string())
}

fn inline(toml: &str) -> Result<Config, String> {
    from(&[("COMBOIO_CONFIG", toml), ("PATH", "/bin")])
}

const COLLECTOR: &str = "[destinations.collector.http]\nurl = \"http://127.0.0.1:1/v1/deliveries\"\n";

#[test]
fn one_variable_is_enough() {
    let config = from(&[("COMBOIO_DESTINATIONS__COLLECTOR__HTTP__URL", "http://127.0.0.1:1/")]).unwrap();
    assert_eq!(config.destinations[0].name, "collector");
    assert_eq!(config.rules[0].to, [(0, Need::Required)]);
    assert!(config.rules[0].codigos.contains(300));
    assert_eq!(config.key, KeyStrategy::HashCodigoTruck);
}

#[test]
fn variables_win_over_the_text() {
    let text = format!("{COLLECTOR}[deliver]\nattempts = 7\nmargin = \"1s\"\n[order]\nkey = \"truck-id\"\n");
    let config = from(&[
        ("COMBOIO_CONFIG", &text),
        ("COMBOIO_DELIVER__ATTEMPTS", "2"),
        ("COMBOIO_DESTINATIONS__COLLECTOR__HTTP__BATCH__RECORDS", "100"),
    ])
    .unwrap();
    assert_eq!((config.policy.attempts, config.margin), (2, Duration::from_secs(1)));
    assert_eq!(config.destinations[0].destination.limits().records, 100);
    assert_eq!(config.key, KeyStrategy::TruckId);
}

#[test]
fn the_text_may_stand_in_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), COLLECTOR).unwrap();
    let config = from(&[("COMBOIO_CONFIG", &file.path().display().to_string())]).unwrap();
    assert_eq!(config.destinations.len(), 1);
}

#[test]
fn routes_name_destinations() {
    let dir = tempfile::tempdir().unwrap();
    let audit = dir.path().join("audit.ndjson");
    let text = format!(
        "{COLLECTOR}[destinations.audit.file]\npath = \"{}\"\nsync = \"each-batch\"\n
        [[routes]]\ncodigos = \"911,100-199\"\ntopics = [\"mt-c300\"]\nrequired = [\"collector\", \"audit\"]\n
        [[routes]]\nrequired = [\"collector\"]\noptional = [\"audit\"]\n",
        audit.display()
    );
    let config = inline(&text).unwrap();
    assert_eq!(config.rules[0].to, [(1, Need::Required), (0, Need::Required)]);
    assert_eq!(config.rules[1].to, [(1, Need::Required), (0, Need::Optional)]);
    assert_eq!(config.rules[0].topics, ["mt-c300"]);
}

#[test]
fn every_kind_of_destination_is_known_by_its_table() {
    let endpoint = "endpoint_url = \"http://127.0.0.1:1\"\n";
    let text = format!(
        "[destinations.a.sqs]\nqueue_url = \"http://127.0.0.1:1/000000000000/events.fifo\"\n{endpoint}
        [destinations.b.sns]\ntopic_arn = \"arn:aws:sns:sa-east-1:000000000000:events\"\nbatch.records = 20
        [destinations.c.dynamodb]\ntable = \"events\"\nmode = \"last-state\"\nkey = \"truck_id\"\n{endpoint}
        [destinations.d.s3]\nbucket = \"events\"\ncompression = \"gzip\"\n{endpoint}
        [destinations.e.lambda]\nfunction = \"events:live\"\ninvocation = \"asynchronous\"\n{endpoint}{COLLECTOR}"
    );
    let config = inline(&text).unwrap();
    let names: Vec<&str> = config.destinations.iter().map(|named| named.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "collector", "d", "e"]);
    assert_eq!(config.destinations[1].destination.limits().records, 20);
}

#[test]
fn every_strategy_has_every_store() {
    let stores = [
        "",
        "[dedupe.redis]\nurl = \"rediss://user:hush@cache.example.com:6379/0\"\n",
        "[dedupe.dynamodb]\ntable = \"dedupe\"\nregion = \"sa-east-1\"\n",
    ];
    for (strategy, store) in ["event-id", "offsets"].iter().flat_map(|strategy| stores.map(|store| (strategy, store))) {
        let config = inline(&format!("{COLLECTOR}[dedupe]\nstrategy = \"{strategy}\"\n{store}"));
        let built = config.map(|config| match config.dedupe {
            Dedupe::None => "none",
            Dedupe::EventId { .. } => "event-id",
            Dedupe::Offsets { .. } => "offsets",
        });
        assert_eq!(built, Ok(*strategy), "{store}");
    }
}

/// Every example of the document starts as it stands there; only its file is elsewhere.
#[test]
fn the_examples_of_the_document_are_configurations() {
    let dir = tempfile::tempdir().unwrap();
    let audit = dir.path().join("events.ndjson").display().to_string();
    let document = include_str!("../../../docs/dispatcher.md").replace("/mnt/audit/events.ndjson", &audit);
    let examples: Vec<&str> = document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 6);
    for example in examples {
        let config = inline(example);
        assert!(config.is_ok(), "{example}: {}", config.err().unwrap_or_default());
    }
}

#[test]
fn every_mistake_names_its_setting() {
    let cases = [
        ("", "destinations is "),
        ("[destinations.a]\n", "destinations.a is "),
        ("[destinations.a.http]\n[destinations.a.file]\n", "destinations.a is "),
        ("[destinations.a.sqs]\n", "destinations.a.sqs.queue_url is "),
        ("[destinations.a.sqs]\nqueue = \"x\"\n", "destinations.a.sqs.queue is not a setting"),
        ("[destinations.a.sqs]\ndeduplication = \"body\"\n", "destinations.a.sqs.deduplication is "),
        ("[destinations.a.sns]\ntopic_arn = \"events\"\n", "destinations.a.sns.topic_arn is `events`"),
        ("[destinations.a.dynamodb]\n", "destinations.a.dynamodb.table is "),
        ("[destinations.a.dynamodb]\nmode = \"append\"\n", "destinations.a.dynamodb.mode is "),
        ("[destinations.a.s3]\n", "destinations.a.s3.bucket is "),
        ("[destinations.a.s3]\nbucket = \"events\"\nkey = \"{topic}\"\n", "destinations.a.s3.key is `{topic}`"),
        ("[destinations.a.lambda]\n", "destinations.a.lambda.function is "),
        ("[destinations.a.ftp]\n", "destinations.a.ftp is not a setting"),
        ("[destinations.a.http]\nurl = \"x\"\n", "destinations.a.http.url is `x`"),
        ("{C}[dedupe]\nstrategy = \"ids\"\n", "dedupe.strategy is `ids`"),
        ("{C}[dedupe]\nstrategy = \"none\"\n[dedupe.redis]\nurl = \"redis://h\"\n", "dedupe.strategy is `none`"),
        ("{C}[dedupe]\nremember = \"1s\"\n", "dedupe.remember is `1s`"),
        ("{C}[dedupe.redis]\n", "dedupe.redis.url is "),
        ("{C}[dedupe.redis]\nurl = \"http://u:hush@h\"\n", "dedupe.redis.url is `***`"),
        ("{C}[dedupe.redis]\nurl = \"redis://h\"\ntimeout = \"0s\"\n", "dedupe.redis.timeout is "),
        ("{C}[dedupe.dynamodb]\ntable = \"a\"\n", "dedupe.dynamodb.table is `a`"),
        (
            "{C}[dedupe.redis]\nurl = \"redis://h\"\n[dedupe.dynamodb]\ntable = \"abc\"\nregion = \"r\"\n",
            "dedupe.redis is ",
        ),
        ("{C}[dedupe]\ncapacity = 1\n", "dedupe.capacity is `1`"),
        ("{C}[dedupe]\nclaim = \"0\"\n", "dedupe.claim is `0"),
        ("{C}[deliver]\nattempts = 0\n", "deliver.attempts is `0`"),
        ("{C}[deliver]\nbackoff = \"9s\"\n", "deliver.backoff_cap is `2s`"),
        ("{C}[deliver]\nmargin = \"5\"\n", "deliver.margin is "),
        ("{C}[order]\nkey = \"truck\"\n", "order.key is "),
        ("{C}[[routes]]\n", "routes[0].required is "),
        ("{C}[[routes]]\nrequired = [\"b\"]\n", "routes[0].required is `b` (COMBOIO_CONFIG:4): b is no destination"),
        ("{C}[[routes]]\nrequired = [\"collector\"]\ncodigos = \"x\"\n", "routes[0].codigos is `x`"),
        ("{C}[[routes]]\nrequired = [\"collector\", \"collector\"]\n", "routes[0].required is "),
        ("{C}[lambda]\n", "lambda is not a setting"),
    ];
    for (text, sentence) in cases {
        let refused = inline(&text.replace("{C}", COLLECTOR)).err().unwrap_or_default();
        assert!(refused.starts_with(sentence), "{text}: {refused}");
    }
    let refused = from(&[("COMBOIO_DELIVERY__X", "1")]).err().unwrap_or_default();
    assert!(refused.contains("COMBOIO_DELIVERY__X is not a setting"), "{refused}");
}
