//! The configuration from variables and text, and every mistake by its name.

use super::Config;
use crate::dedupe::Dedupe;
use crate::record::Need;
use crate::route::Test;
use domain::event::Versions;
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
fn versions_are_one_or_both() {
    let versions = |variables: &[(&str, &str)]| {
        let collector = ("COMBOIO_DESTINATIONS__COLLECTOR__HTTP__URL", "http://127.0.0.1:1/");
        from(&[&[collector], variables].concat()).unwrap().versions
    };
    assert_eq!(versions(&[]), Versions::V1);
    assert_eq!(versions(&[("COMBOIO_VALIDATE__VERSIONS", "1,2")]), Versions::Both);
    assert_eq!(versions(&[("COMBOIO_CONFIG", "[validate]\nversions = [2]\n")]), Versions::V2);
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

/// Every example of the document starts as it stands there; only its files are elsewhere.
#[test]
fn the_examples_of_the_document_are_configurations() {
    let dir = tempfile::tempdir().unwrap();
    let audit = dir.path().join("events.ndjson").display().to_string();
    let document = include_str!("../../../docs/dispatcher.md").replace("/mnt/audit/events.ndjson", &audit);
    let trucks = dir.path().join("trucks.csv").display().to_string();
    std::fs::write(&trucks, "truck,fleet\nBR04217,north\n").unwrap();
    let document = document.replace("/var/task/trucks.csv", &trucks);
    let examples: Vec<&str> = document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 9);
    for example in examples {
        let config = inline(example);
        assert!(config.is_ok(), "{example}: {}", config.err().unwrap_or_default());
    }
}

#[test]
fn a_route_may_look_at_a_field_and_change_what_is_delivered() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trucks.csv").display().to_string();
    std::fs::write(&file, "truck,fleet,depot\nBR04217,north,Campinas\n").unwrap();
    let text = format!(
        "{COLLECTOR}[[routes]]\nfield = \"truck_id\"\nequals = [\"BR04217\", 7, true]\nrequired = [\"collector\"]
        [[routes]]\nfield = \"speed\"\nat_least = 80\nrequired = [\"collector\"]
        [routes.transform]\nselect = [\"id\", \"truck_id\", \"speed\"]\nrename.truck_id = \"truck\"\nadd.tier = 1.5
        [routes.transform.enrich]\nfile = \"{file}\"\nfield = \"truck_id\"\n"
    );
    let config = inline(&text).unwrap();
    let test = |place: usize| config.rules[place].field.clone().unwrap().test;
    assert_eq!(test(0), Test::OneOf(vec!["BR04217".into(), 7.into(), true.into()]));
    assert_eq!(test(1), Test::within(Some(80.0), None));
    let made = config.rules[1].transform.as_ref().unwrap().apply(r#"{"v":1,"truck_id":"BR04217","speed":82.40}"#);
    assert_eq!(made.unwrap(), r#"{"truck":"BR04217","speed":82.40,"fleet":"north","depot":"Campinas","tier":1.5}"#);
}

#[test]
fn rejected_records_may_have_a_destination_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let letters = format!("{COLLECTOR}[destinations.a.file]\npath = \"{}\"\n", dir.path().join("a").display());
    let setting = "[event_source]\nrejected = \"destination:a\"\n";
    let config = inline(&format!("{letters}{setting}")).unwrap();
    assert_eq!(config.event_source.set_aside, Some(0));
    assert_eq!(config.rules[0].to, [(1, Need::Required)], "events do not go there");
    let sentence = inline(&format!("{COLLECTOR}{}", setting.replace(":a", ":collector"))).err().unwrap();
    assert!(sentence.contains("collector is the only destination"), "{sentence}");
}

#[test]
fn every_field_of_the_schema_is_known() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../schemas/telemetry-event.v1.json")).unwrap();
    assert_eq!(schema["required"], serde_json::json!(domain::event::FIELDS));
}

