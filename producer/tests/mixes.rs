//! What a profile mixes in on purpose: every event with its fate, its seq and its time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::event::check;
use domain::ledger::ProducedKey;
use producer::chunk::{Chunk, Intent, Item, Room};
use producer::ledger::{Ledger, Offers};
use producer::profile::Profile;
use producer::source::{Fill, Generator, Load, Run, Source};
use std::collections::HashMap;
use std::time::Duration;

const START: i64 = 1_763_701_200_000;

/// A profile of 10 codes and 50 trucks at 2,000 events/s for a minute.
fn profile(fleet: &str, mix: &str) -> Profile {
    let text = format!(
        "purpose = \"t\"\nseed = 5\nduration = \"60s\"\nshape = {{ kind = \"constant\", rate = 2000 }}\n\
         codes = {{ share = 0.8, of = 0.2, groups = [{{ first = 400, count = 10 }}] }}\n\
         fleet = {{ trucks = 50{fleet} }}\nmix = {{ {mix} }}\n"
    );
    Profile::parse(&text).unwrap()
}

/// An event out of its chunk.
struct Made {
    item: Item,
    truck: String,
    value: Vec<u8>,
}

/// A whole run: its events, what the ledger was told, and the source.
struct Sample {
    events: Vec<Made>,
    ledger: Vec<ProducedKey>,
    source: Box<dyn Source>,
}

fn made(profile: &Profile) -> Sample {
    let run = Run { id: "r".into(), start_ms: START };
    let mut generator = Generator::new(profile, run).unwrap();
    let (mut events, mut offers, mut chunk) = (Vec::new(), Offers::default(), Chunk::default());
    loop {
        chunk.clear();
        match generator.fill(Duration::MAX, Room { events: 100, bytes: usize::MAX }, &mut chunk).unwrap() {
            Fill::End => break,
            Fill::Wait(_) => panic!("everything is due"),
            Fill::Taken => {}
        }
        offers.note(chunk.items());
        for item in chunk.items() {
            let truck = String::from_utf8(chunk.text(item.truck).to_vec()).unwrap();
            events.push(Made { item: *item, truck, value: chunk.text(item.value).to_vec() });
        }
    }
    let ledger = Ledger { offers, answered: Default::default(), source: Box::new(generator) };
    let seqs = ledger.lines().map(|(_, seqs)| seqs).collect();
    Sample { events, ledger: seqs, source: ledger.source }
}

/// In every series each new event has the next seq, and whatever is sent again was sent before.
fn assert_order(events: &[Made]) {
    let (mut last, mut due) = (HashMap::new(), Duration::ZERO);
    for Made { item, truck, .. } in events {
        assert!(item.due >= due, "due times go back");
        due = item.due;
        let last = last.entry((truck.clone(), item.codigo)).or_insert((item.series, 0));
        assert_eq!(last.0, item.series);
        if item.intent == Intent::Repeat {
            assert_eq!(last.1, item.seq, "a repeat follows its first");
        } else {
            assert_eq!(last.1 + 1, item.seq);
            last.1 = item.seq;
        }
    }
}

fn count(events: &[Made], intent: Intent) -> usize {
    events.iter().filter(|made| made.item.intent == intent).count()
}

fn near(found: usize, expected: f64) -> bool {
    // Five standard deviations of a count.
    (found as f64 - expected).abs() <= 5.0 * expected.sqrt() + 1.0
}

#[test]
fn repeats_are_the_same_bytes_and_the_ledger_knows_each() {
    let Sample { events, ledger, .. } = made(&profile("", "duplicate_share = 0.1, invalid_share = 0.05"));
    assert_order(&events);
    assert_eq!(events.len(), 120_000);
    let repeats = count(&events, Intent::Repeat);
    let twice = 0.95 * 0.1;
    assert!(near(repeats, 120_000.0 * twice / (1.0 + twice)), "{repeats}");
    let mut first = HashMap::new();
    for made in &events {
        let key = (made.item.series, made.item.seq);
        if made.item.intent == Intent::Repeat {
            let (value, ts) = &first[&key];
            assert_eq!((value, *ts), (&made.value, made.item.ts));
            assert!(check(&made.value).is_ok() && made.item.invalid_id.is_none());
        } else {
            assert!(first.insert(key, (made.value.clone(), made.item.ts)).is_none());
        }
    }
    let told: u64 = ledger.iter().map(|key| key.repeated.count()).sum();
    let offered: u64 = ledger.iter().map(|key| key.offered.count()).sum();
    assert_eq!((told, offered), (repeats as u64, (120_000 - repeats) as u64));
    assert!(ledger.iter().all(|key| key.repeated.both(&key.expect_rejected).is_empty()));
}

#[test]
fn oversize_events_are_valid_too_large_and_told_to_the_ledger() {
    let mut profile = profile("", "oversize_share = 0.001, oversize_bytes = \"1100KB\", invalid_share = 0.01");
    profile.duration = Duration::from_secs(20);
    let Sample { events, ledger, .. } = made(&profile);
    assert_order(&events);
    let oversize: Vec<&Made> = events.iter().filter(|made| made.item.intent == Intent::DeadLetter).collect();
    assert!(near(oversize.len(), 40.0), "{}", oversize.len());
    assert!(near(count(&events, Intent::Rejected), 400.0));
    assert!(oversize.iter().all(|made| made.value.len() == 1_100_000 && made.item.invalid_id.is_some()));
    assert!(oversize.iter().all(|made| check(&made.value).unwrap().seq == made.item.seq));
    let told: u64 = ledger.iter().map(|key| key.expect_dead_letter.count()).sum();
    assert_eq!(told, oversize.len() as u64);
}

