//! What the configuration may say, and the sentence that it gets when it says something else.

use super::{Config, Overrides, Raw, SourceConfig};
use runtime::config::{Loaded, load};
use runtime::output_file;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PROFILE: &str = r#"
purpose = "a test"
seed = 7
duration = "10s"
shape = { kind = "constant", rate = 100 }
codes = { share = 0.8, of = 0.2, groups = [{ first = 400, count = 10 }] }
fleet = { trucks = 5 }
"#;

/// A folder with a profile, events and a good configuration with one text replaced; `DIR` in it is the folder.
fn written(from: &str, to: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path().join("load.toml");
    std::fs::write(&profile, PROFILE).unwrap();
    let good = format!(
        "[source]\nkind = \"generator\"\nprofile = \"{}\"\n[kafka]\nbootstrap_servers = [\"127.0.0.1:9\"]\n\
         [dead_letter]\nfile = \"{}\"\n[limits]\nbytes_per_second = \"10MB\"\n[run]\nid = \"abc\"\n\
         [[routes]]\ncodigo = \"400-499\"\ntopic = \"mt-c400\"\n",
        profile.display(),
        dir.path().join("aside.ndjson").display(),
    );
    let path = dir.path().join("producer.toml");
    std::fs::write(dir.path().join("in.ndjson"), "").unwrap();
    std::fs::write(&path, good.replace(from, to).replace("DIR", &dir.path().display().to_string())).unwrap();
    (dir, path)
}

fn loaded(path: &Path) -> Loaded<Raw> {
    load::<Raw>(Some(path), std::iter::empty()).unwrap()
}

fn refusal(from: &str, to: &str, overrides: &Overrides) -> String {
    let (_dir, path) = written(from, to);
    match load::<Raw>(Some(&path), std::iter::empty()) {
        Err(error) => error.to_string(),
        Ok(loaded) => Config::validate(&loaded, overrides).map(|_| ()).expect_err(to).to_string(),
    }
}

#[test]
fn a_good_configuration_is_taken_with_its_overrides() {
    let (_dir, path) = written("", "");
    let overrides = Overrides {
        rate: Some(50.0),
        duration: Some(Duration::from_secs(2)),
        run: Some("xyz".into()),
        ..Overrides::default()
    };
    let config = Config::validate(&loaded(&path), &overrides).unwrap();
    let SourceConfig::Generator(profile) = config.source else { panic!("a generator") };
    assert_eq!((profile.events(), config.run.id.as_str()), (100, "xyz"));
}

#[test]
fn what_is_wrong_is_named_with_what_is_allowed() {
    let none = Overrides::default();
    for (from, to, said) in [
        ("400-499", "400-405", "the profile makes codigo 406 and no route holds it"),
        ("400-499", "x", "routes[0].codigo"),
        ("topic = \"mt-c400\"", "topic = \"mt c400\"", "routes[0].topic is `mt c400`"),
        ("id = \"abc\"", "id = \"A-B\"", "run.id is `A-B`"),
        ("\"10MB\"", "\"10B\"", "limits.bytes_per_second is `10B`"),
        ("\"generator\"", "\"oracle\"", "source.kind"),
        ("\"generator\"", "\"replay\"", "source.path is not set"),
        ("load.toml", "none.toml", "none.toml: cannot be read"),
        ("aside.ndjson", "none/aside.ndjson", "dead_letter.file"),
        ("[limits]", "[admin]\naddress_file = \"DIR/none/admin\"\n[limits]", "admin.address_file"),
        ("[limits]", "[admin]\naddress_file = \"DIR\"\n[limits]", "admin.address_file"),
        ("[limits]", "[limits]\nevents = 5", "events"),
        ("[limits]", "[limits]\nevents_per_second = nan", "limits.events_per_second is `nan`"),
        ("[dead_letter]", "[dead_letter]\nobjects = \"fleet-dead\"", "dead_letter.objects is `fleet-dead`"),
        ("[limits]", "[dead_letter.s3]\nregion = \"X\"\n[limits]", "dead_letter.s3.region"),
        ("127.0.0.1:9", "", "kafka.bootstrap_servers"),
        ("id = \"abc\"", "instance = \"4/3\"", "`4/3` is no instance: allowed is number/count"),
        ("id = \"abc\"", "instance = \"1/6\"", "the profile has 5 trucks"),
    ] {
        let sentence = refusal(from, to, &none);
        assert!(sentence.contains(said), "{to}: {sentence}");
    }
    let rate = Overrides { rate: Some(-1.0), ..Overrides::default() };
    assert!(refusal("", "", &rate).contains("--rate is -1"));
}

