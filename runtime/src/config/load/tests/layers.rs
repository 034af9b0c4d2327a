//! File and environment over defaults: which value wins, how it is read, and where it came from.

use super::*;

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
fn variables_that_a_service_calls_its_own_are_left_alone() {
    let env = [("COMBOIO_RUN_ID", "7f3a91c2")];
    assert!(load::<Raw>(None, vars(&env)).is_err());
    assert!(load_allowing::<Raw>(None, vars(&env), &["COMBOIO_RUN_ID"]).is_ok());
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
