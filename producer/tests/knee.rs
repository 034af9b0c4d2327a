//! Climbs and standstills against a scripted Kafka that acknowledges so many events a second, and a clock turned by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use producer::answers::Answers;
use producer::chunk::{Chunk, Item};
use producer::client::Offered;
use producer::in_flight::{Flying, InFlight, Slots};
use producer::instance::Instance;
use producer::knee::{Failing, Knee, taken, watch};
use producer::limit::{LimitControl, Limiter};
use producer::pipeline::{End, Flown, Pipeline};
use producer::profile::Profile;
use producer::route::{RouteRaw, Router};
use producer::send::{Books, Outlet, Patience, Sending};
use producer::set_aside::SetAsideFile;
use producer::source::{Generator, Run};
use producer::tally::Tally;
use runtime::clock::{Clock, ManualClock};
use runtime::health::Health;
use runtime::shutdown::Shutdown;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Serves one event after the other, each for the same time; nothing while it stands still.
struct Kafka {
    clock: ManualClock,
    answers: Arc<Answers>,
    slots: Slots,
    waiting: VecDeque<(Duration, usize)>,
    last: Duration,
    each: Duration,
    stands_still: Range<Duration>,
}

const BASE_LATENCY: Duration = Duration::from_millis(4);

impl Kafka {
    /// Acknowledges what is done by now.
    fn work(&mut self) {
        let now = self.clock.now();
        while let Some((done, slot)) = self.waiting.front().copied().filter(|(done, _)| *done <= now) {
            self.waiting.pop_front();
            self.last = done;
            self.answers.acknowledged(slot, 0);
        }
    }

    fn take(&mut self, flying: Flying) -> Offered {
        self.work();
        let Some(slot) = self.slots.take(flying, self.clock.now()) else { return Offered::Full };
        let before = self.waiting.back().map_or(self.last, |(done, _)| *done);
        let mut done = (before + self.each).max(self.clock.now() + BASE_LATENCY);
        if self.stands_still.contains(&done) {
            done = self.stands_still.end;
        }
        self.waiting.push_back((done, slot));
        Offered::Taken
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Kafka>>);

impl Shared {
    fn pass(&self, time: Duration) {
        let mut kafka = self.0.lock().unwrap();
        kafka.clock.advance(time);
        kafka.work();
    }
}

impl Outlet for Shared {
    fn offer(&mut self, item: &Item, _: &Chunk) -> Offered {
        let Item { due, series, seq, topic, ticket, .. } = *item;
        self.0.lock().unwrap().take(Flying { due, waited: Duration::ZERO, series, seq, topic, ticket, spooled: 0 })
    }

