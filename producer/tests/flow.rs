//! The flow against a scripted client and a clock turned by hand: order, room, limits, drain, accounting.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use producer::answers::Answers;
use producer::chunk::{Chunk, Item};
use producer::client::Offered;
use producer::in_flight::InFlight;
use producer::ledger::Ledger;
use producer::limit::{LimitControl, Limiter, Limits};
use producer::pipeline::{End, Flown, Pipeline};
use producer::profile::Profile;
use producer::report::rate;
use producer::route::{RouteRaw, Router};
use producer::send::{Books, Outlet, Patience, Sending};
use producer::set_aside::SetAsideFile;
use producer::source::{Generator, Replay, Run, Source};
use producer::tally::Tally;
use runtime::clock::{Clock, ManualClock};
use runtime::health::Health;
use runtime::shutdown::Shutdown;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Log = Arc<Mutex<Vec<(u32, u64)>>>;

/// Answers with what the script says for the n-th offer, and remembers what it took.
struct Script {
    say: Box<dyn FnMut(u64) -> Offered + Send>,
    offers: u64,
    taken: Log,
    clock: ManualClock,
}

impl Outlet for Script {
    fn offer(&mut self, item: &Item, _: &Chunk) -> Offered {
        let said = (self.say)(self.offers);
        self.offers += 1;
        if said == Offered::Taken {
            self.taken.lock().unwrap().push((item.series, item.seq));
        }
        said
    }

    fn wait_for_room(&mut self, at_most: Duration) {
        self.clock.advance(at_most);
    }
}

