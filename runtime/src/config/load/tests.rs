//! Every sentence that a person may meet while configuring, and the layering of file and environment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::*;
use crate::config::{Secret, Size, Span};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    instance: String,
    kafka: Kafka,
    routes: Vec<Route>,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Kafka {
    bootstrap_servers: Vec<String>,
    linger: Span,
    limit: Size,
    port: u16,
    idempotent: bool,
    ratio: f64,
    mode: Mode,
    group: Option<String>,
    tls: Tls,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            bootstrap_servers: vec!["localhost:9092".to_owned()],
            linger: Span::from_millis(20),
            limit: Size::from_kib(64),
            port: 9092,
            idempotent: true,
            ratio: 0.5,
            mode: Mode::Safe,
            group: None,
            tls: Tls::default(),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tls {
    ca: String,
    key_password: Secret,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Safe,
    Fast,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    topic: String,
    #[serde(default)]
    codigo: Codigos,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Codigos {
    One(u32),
    Set(Vec<u32>),
    Range(String),
}

impl Default for Codigos {
    fn default() -> Self {
        Self::Set(Vec::new())
    }
}

fn vars(pairs: &[(&str, &str)]) -> std::vec::IntoIter<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into_iter()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

fn loaded(text: &str, env: &[(&str, &str)]) -> Loaded<Raw> {
    let file = file(text);
    load(Some(file.path()), vars(env)).unwrap()
}

/// The sentence, with the path of the file replaced by `FILE`.
fn refused(text: &str, env: &[(&str, &str)]) -> String {
    let file = file(text);
    let error = load::<Raw>(Some(file.path()), vars(env)).unwrap_err();
    error.to_string().replace(file.path().to_str().unwrap(), "FILE")
}

#[test]
fn nothing_written_gives_the_defaults() {
    let loaded = load::<Raw>(None, vars(&[("PATH", "/bin"), ("HOME", "/root")])).unwrap();
    assert_eq!(loaded.raw.kafka.linger, Span::from_millis(20));
    assert_eq!(loaded.origin("kafka.linger"), Origin::Default);
}

#[test]
fn environment_wins_over_file_and_file_over_default_and_all_origins_are_known() {
    let text = "[kafka]\nlinger = \"5s\"\nport = 1\n";
    let loaded = loaded(text, &[("COMBOIO_KAFKA__PORT", "2"), ("COMBOIO_KAFKA__TLS__CA", "/etc/ca.pem")]);
    assert_eq!((loaded.raw.kafka.port, loaded.raw.kafka.linger), (2, Span::from_secs(5)));
    assert_eq!(loaded.raw.kafka.tls.ca, "/etc/ca.pem");
    assert!(matches!(loaded.origin("kafka.linger"), Origin::File { line: 2, .. }));
    assert_eq!(loaded.origin("kafka.port"), Origin::Env("COMBOIO_KAFKA__PORT".to_owned()));
    assert_eq!(loaded.origin("kafka.tls.ca"), Origin::Env("COMBOIO_KAFKA__TLS__CA".to_owned()));
    assert_eq!(loaded.origin("kafka.limit"), Origin::Default);
}

#[test]
fn variables_are_read_by_the_type_that_is_wanted() {
    let loaded = loaded(
        "",
        &[
            ("COMBOIO_INSTANCE", "3"),
            ("COMBOIO_KAFKA__BOOTSTRAP_SERVERS", "a:1, b:2"),
            ("COMBOIO_KAFKA__LIMIT", "5.5MiB"),
            ("COMBOIO_KAFKA__IDEMPOTENT", "false"),
            ("COMBOIO_KAFKA__RATIO", "1"),
            ("COMBOIO_KAFKA__MODE", "fast"),
            ("COMBOIO_KAFKA__GROUP", "true"),
            ("COMBOIO_KAFKA__TLS__KEY_PASSWORD", "12345"),
            ("COMBOIO_ROUTES", "[{topic = \"a\", codigo = 300}, {topic = \"b\", codigo = \"1-9\"}]"),
            ("COMBOIO_LABELS__TEAM", "17"),
        ],
    );
    let kafka = &loaded.raw.kafka;
    assert_eq!(loaded.raw.instance, "3");
    assert_eq!(kafka.bootstrap_servers, ["a:1", "b:2"]);
    assert_eq!((kafka.limit.bytes(), kafka.idempotent, kafka.ratio), (5_767_168, false, 1.0));
    assert_eq!((&kafka.mode, kafka.group.as_deref()), (&Mode::Fast, Some("true")));
    assert_eq!(kafka.tls.key_password.expose(), "12345");
    assert_eq!(loaded.raw.routes[1], Route { topic: "b".to_owned(), codigo: Codigos::Range("1-9".to_owned()) });
    assert_eq!(loaded.raw.labels["team"], "17");
}

#[test]
fn an_empty_variable_is_no_value_for_lists_and_options() {
    let loaded =
        loaded("[kafka]\ngroup = \"g\"\n", &[("COMBOIO_KAFKA__GROUP", ""), ("COMBOIO_KAFKA__BOOTSTRAP_SERVERS", "")]);
    assert_eq!(loaded.raw.kafka.group, None);
    assert!(loaded.raw.kafka.bootstrap_servers.is_empty());
}

#[test]
fn arrays_of_tables_have_an_origin_per_index_and_can_be_overridden_by_index() {
    let text = "[[routes]]\ntopic = \"a\"\n[[routes]]\ntopic = \"b\"\ncodigo = [1, 2]\n";
    let loaded = loaded(text, &[("COMBOIO_ROUTES__1__TOPIC", "c")]);
    assert_eq!(loaded.raw.routes[1], Route { topic: "c".to_owned(), codigo: Codigos::Set(vec![1, 2]) });
    assert!(matches!(loaded.origin("routes[0].topic"), Origin::File { line: 2, .. }));
    assert!(matches!(loaded.origin("routes[1].codigo"), Origin::File { line: 5, .. }));
    assert_eq!(loaded.origin("routes[1].topic"), Origin::Env("COMBOIO_ROUTES__1__TOPIC".to_owned()));
    let keys: Vec<String> = loaded.effective().0.into_iter().map(|setting| setting.key).collect();
    assert!(keys.contains(&"routes[1].codigo".to_owned()), "{keys:?}");
}

#[test]
fn comboio_config_is_a_path_or_the_text_itself_and_the_command_line_wins() {
    let inline = load::<Raw>(None, vars(&[("COMBOIO_CONFIG", "[kafka]\nport = 7")])).unwrap();
    assert_eq!(inline.raw.kafka.port, 7);
    assert_eq!(inline.origin("kafka.port").to_string(), "COMBOIO_CONFIG:2");
    let file = file("[kafka]\nport = 8");
    let path = file.path().to_str().unwrap();
    assert_eq!(load::<Raw>(None, vars(&[("COMBOIO_CONFIG", path)])).unwrap().raw.kafka.port, 8);
    assert_eq!(load::<Raw>(Some(file.path()), vars(&[("COMBOIO_CONFIG", "/nowhere")])).unwrap().raw.kafka.port, 8);
}

#[test]
fn a_missing_file_is_named() {
    let error = load::<Raw>(Some(Path::new("/nowhere/comboio.toml")), vars(&[])).unwrap_err();
    assert_eq!(error.to_string(), "configuration file /nowhere/comboio.toml cannot be read: no such file");
}

#[test]
fn a_syntax_error_names_file_line_and_column_but_not_the_text() {
    let sentence = refused("[kafka]\nport = 1\nkey_password = hunter2\n", &[]);
    assert!(sentence.starts_with("FILE, line 3, column 16: not valid TOML: "), "{sentence}");
    assert!(!sentence.contains("hunter2"), "{sentence}");
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_one() {
    assert_eq!(
        refused("[kafka]\n\nbootstrap_server = \"a:1\"\n", &[]),
        "kafka.bootstrap_server is not a setting (FILE:3): did you mean kafka.bootstrap_servers?"
    );
    assert_eq!(
        refused("[kafka.tls]\nprotocols = 1\n", &[]),
        "kafka.tls.protocols is not a setting (FILE:2): allowed in kafka.tls are ca, key_password"
    );
    assert_eq!(
        refused("colour = 1\n", &[]),
        "colour is not a setting (FILE:1): allowed are instance, kafka, routes, labels"
    );
    assert_eq!(
        refused("[[routes]]\ntopic = \"a\"\n[[routes]]\ntopic = \"b\"\ntopics = 1\n", &[]),
        "routes[1].topics is not a setting (FILE:5): did you mean routes[1].topic?"
    );
}

#[test]
fn an_unknown_variable_is_named_with_the_nearest_one() {
    assert_eq!(
        refused("", &[("COMBOIO_KAFKA__TLS__CAS", "x")]),
        "environment variable COMBOIO_KAFKA__TLS__CAS is not a setting: did you mean COMBOIO_KAFKA__TLS__CA?"
    );
    assert_eq!(
        refused("", &[("COMBOIO_KAFAK__PORT", "1")]),
        "environment variable COMBOIO_KAFAK__PORT is not a setting: allowed are instance, kafka, routes, labels"
    );
    assert_eq!(
        refused("", &[("COMBOIO_KAFKA__PORT__X", "1"), ("COMBOIO_KAFKA__PORT", "1")]),
        "environment variable COMBOIO_KAFKA__PORT__X is not a setting: what stands before x is a value, not a section"
    );
    assert_eq!(
        refused("[kafka]\nport = 1\n", &[("COMBOIO_KAFKA", "1")]),
        "environment variable COMBOIO_KAFKA is not a setting: this is a section: set its keys one by one"
    );
    assert_eq!(
        refused("", &[("COMBOIO_ROUTES", "[{topic = \"a\", colour = 1}]")]),
        "routes[0].colour is not a setting (COMBOIO_ROUTES): allowed in routes[0] are topic, codigo"
    );
}

#[test]
fn variables_that_a_service_calls_its_own_are_left_alone() {
    let env = [("COMBOIO_RUN_ID", "7f3a91c2")];
    assert!(load::<Raw>(None, vars(&env)).is_err());
    assert!(load_allowing::<Raw>(None, vars(&env), &["COMBOIO_RUN_ID"]).is_ok());
}

#[test]
fn a_wrong_value_is_named_with_its_origin_and_what_is_allowed() {
    for (text, sentence) in [
        (
            "linger = \"5 parsecs\"",
            "kafka.linger is `5 parsecs` (FILE:2): allowed is a duration such as 250ms, 5s, 2m, 1h",
        ),
        ("linger = 5", "kafka.linger is `5` (FILE:2): allowed is a duration such as 250ms, 5s, 2m, 1h"),
        (
            "limit = \"1 barrel\"",
            "kafka.limit is `1 barrel` (FILE:2): allowed is a size such as 512B, 64KiB, 5.5MiB, 10MB",
        ),
        ("port = 70000", "kafka.port is `70000` (FILE:2): allowed is a whole number from 0 to 65535"),
        ("port = \"9092\"", "kafka.port is `9092` (FILE:2): allowed is a whole number from 0 to 65535"),
        ("idempotent = 1", "kafka.idempotent is `1` (FILE:2): allowed is true or false"),
        ("ratio = \"half\"", "kafka.ratio is `half` (FILE:2): allowed is a number"),
        ("mode = \"turbo\"", "kafka.mode is `turbo` (FILE:2): allowed is safe, fast"),
        ("mode = 1", "kafka.mode is `1` (FILE:2): allowed is safe, fast"),
        ("bootstrap_servers = \"a:1\"", "kafka.bootstrap_servers is `a:1` (FILE:2): allowed is a list"),
        ("bootstrap_servers = [\"a:1\", 2]", "kafka.bootstrap_servers[1] is `2` (FILE:2): allowed is text"),
        ("tls = 1", "kafka.tls is `1` (FILE:2): allowed is a table"),
    ] {
        assert_eq!(refused(&format!("[kafka]\n{text}\n"), &[]), sentence);
    }
    assert_eq!(
        refused("", &[("COMBOIO_KAFKA__PORT", "many")]),
        "kafka.port is `many` (COMBOIO_KAFKA__PORT): allowed is a whole number from 0 to 65535"
    );
    assert_eq!(
        refused("", &[("COMBOIO_KAFKA__IDEMPOTENT", "yes")]),
        "kafka.idempotent is `yes` (COMBOIO_KAFKA__IDEMPOTENT): allowed is true or false"
    );
}

#[test]
fn a_missing_key_is_named_with_its_place() {
    assert_eq!(
        refused("[[routes]]\ncodigo = 1\n", &[]),
        "routes[0].topic is missing (FILE:1): it has no default, write it here"
    );
}

#[test]
fn a_secret_is_in_no_sentence_and_in_no_table() {
    let loaded = loaded("[kafka.tls]\nkey_password = \"hunter2\"\n", &[]);
    let sentence = loaded.refuse("kafka.tls.key_password", "allowed is the right one").to_string();
    let shown =
        format!("{loaded:?} {} {} {sentence}", loaded.effective(), serde_json::to_string(&loaded.effective()).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(sentence.starts_with("kafka.tls.key_password is `***` ("), "{sentence}");
    let sentence = refused("[kafka.tls]\nkey_password = [\"hunter2\"]\n", &[]);
    assert_eq!(sentence, "kafka.tls.key_password is `[...]` (FILE:2): allowed is text");
}

#[test]
fn refusals_by_the_parts_name_key_value_and_origin() {
    let loaded = loaded("", &[("COMBOIO_KAFKA__PORT", "0")]);
    assert_eq!(
        loaded.refuse("kafka.port", "allowed is 1 to 65535").to_string(),
        "kafka.port is `0` (COMBOIO_KAFKA__PORT): allowed is 1 to 65535"
    );
    assert_eq!(
        loaded.refuse("kafka.tls.ca", "write the path of a PEM file").to_string(),
        "kafka.tls.ca is not set (default): write the path of a PEM file"
    );
    assert_eq!(
        loaded.refuse("kafka.bootstrap_servers", "allowed is host:port").to_string(),
        "kafka.bootstrap_servers is `localhost:9092` (default): allowed is host:port"
    );
}

#[test]
fn the_effective_configuration_is_a_table_and_json() {
    let loaded =
        load::<Raw>(None, vars(&[("COMBOIO_KAFKA__PORT", "2"), ("COMBOIO_KAFKA__TLS__KEY_PASSWORD", "x")])).unwrap();
    let text = loaded.effective().to_string();
    let lines: Vec<&str> = text.lines().collect();
    let line = |key: &str| *lines.iter().find(|line| line.starts_with(key)).unwrap();
    assert_eq!(line("kafka.port"), "kafka.port               2               COMBOIO_KAFKA__PORT");
    assert_eq!(line("kafka.tls.key"), "kafka.tls.key_password   ***             COMBOIO_KAFKA__TLS__KEY_PASSWORD");
    assert_eq!(line("kafka.boot"), "kafka.bootstrap_servers  localhost:9092  default");
    assert_eq!(line("kafka.group"), "kafka.group              -               default");
    let json = serde_json::to_value(loaded.effective()).unwrap();
    let port = json.as_array().unwrap().iter().find(|setting| setting["key"] == "kafka.port").unwrap();
    assert_eq!(port, &serde_json::json!({"key": "kafka.port", "value": 2, "origin": "COMBOIO_KAFKA__PORT"}));
}

#[test]
fn the_cache_folder_of_the_surroundings_is_no_setting() {
    let loaded = loaded("", &[("COMBOIO_CACHE", "/somewhere")]);
    assert_eq!(loaded.raw.kafka.port, 9092);
}