#[test]
fn every_mistake_of_a_transform_names_its_setting() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trucks.csv").display().to_string();
    std::fs::write(&file, "truck,speed\nBR04217,80\n").unwrap();
    let enrich = format!("enrich = {{ file = \"{file}\", field = \"truck_id\" }}");
    let cases = [
        ("", "transform is "),
        ("select = [\"id\", \"id\"]", "transform.select is `id,id` (COMBOIO_CONFIG:8): id stands twice"),
        ("select = [\"id\"]\nrename.ts = \"t\"", "transform.rename is "),
        ("rename.ts = \"seq\"", "transform.rename is "),
        ("rename = { ts = \"t\", seq = \"t\" }", "transform.rename is "),
        ("rename.ts = \"\"", "transform.rename is "),
        ("add.speed = 1", "transform.add is "),
        ("add.x = nan", "transform.add is "),
        ("rename.ts = \"t\"\nadd.t = 1", "transform.add is "),
        ("select = [\"x\"]\nadd.x = 1", "transform.add is "),
        (&enrich, "transform.enrich.file is "),
        ("enrich = { file = \"/no.csv\", field = \"x\" }", "transform.enrich.file is `/no.csv`"),
        ("enrich = { file = \"x.txt\", field = \"x\" }", "transform.enrich.file is `x.txt`"),
        ("enrich.file = \"x.csv\"", "transform.enrich.field is not set"),
        ("enrich.missing = \"x\"", "transform.enrich.missing is "),
        (
            "select = [\"seq\"]",
            "transform.select is `seq` (COMBOIO_CONFIG:8): it takes away id, which destinations.a.dynamodb.key asks for",
        ),
        ("rename.ts = \"t\"", "transform.rename is "),
    ];
    for (lines, sentence) in cases {
        let text = format!(
            "[destinations.a.dynamodb]\ntable = \"events\"\nregion = \"sa-east-1\"\nmode = \"last-state\"
            [[routes]]\nrequired = [\"a\"]\n[routes.transform]\n{lines}\n"
        );
        let refused = inline(&text).err().unwrap_or_default();
        assert!(refused.starts_with(&format!("routes[0].{sentence}")), "{lines}: {refused}");
    }
    let swapped = "rename = { ts = \"seq\", seq = \"ts\" }";
    let text = format!("{COLLECTOR}[[routes]]\nrequired = [\"collector\"]\n[routes.transform]\n{swapped}\n");
    assert!(inline(&text).is_ok());
}

/// `{C}` stands for a collector, `{R}` for a route to it.
fn refused(cases: &[(&str, &str)]) {
    for (text, sentence) in cases {
        let text = text.replace("{C}", COLLECTOR).replace("{R}", "[[routes]]\nrequired = [\"collector\"]\n");
        let refused = inline(&text).err().unwrap_or_default();
        assert!(refused.starts_with(sentence), "{text}: {refused}");
    }
}

#[test]
fn every_mistake_of_a_route_names_its_setting() {
    refused(&[
        ("{C}[[routes]]\n", "routes[0].required is "),
        ("{C}[[routes]]\nrequired = [\"b\"]\n", "routes[0].required is `b` (COMBOIO_CONFIG:4): b is no destination"),
        ("{C}{R}codigos = \"x\"\n", "routes[0].codigos is `x`"),
        ("{C}[[routes]]\nrequired = [\"collector\", \"collector\"]\n", "routes[0].required is "),
        ("{C}{R}equals = [\"x\"]\n", "routes[0].field is not set"),
        ("{C}{R}field = \"x\"\n", "routes[0].field is `x`"),
        ("{C}{R}field = \"x\"\nequals = [1]\nbelow = 1\n", "routes[0].field is `x`"),
        ("{C}{R}field = \"x\"\nequals = [[1]]\n", "routes[0].equals is "),
        ("{C}{R}field = \"x\"\nbelow = inf\n", "routes[0].below is `inf`"),
        ("{C}{R}field = \"x\"\nat_least = 2\nbelow = 2\n", "routes[0].below is `2.0`"),
        (
            "{C}{R}codigos = \"1-9\"\n{R}codigos = \"1-4,5-9\"\n",
            "routes[1].codigos is `1-4,5-9` (COMBOIO_CONFIG:8): no event ever reaches this route: routes[0] stands before it and takes exactly the same",
        ),
        (
            "{C}{R}\n{R}topics = [\"t\"]\n",
            "routes[1].codigos is `*` (COMBOIO_CONFIG:3): no event ever reaches this route: routes[0] stands before it and takes everything that it takes",
        ),
        (
            "{C}{R}codigos = \"0-9\"\n{R}codigos = \"10-4294967295\"\n{R}",
            "routes[2].codigos is `*` (COMBOIO_CONFIG:3): no event ever reaches this route: the routes before it together take everything that it takes",
        ),
    ]);
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
        (
            "{C}[event_source]\nrejected = \"drop\"\n",
            "event_source.rejected is `drop` (COMBOIO_CONFIG:4): allowed is fail",
        ),
        (
            "{C}[event_source]\nrejected = \"destination:x\"\n",
            "event_source.rejected is `destination:x` (COMBOIO_CONFIG:4): x is no destination",
        ),
        ("{C}[event_source]\nfailures = \"lose\"\n", "event_source.failures is "),
        ("{C}[validate]\nversions = []\n", "validate.versions is "),
        ("{C}[validate]\nversions = [3]\n", "validate.versions is `3` (COMBOIO_CONFIG:4): version 3 does not exist"),
        ("{C}[validate]\nversions = [1, 1]\n", "validate.versions is `1,1` (COMBOIO_CONFIG:4): version 1 stands twice"),
        ("{C}[validate]\nversions = [-1]\n", "validate.versions[0] is `-1`"),
        ("{C}[validate]\nversion = 1\n", "validate.version is not a setting"),
        ("{C}[lambda]\n", "lambda is not a setting"),
    ];
    refused(&cases);
    let refused = from(&[("COMBOIO_DELIVERY__X", "1")]).err().unwrap_or_default();
    assert!(refused.contains("COMBOIO_DELIVERY__X is not a setting"), "{refused}");
}
