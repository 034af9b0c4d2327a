//! The generator as its readers see it: deterministic, 80/20, gapless seqs, valid events of the right size.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::event::{EventId, check};
use producer::chunk::{Chunk, Room};
use producer::profile::{Codes, Mix, Profile};
use producer::source::{CodeMix, Fill, Generator, Run, Source};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

const ALL: Duration = Duration::from_secs(1 << 30);

fn profile(name: &str) -> Profile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadgen-profiles").join(name);
    Profile::load(&path).unwrap()
}

fn run(id: &str) -> Run {
    Run { id: id.into(), start_ms: 1_763_701_200_000 }
}

/// Makes events until the end or until `most`; hands on each chunk.
fn generate(profile: &Profile, most: usize, mut see: impl FnMut(&Chunk)) {
    let mut generator = Generator::new(profile, run("lx3k9q2m7a1b")).unwrap();
    let (mut chunk, mut made) = (Chunk::default(), 0);
    while made < most {
        chunk.clear();
        let room = Room { events: 997.min(most - made), bytes: usize::MAX };
        if generator.fill(ALL, room, &mut chunk).unwrap() == Fill::End {
            return;
        }
        made += chunk.len();
        see(&chunk);
    }
}

fn values(profile: &Profile, most: usize) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    generate(profile, most, |chunk| values.extend(chunk.items().iter().map(|item| chunk.text(item.value).to_vec())));
    values
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_does_not() {
    let demo = profile("demo.toml");
    let first = values(&demo, 20_000);
    assert_eq!(first, values(&demo, 20_000));
    assert_ne!(first, values(&Profile { seed: 1, ..demo }, 20_000));
}

#[test]
fn the_bytes_do_not_depend_on_how_they_are_asked_for() {
    let smoke = profile("smoke.toml");
    let mut generator = Generator::new(&smoke, run("lx3k9q2m7a1b")).unwrap();
    let (mut chunk, mut one_by_one) = (Chunk::default(), Vec::new());
    for millis in 0.. {
        chunk.clear();
        match generator.fill(Duration::from_millis(millis), Room { events: 1, bytes: 1 }, &mut chunk).unwrap() {
            Fill::Taken => one_by_one.push(chunk.text(chunk.items()[0].value).to_vec()),
            Fill::Wait(_) => {}
            Fill::End => break,
        }
    }
    assert_eq!(one_by_one, values(&smoke, usize::MAX));
}

/// Events per code among the first million.
fn million(profile: &Profile) -> (Vec<u64>, u64) {
    let mut counts = HashMap::<u32, u64>::new();
    let long = profile.clone().with(None, Some(Duration::from_secs(100))).unwrap();
    generate(&long, 1_000_000, |chunk| {
        chunk.items().iter().for_each(|item| *counts.entry(item.codigo).or_default() += 1);
    });
    let counts: Vec<u64> =
        profile.codes.codes.iter().map(|codigo| counts.get(codigo).copied().unwrap_or_default()).collect();
    let all = counts.iter().sum();
    (counts, all)
}

fn chi_square(counts: &[u64], shares: &[f64]) -> f64 {
    let all: u64 = counts.iter().sum();
    let term = |(count, share): (&u64, &f64)| (*count as f64 - share * all as f64).powi(2) / (share * all as f64);
    counts.iter().zip(shares).map(term).sum()
}

#[test]
fn of_a_million_events_the_hottest_fifth_of_codes_has_80_per_cent() {
    for seed in [2025, 1, u64::MAX] {
        let demo = Profile { seed, ..profile("demo.toml") };
        let (counts, all) = million(&demo);
        let hottest: u64 = counts.iter().take(counts.len() / 5).sum();
        let share = hottest as f64 / all as f64;
        assert_eq!((all, counts.len()), (1_000_000, 100));
        assert!((0.79..=0.81).contains(&share), "seed {seed}: the hottest 20 % have {share}");
    }
}

#[test]
fn a_million_events_follow_the_weights_of_their_codes() {
    let demo = profile("demo.toml");
    let (counts, _) = million(&demo);
    let shares = CodeMix::new(&demo.codes).unwrap().shares();
    // 99 degrees of freedom: 148.2 is passed by one honest sample in a thousand, 56.0 undercut by as many below 0.0002.
    let found = chi_square(&counts, &shares);
    assert!((56.0..148.2).contains(&found), "chi-square {found}");
    // The test can tell: the weights of 79/20 are refused.
    let other = CodeMix::new(&Codes { share: 0.79, ..demo.codes }).unwrap().shares();
    assert!(chi_square(&counts, &other) > 200.0);
}

#[test]
fn seqs_are_gapless_per_series_and_every_event_is_what_it_should_be() {
    let mix = Mix { invalid_share: 0.02, ..Mix::default() };
    let mix = Profile { mix, ..profile("demo.toml") };
    let (mut last, mut invalid, mut before) = (HashMap::new(), HashMap::<&str, u64>::new(), Duration::ZERO);
    generate(&mix, 100_000, |chunk| {
        for item in chunk.items() {
            let (value, truck) = (chunk.text(item.value), String::from_utf8(chunk.text(item.truck).to_vec()).unwrap());
            let previous = last.insert((item.codigo, truck.clone()), item.seq).unwrap_or(0);
            assert_eq!(item.seq, previous + 1, "{truck} {}", item.codigo);
            assert!(item.due >= before);
            before = item.due;
            match (check(value), item.invalid_id) {
                (Ok(event), None) => {
                    let id = EventId::parse(&event.id).unwrap();
                    assert_eq!((id.seq, id.codigo, id.truck_id.as_str()), (item.seq, item.codigo, truck.as_str()));
                    assert_eq!((event.ts, event.truck_id.as_ref()), (item.ts, truck.as_str()));
                    assert!((180..=220).contains(&value.len()), "{} bytes", value.len());
                }
                (Err(error), Some(id)) => {
                    let id = EventId::parse(std::str::from_utf8(chunk.text(id)).unwrap()).unwrap();
                    assert_eq!((id.seq, id.truck_id.as_str()), (item.seq, truck.as_str()));
                    *invalid.entry(error.reason()).or_default() += 1;
                }
                (checked, intent) => panic!("{checked:?} although {intent:?}"),
            }
        }
    });
    let total: u64 = invalid.values().sum();
    assert!((1_850..2_150).contains(&total), "{total} invalid of 100,000");
    assert!(
        ["schema", "not-json"].iter().all(|reason| invalid[reason] > 700) && invalid["version"] > 350,
        "{invalid:?}"
    );
}

#[test]
fn events_match_the_published_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/telemetry-event.v1.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for value in values(&profile("steady-13k.toml"), 2_000) {
        let value = serde_json::from_slice(&value).unwrap();
        assert!(schema.is_valid(&value), "{value}");
    }
}

#[test]
fn every_profile_loads_and_expects_something() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadgen-profiles");
    let profiles = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for path in profiles.filter(|path| path.extension().is_some_and(|end| end == "toml")) {
        let profile = Profile::load(&path).unwrap();
        assert!(!profile.purpose.is_empty() && !profile.expected.result.is_empty(), "{}", path.display());
        assert!(profile.events() > 0);
        seen += 1;
    }
    assert!(seen >= 15);
}