#[test]
fn only_the_chosen_kinds_of_invalid_events_are_made() {
    let Sample { events, .. } =
        made(&profile("", "invalid_share = 0.5, invalid_kinds = [\"cut-json\", \"wrong-version\"]"));
    assert_order(&events);
    let mut reasons = HashMap::<&str, usize>::new();
    for made in &events {
        if let Err(invalid) = check(&made.value) {
            *reasons.entry(invalid.reason()).or_default() += 1;
        }
    }
    assert!(reasons.len() == 2 && near(reasons["not-json"], 30_000.0) && near(reasons["version"], 30_000.0));
}

#[test]
fn a_hot_key_has_its_share_and_the_rest_is_as_before() {
    let profile = profile("", "hot_key = { share = 0.3, truck = 7, codigo = 405 }");
    let Sample { events, .. } = made(&profile);
    assert_order(&events);
    let load = Load::new(&profile, Default::default()).unwrap();
    let hot = events.iter().filter(|made| made.item.codigo == 405 && made.truck.ends_with("07")).count();
    let expected = 0.3 + 0.7 / 50.0 * load.codes[5];
    assert!(near(hot, 120_000.0 * expected), "{hot}");
    let of_code = events.iter().filter(|made| made.item.codigo == 405).count();
    assert!(near(of_code, 120_000.0 * load.code_shares()[5]), "{of_code}");
    assert!((load.hottest_share(2) - (0.3 + 0.7 * (load.codes[0] + load.codes[5]))).abs() < 1e-9);
}

#[test]
fn trucks_follow_zipfs_law() {
    for exponent in [0.0, 0.7, 1.5] {
        let profile = profile(&format!(", zipf = {exponent}"), "");
        let mut counts = [0usize; 50];
        made(&profile).events.iter().for_each(|made| counts[made.truck[4..].parse::<usize>().unwrap()] += 1);
        let harmonic: f64 = (1..=50).map(|rank| f64::from(rank).powf(-exponent)).sum();
        let chi_square: f64 = (1..)
            .zip(&counts)
            .map(|(rank, count)| {
                let expected = 120_000.0 * f64::from(rank).powf(-exponent) / harmonic;
                (*count as f64 - expected).powi(2) / expected
            })
            .sum();
        // 49 degrees of freedom: one honest sample in a thousand passes 85.4.
        assert!(chi_square < 85.4, "exponent {exponent}: chi-square {chi_square}");
    }
}

#[test]
fn late_trucks_send_what_they_kept_in_order_with_its_own_time() {
    let profile = profile("", "late = { share = 0.2, offline = \"5s\", every = \"20s\" }");
    let Sample { events, source, .. } = made(&profile);
    assert_order(&events);
    assert_eq!(events.len(), 120_000);
    let at = |made: &Made| Duration::from_millis((made.item.ts - START) as u64);
    let is_late = |made: &&Made| made.item.due.saturating_sub(at(made)) >= Duration::from_millis(1);
    let late: Vec<&Made> = events.iter().filter(is_late).collect();
    let trucks: std::collections::HashSet<&str> = late.iter().map(|made| made.truck.as_str()).collect();
    assert_eq!(trucks.len(), 10, "a fifth of 50 trucks");
    let expected = Load::new(&profile, Default::default()).unwrap().late_events(&profile);
    assert!(near(late.len(), expected) && expected > 4_000.0, "{} late, {expected} expected", late.len());
    assert!(late.iter().all(|made| made.item.due - at(made) <= Duration::from_millis(5_001)));
    assert!(events.iter().all(|made| made.item.due <= Duration::from_secs(60)));
    let mut clocks = HashMap::new();
    for made in &events {
        let before = clocks.insert(made.truck.as_str(), at(made)).unwrap_or_default();
        assert!(at(made) >= before, "a truck's events stand in the order of their times");
    }
    for second in 0..=61 {
        let due = Duration::from_secs(second);
        let before = events.iter().filter(|made| made.item.due < due).count() as u64;
        assert_eq!(source.planned(due), Some(before), "second {second}");
    }
}

#[test]
fn a_late_truck_is_silent_until_it_is_back() {
    let profile = profile("", "late = { share = 1.0, offline = \"5s\", every = \"20s\" }");
    let run = Run { id: "r".into(), start_ms: START };
    let mut generator = Generator::new(&profile, run).unwrap();
    let (mut chunk, mut now) = (Chunk::default(), Duration::ZERO);
    let mut waits = 0;
    loop {
        chunk.clear();
        match generator.fill(now, Room { events: 64, bytes: usize::MAX }, &mut chunk).unwrap() {
            Fill::End => break,
            Fill::Wait(due) => {
                assert!(due > now);
                (now, waits) = (due, waits + 1);
            }
            Fill::Taken => assert!(chunk.items().iter().all(|item| item.due <= now)),
        }
    }
    assert!(waits > 10_000 && now <= Duration::from_secs(60));
}