#[test]
fn no_file_that_is_written_is_one_that_is_read() {
    let none = Overrides::default();
    for (from, to, said) in [
        ("aside.ndjson", "load.toml", "it is source.profile as well"),
        ("aside.ndjson", "./load.toml", "it is source.profile as well"),
        ("aside.ndjson", "producer.toml", "it is the configuration as well"),
        ("[limits]", "[kafka.tls]\nkey = \"DIR/aside.ndjson\"\n[limits]", "it is kafka.tls.key as well"),
        ("[limits]", "[ingest.tls]\nclient_ca = \"DIR/aside.ndjson\"\n[limits]", "it is ingest.tls.client_ca as well"),
        ("[limits]", "[admin]\ntoken_file = \"DIR/aside.ndjson\"\n[limits]", "it is admin.token_file as well"),
        ("[limits]", "[admin]\naddress_file = \"DIR/aside.ndjson\"\n[limits]", "admin.address_file is `"),
        ("[limits]", "[spool]\ndir = \"DIR/aside.ndjson\"\n[limits]", "it is spool.dir as well"),
        ("aside.ndjson\"", "spool.redb\"\n[spool]\ndir = \"DIR\"", "it is the spool's file as well"),
        ("\"generator\"", "\"replay\"\npath = \"DIR\"", "it lies in source.path as well"),
        ("[limits]", "[spool]\ndir = \"/dev/null\"\n[limits]", "spool.dir is `/dev/null`"),
    ] {
        let sentence = refusal(from, to, &none);
        assert!(sentence.contains(said), "{to}: {sentence}");
    }
}

#[test]
fn no_output_of_the_command_line_takes_the_place_of_what_the_configuration_names() {
    let tls = "[kafka.tls]\nca = \"DIR/ca.pem\"\n[spool]\ndir = \"DIR/spool\"\n[ingest]\ntoken_file = \"DIR/token\"\n[limits]";
    let (dir, path) = written("[limits]", tls);
    std::fs::create_dir(dir.path().join("spool")).unwrap();
    let kept = super::kept(&loaded(&path), &Overrides::default());
    let checked = |name: &str| output_file::check_all(&[&dir.path().join(name)], &kept);
    for (name, said) in [
        ("producer.toml", "it is the configuration as well"),
        ("load.toml", "it is source.profile as well"),
        ("ca.pem", "it is kafka.tls.ca as well"),
        ("token", "it is ingest.token_file as well"),
        ("spool/spool.redb", "it is the spool's file as well"),
        ("aside.ndjson", "it is dead_letter.file as well"),
    ] {
        let sentence = checked(name).expect_err(name);
        assert!(sentence.contains(name) && sentence.contains(said), "{name}: {sentence}");
    }
    assert_eq!(checked("spool/run.json").and(checked("run.json")), Ok(()));
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let none = Overrides::default();
    let ports = "\"ingest\"\n[ingest]\nlisten = \"127.0.0.1:8099\"\n[admin]\nlisten = \"127.0.0.1:8099\"\n#";
    let required = "\"ingest\"\n[ingest.tls]\nclient_required = true\n#";
    let all = "[[routes]]\ncodigo = \"*\"\ntopic = \"all\"\n[[routes]]";
    for (from, to, said) in [
        ("\"generator\"\n", ports, "admin.listen is `127.0.0.1:8099`"),
        ("\"generator\"\n", required, "ingest.tls.client_required is `true`"),
        ("[[routes]]", all, "this route can never be reached: routes[0] (`*`)"),
        ("[limits]", "[send]\nqueue_records = 999999999999\n[limits]", "allowed is 1 to 10000000"),
    ] {
        let sentence = refusal(from, to, &none);
        assert!(sentence.contains(said), "{to}: {sentence}");
    }
    let optional = required.replace("true", "false");
    let (_dir, path) = written("\"generator\"\n", &optional);
    assert!(Config::validate(&loaded(&path), &none).is_ok());
}

