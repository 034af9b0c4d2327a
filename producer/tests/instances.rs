//! Several instances together do exactly what one alone would do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use producer::chunk::{Chunk, Room};
use producer::instance::Instance;
use producer::limit::Limits;
use producer::profile::Profile;
use producer::source::{Fill, Generator, Load, Replay, Run, Source};
use proptest::prelude::*;
use runtime::config::Size;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// An event as it goes out: when, from whom, and its bytes.
type Sent = (Duration, String, Vec<u8>);

fn all(mut source: impl Source) -> (Vec<Sent>, impl Source) {
    let (mut sent, mut chunk) = (Vec::new(), Chunk::default());
    loop {
        chunk.clear();
        let fill = source.fill(Duration::MAX, Room { events: 37, bytes: usize::MAX }, &mut chunk).unwrap();
        for item in chunk.items() {
            let truck = String::from_utf8(chunk.text(item.truck).to_vec()).unwrap();
            sent.push((item.due, truck, chunk.text(item.value).to_vec()));
        }
        if fill == Fill::End {
            return (sent, source);
        }
    }
}

fn generator(profile: &Profile, number: u32, of: u32) -> Generator {
    let run = Run { id: "r".into(), start_ms: 1_763_701_200_000 };
    Generator::of_instance(profile, run, Instance::new(number, of).unwrap()).unwrap()
}

/// What each truck sends, in its order.
fn by_truck(sent: &[Sent]) -> BTreeMap<&str, Vec<(Duration, &[u8])>> {
    let mut trucks = BTreeMap::<_, Vec<_>>::new();
    for (due, truck, value) in sent {
        trucks.entry(truck.as_str()).or_default().push((*due, value.as_slice()));
    }
    trucks
}

