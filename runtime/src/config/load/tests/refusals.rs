//! Every sentence that a person may meet while configuring.

use super::*;

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