#[test]
fn the_run_of_the_command_line_is_checked_for_a_plan_as_well() {
    let (_dir, path) = written("", "");
    let loaded = loaded(&path);
    let named = |run: &str| Overrides { run: Some(run.into()), ..Overrides::default() };
    let planned = super::to_plan(&loaded, &named("ABC!")).map(|_| ()).unwrap_err().to_string();
    assert!(planned.starts_with("--run is `ABC!`: allowed are up to 16"), "{planned}");
    assert!(super::to_plan(&loaded, &named("abc")).is_ok());
    let nothing = load::<Raw>(None, std::iter::empty()).unwrap();
    let sentence = Config::validate(&nothing, &Overrides::default()).map(|_| ()).unwrap_err().to_string();
    assert!(sentence.contains("source.profile") && sentence.contains("--config"), "{sentence}");
}

/// Names and paths have no default; the example shows one of them.
#[test]
fn what_the_example_has_commented_out_is_the_default() {
    let values = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        loaded(file.path()).effective().0.into_iter().map(|setting| (setting.key, setting.value)).collect::<Vec<_>>()
    };
    let (defaults, mut section, mut seen) = (values(""), "", 0);
    for line in include_str!("../../producer.example.toml").lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if line.starts_with('[') {
            section = line;
        }
        let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| !section.is_empty() && !key.contains(' ')) else {
            continue;
        };
        if key == "kind" || section == "[[routes]]" || ["bootstrap_servers", "client_id"].contains(&key) {
            continue;
        }
        seen += 1;
        for ((name, default), (_, value)) in defaults.iter().zip(values(&format!("{section}\n{line}\n"))) {
            assert!(*default == value || *default == "", "{name} is {value} in the example, and {default} by default");
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn ingest_checks_its_own_section_and_has_no_load_of_its_own() {
    let none = Overrides::default();
    let (_dir, path) = written("\"generator\"", "\"ingest\"");
    assert!(matches!(Config::validate(&loaded(&path), &none).unwrap().source, SourceConfig::Ingest(_)));
    let section = "\"ingest\"\n[ingest]\nmax_events = 0\n#";
    let sentence = refusal("\"generator\"\n", section, &none);
    assert!(sentence.contains("ingest.max_events is `0`"), "{sentence}");
    let nowhere = "\"ingest\"\n[ingest]\naddress_file = \"DIR/none/ingest\"\n#";
    let sentence = refusal("\"generator\"\n", nowhere, &none);
    assert!(sentence.contains("ingest.address_file is `") && sentence.contains("a folder that exists"), "{sentence}");
    let rate = Overrides { rate: Some(5.0), ..Overrides::default() };
    assert!(refusal("\"generator\"", "\"ingest\"", &rate).contains("are not for ingest"));
}

#[test]
fn an_unknown_key_of_the_profile_names_the_profile() {
    let (dir, path) = written("", "");
    std::fs::write(dir.path().join("load.toml"), PROFILE.replace("trucks = 5", "trucks = 5, wheels = 6")).unwrap();
    let error = Config::validate(&loaded(&path), &Overrides::default()).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("load.toml: line 7") && error.contains("wheels"), "{error}");
}

#[test]
fn an_instance_has_its_part_of_the_limits() {
    let (_dir, path) = written("id = \"abc\"", "instance = \"2/3\"");
    let config = Config::validate(&loaded(&path), &Overrides::default()).unwrap();
    assert_eq!(config.limits.bytes_per_second.bytes(), 3_333_333);
    let (_dir, path) =
        written("bytes_per_second = \"10MB\"\n[run]", "bytes_per_second = \"2KB\"\n[run]\ninstance = \"2/3\"");
    let error = Config::validate(&loaded(&path), &Overrides::default()).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("limits.bytes_per_second") && error.contains("divided by 3 instances"), "{error}");
}

#[test]
fn a_profile_is_checked_alone_when_nothing_else_is_configured() {
    let (dir, path) = written("", "");
    let named = |name: &str| Overrides { profile: Some(dir.path().join(name)), ..Overrides::default() };
    let nothing = Loaded { raw: Raw::default(), settings: Default::default() };
    let found = super::only_a_profile(&nothing, &named("load.toml")).unwrap();
    assert_eq!(found.map(|profile| profile.events()), Some(1_000));
    let error = super::only_a_profile(&nothing, &named("none.toml")).unwrap_err().to_string();
    assert!(error.contains("none.toml: cannot be read"), "{error}");
    assert!(super::only_a_profile(&nothing, &Overrides::default()).unwrap().is_none());
    assert!(super::only_a_profile(&loaded(&path), &named("load.toml")).unwrap().is_none());
}