    fn wait_for_room(&mut self, _: Duration) {
        self.pass(Duration::from_millis(1));
    }
}

/// Runs a load against a Kafka with so many events/s and so much room; the knee, when the shape is a climb.
fn run(
    shape: &str,
    seconds: u64,
    events_per_second: f64,
    room: u32,
    still: Range<u64>,
) -> (Flown, Arc<Answers>, Option<Knee>) {
    run_instance((shape, "1/1"), seconds, events_per_second, room, still)
}

fn run_instance(
    (shape, instance): (&str, &str),
    seconds: u64,
    events_per_second: f64,
    room: u32,
    still: Range<u64>,
) -> (Flown, Arc<Answers>, Option<Knee>) {
    let instance: Instance = instance.parse().unwrap();
    let text = format!(
        "purpose = \"t\"\nseed = 5\nduration = \"{seconds}s\"\nshape = {{ {shape} }}\n\
         codes = {{ share = 0.8, of = 0.2, groups = [{{ first = 400, count = 5 }}] }}\nfleet = {{ trucks = 3 }}\n"
    );
    let profile = Profile::parse(&text).unwrap();
    let (clock, shutdown) = (ManualClock::starting_at(1_000_000), Shutdown::new());
    let hands: Arc<dyn Clock> = Arc::new(clock.clone());
    let in_flight = InFlight::new(room);
    let answers = Answers::new(in_flight.clone(), Tally::default(), hands.clone(), shutdown.clone(), false).unwrap();
    let answers = Arc::new(answers);
    let kafka = Shared(Arc::new(Mutex::new(Kafka {
        clock,
        answers: answers.clone(),
        slots: Slots::new(in_flight),
        waiting: VecDeque::new(),
        last: Duration::ZERO,
        each: Duration::from_secs_f64(1.0 / events_per_second),
        stands_still: Duration::from_secs(still.start)..Duration::from_secs(still.end),
    })));
    let generator = Generator::of_instance(&profile, Run { id: "r".into(), start_ms: 0 }, instance).unwrap();
    let (source, knee) = watch(Box::new(generator), Some(&profile), instance, &answers);
    let folder = tempfile::tempdir().unwrap();
    let passing = kafka.clone();
    let pipeline = Pipeline {
        source,
        router: Router::new(&[RouteRaw { codigo: "*".parse().unwrap(), topic: "t".into() }]),
        strategy: Default::default(),
        limiter: Limiter::new(LimitControl::default(), hands.clone()),
        sending: Sending {
            outlet: kafka.clone(),
            answers: answers.clone(),
            clock: hands.clone(),
            patience: Patience::new(shutdown, hands.clone(), Duration::from_secs(10)),
            beat: Health::new(hands).component("flow", Duration::from_secs(1)),
            books: Books::default(),
        },
        set_aside: Arc::new(SetAsideFile::new(folder.path().join("aside.ndjson"))),
        pause: Box::new(move |time| passing.pass(time)),
    };
    let (flown, _) = pipeline.run();
    while answers.tally.unanswered() > 0 {
        kafka.pass(Duration::from_millis(1));
    }
    (flown, answers, knee.as_ref().map(taken))
}

fn climb(highest: u64, ack_p99: &str, queue: u64) -> String {
    format!(
        "kind = \"climb\", start = 1000, factor = 2, every = \"5s\", highest = {highest}, ack_p99 = \"{ack_p99}\", queue = {queue}"
    )
}

const NEVER: Range<u64> = 0..0;

#[test]
fn a_climb_stops_behind_the_highest_rate_that_kafka_holds() {
    let (flown, answers, knee) = run(&climb(64_000, "100ms", 1_000_000), 35, 5_000.0, 100_000, NEVER);
    let knee = knee.unwrap();
    assert_eq!(flown.end, End::Complete);
    assert_eq!((knee.highest_sustained, knee.broken_at), (Some(4_000.0), Some(8_000.0)), "{knee}");
    assert_eq!(knee.broken_by, [Failing::AckP99, Failing::Rate]);
    assert_eq!((knee.steps.len(), knee.steps_planned), (4, 7));
    let broken = knee.steps[3].measured;
    assert!((broken.reached - 5_000.0).abs() < 10.0 && broken.ack_p99_ms.unwrap() > 1_000.0, "{knee}");
    assert!((14_900..15_100).contains(&broken.queue), "3,000 events/s too many for 5 s: {knee}");
    let held = knee.steps[2].measured;
    assert!((held.reached / 4_000.0 - 1.0).abs() < 0.001 && held.ack_p99_ms.unwrap() < 13.0, "{knee}");
    // It ended with the step, the plan too, and what was under way came home.
    let planned = flown.source.planned(Duration::from_secs(60)).unwrap();
    assert!((75_000..75_100).contains(&planned), "{planned}");
    assert!((20.0..20.1).contains(&flown.elapsed.as_secs_f64()), "{:?}", flown.elapsed);
    assert_eq!(answers.tally.acknowledged.get(), answers.tally.offered.get());
}

#[test]
fn a_queue_over_its_limit_ends_the_climb_however_patient_the_latency_is() {
    let (_, _, knee) = run(&climb(64_000, "10m", 500), 35, 5_000.0, 100_000, NEVER);
    let knee = knee.unwrap();
    assert_eq!((knee.highest_sustained, knee.broken_at), (Some(4_000.0), Some(8_000.0)), "{knee}");
    assert_eq!(knee.broken_by, [Failing::Queue, Failing::Rate]);
}

#[test]
fn a_queue_that_is_full_all_the_time_still_shows_where_it_broke() {
    // The client takes 200 events at most, so the queue never grows: what waits is late instead.
    let (_, answers, knee) = run(&climb(64_000, "100ms", 1_000_000), 35, 5_000.0, 200, NEVER);
    let knee = knee.unwrap();
    assert_eq!((knee.highest_sustained, knee.broken_at), (Some(4_000.0), Some(8_000.0)), "{knee}");
    assert!(answers.tally.queue_full.get() > 0);
}

#[test]
fn a_climb_that_nothing_breaks_ends_with_its_last_step() {
    let (flown, _, knee) = run(&climb(3_000, "100ms", 500), 15, 1e6, 100_000, NEVER);
    let knee = knee.unwrap();
    let wanted: Vec<f64> = knee.steps.iter().map(|step| step.measured.wanted).collect();
    assert_eq!(wanted, [1_000.0, 2_000.0, 3_000.0]);
    assert_eq!((knee.highest_sustained, knee.broken_at), (Some(3_000.0), None), "{knee}");
    assert!((15.0..15.1).contains(&flown.elapsed.as_secs_f64()), "{:?}", flown.elapsed);
}

#[test]
fn the_last_step_is_judged_although_its_last_event_is_out_before_its_end() {
    let slow = climb(30, "100ms", 500).replace("start = 1000", "start = 10");
    // An instance's events are not evenly spread: a step of it has more or fewer than its part of the rate.
    for instance in ["1/1", "1/2", "2/2"] {
        let (flown, _, knee) = run_instance((&slow, instance), 15, 1e6, 100_000, NEVER);
        assert_eq!((knee.unwrap().steps.len(), flown.end), (3, End::Complete), "{instance}");
        assert!((15.0..15.1).contains(&flown.elapsed.as_secs_f64()), "{instance}: {:?}", flown.elapsed);
    }
}

/// Three trucks: the first of two instances has two of them, the second the other one.
#[test]
fn each_of_several_instances_climbs_its_part_to_the_end() {
    for (instance, part) in [("1/2", 2.0 / 3.0), ("2/2", 1.0 / 3.0)] {
        let (flown, answers, knee) = run_instance((&climb(3_000, "100ms", 500), instance), 15, 1e6, 100_000, NEVER);
        let knee = knee.unwrap();
        let wanted: Vec<f64> = knee.steps.iter().map(|step| step.measured.wanted).collect();
        let expected = [1_000.0, 2_000.0, 3_000.0].map(|rate| rate * part);
        assert!(wanted.iter().zip(expected).all(|(rate, of_it)| (rate - of_it).abs() < 1e-6), "{instance}: {knee}");
        assert_eq!((knee.steps.len(), flown.end), (3, End::Complete), "{instance}: {knee}");
        assert!(knee.steps.iter().all(|step| step.held()) && knee.broken_at.is_none(), "{instance}: {knee}");
        let events = answers.tally.acknowledged.get() as f64;
        assert!((events / (30_000.0 * part) - 1.0).abs() < 0.02, "{instance}: {events}");
    }
}

#[test]
fn a_run_that_is_shorter_than_its_climb_judges_whole_steps_only() {
    let (flown, _, knee) = run(&climb(3_000, "100ms", 500), 7, 1e6, 100_000, NEVER);
    let knee = knee.unwrap();
    assert_eq!((knee.steps.len(), knee.highest_sustained), (1, Some(1_000.0)), "{knee}");
    assert!(knee.sentence().ends_with("it ended before a step passed a limit"), "{knee}");
    assert!(flown.elapsed < Duration::from_millis(7_050), "{:?}", flown.elapsed);
}

#[test]
fn a_standstill_of_five_seconds_is_in_the_latency_whoever_had_to_wait() {
    // 13,000 events/s; once with room for all that comes meanwhile, once with room for a tenth of a second.
    for room in [100_000, 1_300] {
        let (flown, answers, knee) = run("kind = \"constant\", rate = 13000", 20, 200_000.0, room, 8..13);
        let (latency, pace) = (answers.take().latency, flown.books.pace);
        assert!(knee.is_none());
        assert_eq!(answers.tally.acknowledged.get(), 260_000);
        assert!(latency.whole.p999 >= 4_900.0 && latency.whole.max >= 4_900.0, "room {room}: {:?}", latency.whole);
        assert!(latency.whole.p50 < 20.0, "{:?}", latency.whole);
        // Nothing came while it stood still, and what came then was late.
        let seconds: Vec<u64> = latency.series.points.iter().map(|point| point.second).collect();
        assert!(!seconds.contains(&10) && seconds.contains(&7) && seconds.contains(&13), "{seconds:?}");
        let worst = latency.series.points.iter().find(|point| point.second == 13).unwrap();
        assert!(worst.max >= 4_900.0 && worst.p99 > 4_000.0, "{worst:?}");
        let late = pace.lateness.summary();
        if room == 1_300 {
            assert!(late.late_sends > 50_000 && late.max > 4_800.0 && late.p50 < 4.0, "{late:?}");
        } else {
            assert_eq!(late.late_sends, 0, "{late:?}");
        }
    }
}