/// What a test holds in its hands.
struct Bench {
    clock: ManualClock,
    shutdown: Shutdown,
    tally: Tally,
    taken: Log,
    limits: LimitControl,
    answers: Arc<Answers>,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let (clock, shutdown, tally) = (ManualClock::starting_at(1_000_000), Shutdown::new(), Tally::default());
        let shared = Arc::new(clock.clone());
        let answers = Answers::new(InFlight::new(16), tally.clone(), shared, shutdown.clone(), true).unwrap();
        Self {
            clock,
            shutdown,
            tally,
            taken: Log::default(),
            limits: LimitControl::default(),
            answers: Arc::new(answers),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn run(&self, source: Box<dyn Source>, say: impl FnMut(u64) -> Offered + Send + 'static) -> Flown {
        self.pipeline(source, say, self.clock.clone()).run().0
    }

    /// Sleeping turns `slept`, the hands of the clock.
    fn pipeline(
        &self,
        source: Box<dyn Source>,
        say: impl FnMut(u64) -> Offered + Send + 'static,
        slept: ManualClock,
    ) -> Pipeline<Script> {
        let clock = Arc::new(self.clock.clone());
        let taken = self.taken.clone();
        let outlet = Script { say: Box::new(say), offers: 0, taken, clock: self.clock.clone() };
        let sending = Sending {
            outlet,
            answers: self.answers.clone(),
            clock: clock.clone(),
            patience: Patience::new(self.shutdown.clone(), clock.clone(), Duration::from_secs(10)),
            beat: Health::new(clock.clone()).component("flow", Duration::from_secs(1)),
            books: Books { offers: Some(Default::default()), ..Books::default() },
        };
        Pipeline {
            source,
            router: Router::new(&[RouteRaw { codigo: "300-499".parse().unwrap(), topic: "t".into() }]),
            strategy: Default::default(),
            limiter: Limiter::new(self.limits.clone(), clock),
            sending,
            set_aside: Arc::new(SetAsideFile::new(self.folder.path().join("aside.ndjson"))),
            pause: Box::new(move |time| slept.advance(time)),
        }
    }

    fn taken(&self) -> Vec<(u32, u64)> {
        self.taken.lock().unwrap().clone()
    }

    fn aside(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.folder.path().join("aside.ndjson")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn profile(rate: f64, seconds: u64) -> Profile {
    let text = format!(
        "purpose = \"t\"\nseed = 5\nduration = \"{seconds}s\"\nshape = {{ kind = \"constant\", rate = {rate} }}\n\
         codes = {{ share = 0.8, of = 0.2, groups = [{{ first = 400, count = 5 }}] }}\nfleet = {{ trucks = 3 }}\n\
         mix = {{ invalid_share = 0.1 }}\n"
    );
    Profile::parse(&text).unwrap()
}

fn generator(rate: f64, seconds: u64) -> Box<dyn Source> {
    let run = Run { id: "r".into(), start_ms: 0 };
    Box::new(Generator::new(&profile(rate, seconds), run).unwrap())
}

fn assert_seqs_ascend_by_one(taken: &[(u32, u64)]) {
    let mut last = HashMap::new();
    for (series, seq) in taken {
        assert_eq!(*seq, last.insert(*series, *seq).unwrap_or(0) + 1, "series {series}");
    }
}

#[test]
fn a_full_queue_gets_the_same_event_again_before_any_other() {
    let bench = Bench::new();
    // Full again and again, in bursts of different length.
    let flown =
        bench.run(
            generator(2_000.0, 2),
            |offer| if offer % 7 < 3 || offer % 31 == 4 { Offered::Full } else { Offered::Taken },
        );
    assert_eq!(flown.end, End::Complete);
    let taken = bench.taken();
    assert_eq!(taken.len(), 4_000);
    assert_seqs_ascend_by_one(&taken);
    assert_eq!((bench.tally.offered.get(), bench.tally.sent.get()), (4_000, 4_000));
    assert!(bench.tally.queue_full.get() > 1_000);
}

#[test]
fn only_a_full_queue_counts_as_one_and_what_waits_for_anything_else_keeps_its_place_as_well() {
    let bench = Bench::new();
    bench.run(generator(2_000.0, 1), |offer| match offer % 8 {
        3 => Offered::Full,
        0..3 => Offered::Later,
        _ => Offered::Taken,
    });
    let taken = bench.taken();
    assert_eq!(taken.len(), 2_000);
    assert_seqs_ascend_by_one(&taken);
    assert_eq!(bench.tally.queue_full.get(), 500);
}

#[test]
fn events_leave_when_they_are_due_and_every_second_holds_its_rate() {
    let bench = Bench::new();
    let flown = bench.run(generator(1_000.0, 5), |_| Offered::Taken);
    let elapsed = flown.elapsed.as_secs_f64();
    let source = &flown.source;
    let rate = rate(&flown.books.pace.per_second, elapsed, |until| source.planned(until));
    assert!(rate.worst_second_error.unwrap() <= 0.002, "{rate:?}");
    assert!(flown.books.pace.lateness_max <= Duration::from_millis(4));
    assert!((4.9..=5.0).contains(&elapsed), "{elapsed}");
}

#[test]
fn after_a_standstill_nothing_is_skipped_and_lateness_is_told() {
    let bench = Bench::new();
    // No room for three seconds of the clock: each wait takes 10 ms.
    let flown =
        bench.run(
            generator(1_000.0, 10),
            |offer| if (2_000..2_300).contains(&offer) { Offered::Full } else { Offered::Taken },
        );
    assert_eq!(bench.taken().len(), 10_000);
    let late = flown.books.pace.lateness_max;
    assert!((2.99..3.1).contains(&late.as_secs_f64()), "{late:?}");
    assert_eq!(flown.books.pace.per_second.iter().sum::<u64>(), 10_000);
}

#[test]
fn limits_hold_over_the_schedule_and_can_be_lifted() {
    let bench = Bench::new();
    bench.limits.set(Limits { events_per_second: 100.0, ..Limits::default() });
    let limits = bench.limits.clone();
    let flown = bench.run(generator(1_000.0, 4), move |offer| {
        if offer == 1_000 {
            limits.set(Limits::default());
        }
        Offered::Taken
    });
    let seconds = &flown.books.pace.per_second;
    assert!(seconds.iter().take(9).all(|sent| (99..=102).contains(sent)), "{seconds:?}");
    assert_eq!(bench.taken().len(), 4_000);
    assert!((10..=11).contains(&seconds.len()), "{seconds:?}");
}

#[test]
fn a_drain_stops_the_source_and_a_deadline_ends_the_waiting_for_room() {
    let bench = Bench::new();
    let (shutdown, start) = (bench.shutdown.clone(), bench.clock.now());
    let flown = bench.run(generator(1_000.0, 60), move |offer| {
        if offer == 5_000 {
            shutdown.trigger("SIGTERM");
        }
        if offer < 5_000 { Offered::Taken } else { Offered::Full }
    });
    assert_eq!(flown.end, End::Stopped);
    let waited = (bench.clock.now() - start).as_secs_f64();
    assert!((14.9..15.5).contains(&waited), "5 s of events and 10 s of deadline, not {waited}");
    let (offered, failed) = (bench.tally.offered.get(), bench.tally.failed.get());
    assert_eq!((bench.tally.sent.get(), offered - failed), (5_000, 5_000));
    assert!(failed >= 1 && bench.answers.take().failures.contains_key("not sent before the shutdown deadline"));
}

#[test]
fn what_breaks_the_client_ends_the_run_and_counts_the_rest() {
    let bench = Bench::new();
    let flown = bench.run(generator(1_000.0, 5), |offer| match offer {
        0..100 => Offered::Taken,
        _ => Offered::Broken("no rights".into()),
    });
    assert_eq!((flown.end, bench.answers.why_broken()), (End::Stopped, Some("no rights")));
    assert_eq!(bench.tally.offered.get(), 100 + bench.tally.failed.get());
}

#[test]
fn the_ledger_holds_every_offered_event_and_the_invalid_ones() {
    let bench = Bench::new();
    let flown = bench.run(generator(1_000.0, 3), |_| Offered::Taken);
    let Flown { source, books, .. } = flown;
    let ledger = Ledger { offers: books.offers.unwrap(), answered: Default::default(), source };
    let lines: Vec<_> = ledger.lines().map(|(_, seqs)| seqs).collect();
    let offered: u64 = lines.iter().map(|seqs| seqs.offered.count()).sum();
    let invalid: u64 = lines.iter().map(|seqs| seqs.expect_rejected.count()).sum();
    assert_eq!(offered, 3_000);
    assert!((200..400).contains(&invalid), "{invalid} of 3,000 at 10 %");
    assert!(lines.iter().all(|seqs| seqs.offered.ranges().len() == 1 && seqs.acknowledged.is_empty()));
}

#[test]
fn a_replay_tells_bad_lines_and_events_without_a_route_and_sends_the_rest() {
    let bench = Bench::new();
    let event = |codigo: u32, seq: u64| {
        format!(
            r#"{{"v":1,"id":"r-BR1-{codigo}-{seq}","codigo":{codigo},"truck_id":"BR1","seq":{seq},"ts":7,"lat":-23.5,"lon":-46.6,"speed":8.4,"fuel":6.2,"odo":2.2}}"#
        )
    };
    let path = bench.folder.path().join("in.ndjson");
    std::fs::write(&path, [event(400, 1), "{".into(), event(7, 1), event(400, 2)].join("\n")).unwrap();
    let flown = bench.run(Box::new(Replay::new(vec![path], None)), |_| Offered::Taken);
    assert_eq!((flown.end, bench.taken()), (End::Complete, vec![(0, 1), (0, 2)]));
    let tally = &bench.tally;
    assert_eq!((tally.offered.get(), tally.bad_lines.get(), tally.unroutable.get()), (2, 1, 1));
    assert_eq!(tally.not_set_aside.get(), 0);
    let aside = bench.aside();
    assert_eq!((aside[0]["line"].as_u64(), aside[0]["reason"].as_str()), (Some(2), Some("not-json")));
    assert_eq!(
        (aside[1]["reason"].as_str(), aside[1]["value"].as_str()),
        (Some("no-route"), Some(event(7, 1).as_str()))
    );

    let bench = Bench::new();
    std::fs::create_dir(bench.folder.path().join("aside.ndjson")).unwrap();
    let path = bench.folder.path().join("in.ndjson");
    std::fs::write(&path, ["{".into(), event(7, 1)].join("\n")).unwrap();
    bench.run(Box::new(Replay::new(vec![path], None)), |_| Offered::Taken);
    assert_eq!(bench.tally.not_set_aside.get(), 2, "what no file takes is counted");
}
