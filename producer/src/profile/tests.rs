//! What a profile may say, and what it is told when it says something else.

use super::Profile;
use std::time::Duration;

const GOOD: &str = r#"
purpose = "a test"
seed = 7
duration = "10s"
[shape]
kind = "constant"
rate = 13000
[codes]
share = 0.8
of = 0.2
groups = [{ first = 400, count = 6 }, { first = 300, count = 4 }]
[fleet]
trucks = 5
[mix]
invalid_share = 0.001
[expected]
result = "nothing lost"
"#;

#[test]
fn a_profile_means_what_it_says() {
    let profile = Profile::parse(GOOD).unwrap();
    assert_eq!(profile.codes.codes, [400, 401, 402, 403, 404, 405, 300, 301, 302, 303]);
    assert_eq!((profile.codes.hottest(), profile.events(), profile.trucks), (2, 130_000, 5));
}

#[test]
fn rate_and_duration_can_be_overridden() {
    let profile = Profile::parse(GOOD).unwrap().with(Some(500.0), Some(Duration::from_secs(3))).unwrap();
    assert_eq!(profile.events(), 1_500);
    assert!(Profile::parse(GOOD).unwrap().with(Some(0.0), None).unwrap_err().contains("--rate is 0"));
    assert!(Profile::parse(GOOD).unwrap().with(None, Some(Duration::ZERO)).unwrap_err().contains("--duration"));
}

#[test]
fn what_makes_no_load_is_refused_by_name() {
    let cases = [
        ("trucks = 5", "trucks = 5\nwheels = 6", "wheels"),
        ("trucks = 5", "trucks = 0", "fleet.trucks is 0"),
        ("rate = 13000", "rate = -1", "shape.rate is -1"),
        ("rate = 13000", "speed = 13000", "speed"),
        ("kind = \"constant\"", "kind = \"wave\"", "wave"),
        ("of = 0.2", "of = 0.15", "no whole number"),
        ("share = 0.8", "share = 0.1", "codes.share is 0.1"),
        ("first = 300", "first = 405", "code 405 twice"),
        ("0.001", "0.7", "mix.invalid_share is 0.7"),
        ("\"10s\"", "\"10\"", "10"),
        ("seed = 7", "", "seed"),
        ("trucks = 5", "trucks = 5\nzipf = 4", "fleet.zipf is 4"),
        ("0.001", "0\ninvalid_kinds = []", "mix.invalid_kinds is empty"),
        ("0.001", "0\ninvalid_kinds = [\"rude\"]", "rude"),
        ("0.001", "0\noversize_share = 0.2", "mix.oversize_share is 0.2"),
        ("0.001", "0\noversize_bytes = \"10B\"", "mix.oversize_bytes is 10B"),
        ("0.001", "0\nduplicate_share = -1", "mix.duplicate_share is -1"),
        ("0.001", "0\nhot_key = { share = 1, truck = 0, codigo = 400 }", "mix.hot_key.share is 1"),
        ("0.001", "0\nhot_key = { share = 0.1, truck = 5, codigo = 400 }", "mix.hot_key.truck is 5, allowed is 0 to 4"),
        ("0.001", "0\nhot_key = { share = 0.1, truck = 0, codigo = 1 }", "mix.hot_key.codigo is 1"),
        ("0.001", "0\nlate = { share = 2, offline = \"1s\", every = \"2s\" }", "mix.late.share is 2"),
        ("0.001", "0\nlate = { share = 1, offline = \"0\", every = \"2s\" }", "mix.late.offline is 0"),
        ("0.001", "0\nlate = { share = 1, offline = \"2s\", every = \"2s\" }", "mix.late.every is 2s"),
    ];
    for (from, to, said) in cases {
        let error = Profile::parse(&GOOD.replace(from, to)).unwrap_err();
        assert!(error.contains(said), "{to}: {error}");
    }
}

#[test]
fn a_shape_that_makes_no_load_is_refused_by_name() {
    let refused = [
        ("kind = \"burst\"\nrate = 1\nburst = 0\nfor = \"1s\"\nevery = \"2s\"", "shape.burst is 0"),
        ("kind = \"burst\"\nrate = 1\nburst = 9\nfor = \"2s\"\nevery = \"2s\"", "shape.every is 2s, allowed is longer"),
        ("kind = \"sine\"\nlow = 9\nhigh = 8\nperiod = \"2s\"", "shape.low is 9"),
        ("kind = \"sine\"\nlow = 1\nhigh = 8\nperiod = \"0\"", "shape.period is 0s"),
        ("kind = \"day-curve\"\nhours = [1, 2]", "shape.hours is a list of 2, allowed is a list of 24"),
        ("kind = \"ramp\"\nfrom = 0\nto = 0\nover = \"2s\"", "shape.to is 0"),
        ("kind = \"step\"\nsteps = []", "shape.steps is empty"),
    ];
    for (shape, said) in refused {
        let error = Profile::parse(&GOOD.replace("kind = \"constant\"\nrate = 13000", shape)).unwrap_err();
        assert!(error.contains(said), "{shape}: {error}");
    }
    let idle = format!("kind = \"day-curve\"\nhours = {:?}", [0; 24]);
    let error = Profile::parse(&GOOD.replace("kind = \"constant\"\nrate = 13000", &idle)).unwrap_err();
    assert!(error.contains("shape.hours is 0 all day"), "{error}");
}

#[test]
fn the_file_is_named() {
    let error = Profile::load(std::path::Path::new("/nowhere/load.toml")).unwrap_err().to_string();
    assert!(error.starts_with("profile /nowhere/load.toml: cannot be read"), "{error}");
}