fn profiles() -> impl Strategy<Value = Profile> {
    let shape = prop_oneof![
        Just("{ kind = \"constant\", rate = 900 }"),
        Just("{ kind = \"sine\", low = 0, high = 2000, period = \"3s\" }"),
        Just("{ kind = \"burst\", rate = 100, burst = 3000, for = \"1s\", every = \"4s\" }"),
    ];
    let mix = prop_oneof![
        Just(""),
        Just("invalid_share = 0.1, duplicate_share = 0.2"),
        Just("hot_key = { share = 0.4, truck = 3, codigo = 402 }"),
        Just("late = { share = 0.4, offline = \"2s\", every = \"3s\" }, duplicate_share = 0.1"),
        Just("oversize_share = 0.05, oversize_bytes = \"2KB\""),
    ];
    (any::<u64>(), 5_u32..40, 0.0..2.0, shape, mix).prop_map(|(seed, trucks, zipf, shape, mix)| {
        let text = format!(
            "purpose = \"t\"\nseed = {}\nduration = \"8s\"\nshape = {shape}\n\
             codes = {{ share = 0.8, of = 0.2, groups = [{{ first = 400, count = 5 }}] }}\n\
             fleet = {{ trucks = {trucks}, zipf = {zipf} }}\nmix = {{ {mix} }}\n",
            seed >> 1
        );
        Profile::parse(&text).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_union_of_instances_is_the_run_of_one(profile in profiles(), of in 1_u32..=5) {
        let (whole, alone) = all(generator(&profile, 1, 1));
        prop_assert_eq!(whole.len() as u64, profile.events());
        let (mut union, mut trucks, mut planned) = (Vec::new(), HashSet::new(), vec![0; 10]);
        for number in 1..=of {
            let (sent, source) = all(generator(&profile, number, of));
            prop_assert!(sent.is_sorted_by_key(|(due, ..)| *due));
            let own: HashSet<String> = sent.iter().map(|(_, truck, _)| truck.clone()).collect();
            prop_assert!(trucks.is_disjoint(&own), "a truck on two instances");
            trucks.extend(own);
            for (second, planned) in (0..).zip(&mut planned) {
                let until = Duration::from_secs(second);
                let due = sent.iter().filter(|(due, ..)| *due < until).count() as u64;
                prop_assert_eq!(source.planned(until), Some(due), "instance {}/{}, second {}", number, of, second);
                *planned += due;
            }
            union.extend(sent);
        }
        for (second, planned) in (0..).zip(planned) {
            prop_assert_eq!(alone.planned(Duration::from_secs(second)), Some(planned), "second {}", second);
        }
        prop_assert_eq!(by_truck(&union), by_truck(&whole));
        union.sort();
        let mut whole = whole;
        whole.sort();
        prop_assert!(union == whole, "the same bytes at the same times");
    }

    /// A run that was stopped, or is behind, knows its plan as one that went through.
    #[test]
    fn the_plan_is_known_before_it_is_walked(profile in profiles(), of in 2_u32..=4) {
        let fresh = generator(&profile, 2, of);
        let (_, through) = all(generator(&profile, 2, of));
        for second in 0..10 {
            let until = Duration::from_secs(second);
            prop_assert_eq!(fresh.planned(until), through.planned(until), "second {}", second);
        }
    }

    #[test]
    fn expected_shares_of_instances_add_up(profile in profiles(), of in 1_u32..=5) {
        let load = |number| Load::new(&profile, Instance::new(number, of).unwrap()).unwrap();
        let whole: f64 = (1..=of).map(|number| load(number).whole).sum();
        prop_assert!((whole - 1.0).abs() < 1e-9);
        let late = |load: Load| load.late_events(&profile);
        let all = late(Load::new(&profile, Instance::default()).unwrap());
        let sum: f64 = (1..=of).map(|number| late(load(number))).sum();
        prop_assert!((sum - all).abs() < 1e-6);
        prop_assert!((1..=of).all(|number| (load(number).code_shares().iter().sum::<f64>() - 1.0).abs() < 1e-9));
    }

    #[test]
    fn limits_of_instances_add_up_to_the_whole(of in 1_u32..=1_000, events in 0.0..1e7, bytes in 0_u64..10_000_000_000) {
        let limits = Limits { events_per_second: events, bytes_per_second: Size::from_bytes(bytes) };
        let parts: Vec<Limits> = (1..=of).map(|number| limits.part(Instance::new(number, of).unwrap())).collect();
        prop_assert_eq!(parts.iter().map(|part| part.bytes_per_second.bytes()).sum::<u64>(), bytes);
        let sum: f64 = parts.iter().map(|part| part.events_per_second).sum();
        prop_assert!((sum - events).abs() <= 1e-9 * events);
    }
}

#[test]
fn two_and_three_instances_have_even_shares_of_a_real_load() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadgen-profiles/demo.toml");
    let profile = Profile::load(&path).unwrap().with(None, Some(Duration::from_secs(5))).unwrap();
    for of in [2, 3] {
        let counts: Vec<usize> = (1..=of).map(|number| all(generator(&profile, number, of)).0.len()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 65_000, "rates add up exactly");
        let even = 65_000.0 / f64::from(of);
        assert!(counts.iter().all(|count| (*count as f64 / even - 1.0).abs() < 0.02), "{counts:?}");
    }
}

#[test]
fn replaying_instances_share_the_trucks_and_one_tells_the_bad_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.ndjson");
    let event = |truck: u32, seq: u32| {
        format!(
            r#"{{"v":1,"id":"r-BR{truck}-400-{seq}","codigo":400,"truck_id":"BR{truck}","seq":{seq},"ts":7,"lat":-23.5,"lon":-46.6,"speed":8.4,"fuel":6.2,"odo":2.2}}"#
        )
    };
    let mut lines: Vec<String> = (1..=50).flat_map(|seq| (0..40).map(move |truck| event(truck, seq))).collect();
    lines.insert(100, "{".into());
    std::fs::write(&path, lines.join("\n")).unwrap();
    let replay = |number, of| {
        let instance = Instance::new(number, of).unwrap();
        let (sent, mut source) = all(Replay::of_instance(vec![path.clone()], Some(1_000.0), instance));
        let bad = source.bad_lines().len();
        let planned = (0..4).map(|second| source.planned(Duration::from_secs(second)).unwrap()).collect::<Vec<_>>();
        (sent, bad, planned)
    };
    let (mut whole, bad, planned) = replay(1, 1);
    assert_eq!((whole.len(), bad, planned), (2_000, 1, vec![0, 1_000, 2_000, 2_000]));
    let parts: Vec<_> = (1..=3).map(|number| replay(number, 3)).collect();
    assert_eq!(parts.iter().map(|(_, bad, _)| bad).collect::<Vec<_>>(), [&1, &0, &0]);
    for second in 0..4 {
        let sum: u64 = parts.iter().map(|(_, _, planned)| planned[second]).sum();
        assert_eq!(sum, [0, 1_000, 2_000, 2_000][second]);
    }
    let mut union: Vec<Sent> = parts.into_iter().flat_map(|(sent, ..)| sent).collect();
    let trucks = |sent: &[Sent]| sent.iter().map(|(_, truck, _)| truck.clone()).collect::<HashSet<_>>().len();
    assert_eq!(trucks(&union), 40);
    union.sort();
    whole.sort();
    assert!(union == whole);
}
