//! The configuration from variables and text, and every mistake by its name.

use super::Config;
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
fn every_mistake_names_its_setting() {
    let cases = [
        ("", "destinations is "),
        ("[destinations.a]\n", "destinations.a is "),
        ("[destinations.a.ftp]\n", "destinations.a.ftp is not a setting"),
        ("[destinations.a.http]\nurl = \"x\"\n", "destinations.a.http.url is `x`"),
        ("{C}[dedupe]\nstrategy = \"offsets\"\n", "dedupe.strategy is `offsets`"),
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
