//! The rule by itself, against a model of a function, and what holds whatever happens.

use super::{Call, End, Round, Size, SizeSettings};
use proptest::prelude::*;
use std::time::Duration;

const BUDGET: Duration = Duration::from_secs(2);
const LATE: Duration = Duration::from_secs(30);
const SETTINGS: SizeSettings = SizeSettings { adaptive: true, least: 10, most: 500, budget: BUDGET };

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A size, and the clock beside it.
struct Bench {
    size: Size,
    now: Duration,
}

impl Bench {
    fn new() -> Self {
        Self { size: Size::new(SETTINGS), now: Duration::ZERO }
    }

    /// A full batch of the limit, whose call ends so.
    fn call(&mut self, end: End) -> usize {
        self.end(self.size.limit(), self.size.round(), end)
    }

    fn end(&mut self, records: usize, round: Round, end: End) -> usize {
        self.now += match end {
            End::Answered(latency) => latency,
            End::TimedOut => LATE,
            End::Otherwise => millis(5),
        };
        self.size.ended(Call { records, full: true, round }, end, self.now);
        self.size.limit()
    }
}

/// A function that takes `fixed` and so much for each record, and is killed after `timeout`.
#[derive(Debug, Clone, Copy)]
struct Model {
    fixed: Duration,
    each: Duration,
    timeout: Duration,
}

impl Model {
    fn latency(&self, records: usize) -> Duration {
        self.fixed + self.each * u32::try_from(records).unwrap()
    }

    fn answer(&self, records: usize) -> End {
        let latency = self.latency(records);
        if latency > self.timeout { End::TimedOut } else { End::Answered(latency) }
    }
}

#[test]
fn a_call_that_is_not_answered_in_time_halves_it_once_for_all_that_were_under_way() {
    let mut bench = Bench::new();
    let round = bench.size.round();
    for _ in 0..24 {
        bench.end(500, round, End::TimedOut);
    }
    assert_eq!(bench.size.limit(), 250);
    assert_eq!(bench.call(End::TimedOut), 125);
    let round = bench.size.round();
    assert_eq!(bench.end(60, round, End::TimedOut), 30, "from the size of the call");
    for _ in 0..5 {
        bench.call(End::TimedOut);
    }
    assert_eq!(bench.size.limit(), 10);
}

#[test]
fn throttling_and_failures_leave_it_where_it_is() {
    let mut bench = Bench::new();
    for _ in 0..100 {
        assert_eq!(bench.call(End::Otherwise), 500);
    }
}

#[test]
fn one_slow_answer_is_an_accident_and_two_shrink_it_in_proportion() {
    let mut bench = Bench::new();
    assert_eq!(bench.call(End::Answered(millis(2_400))), 500);
    bench.call(End::Answered(millis(500)));
    assert_eq!(bench.call(End::Answered(millis(2_400))), 500);
    assert_eq!(bench.call(End::Answered(millis(2_400))), 375, "500 * 0.9 * 2 / 2.4");
    bench.call(End::Answered(millis(60_000)));
    assert_eq!(bench.call(End::Answered(millis(60_000))), 187, "half at most");
}

#[test]
fn small_calls_that_are_slow_say_nothing_about_the_limit() {
    let mut bench = Bench::new();
    for _ in 0..20 {
        let round = bench.size.round();
        bench.end(30, round, End::Answered(millis(5_000)));
    }
    assert_eq!(bench.size.limit(), 500);
}

#[test]
fn fewer_records_are_no_use_to_a_function_that_is_slow_without_any() {
    let mut bench = Bench::new();
    let model = Model { fixed: millis(3_000), each: millis(1), timeout: LATE };
    for _ in 0..100 {
        let end = model.answer(bench.size.limit());
        bench.call(end);
    }
    assert!(bench.size.limit() >= 150, "{}", bench.size.limit());
}

#[test]
fn it_grows_only_with_demand_and_only_once_a_round_trip() {
    let mut bench = Bench::new();
    bench.call(End::TimedOut);
    bench.now += LATE;
    let round = bench.size.round();
    bench.size.ended(Call { records: 250, full: false, round }, End::Answered(millis(100)), bench.now);
    assert_eq!(bench.size.limit(), 250);
    for _ in 0..24 {
        bench.end(250, round, End::Answered(millis(100)));
    }
    assert_eq!(bench.size.limit(), 313);
    assert_eq!(bench.call(End::Answered(millis(1_500))), 333, "a quarter more would come too near to the budget");
    assert_eq!(bench.call(End::Answered(millis(1_850))), 333);
}

#[test]
fn what_timed_out_is_kept_away_from_and_looked_at_less_and_less_often() {
    let mut bench = Bench::new();
    let mut late = Vec::new();
    while bench.now < Duration::from_secs(7_200) {
        let records = bench.size.limit();
        let end = if records > 180 { End::TimedOut } else { End::Answered(millis(200)) };
        if end == End::TimedOut {
            late.push(bench.now);
        }
        bench.call(end);
        assert!(bench.size.limit() >= 90 || bench.now < LATE * 4, "{} records", bench.size.limit());
    }
    let of = |hour: u64| late.iter().filter(|at| at.as_secs() / 3_600 == hour).count();
    assert!(of(0) <= 16 && of(1) <= 7, "{} and {} time-outs in two hours", of(0), of(1));
}

#[test]
fn what_is_closed_already_is_sent_in_even_parts_when_it_is_far_too_large_or_may_time_out() {
    let mut slow = Bench::new();
    assert_eq!(slow.size.part_of(500), 500);
    slow.call(End::Answered(millis(2_400)));
    slow.call(End::Answered(millis(2_400)));
    assert_eq!((slow.size.limit(), slow.size.part_of(500), slow.size.part_of(749)), (375, 500, 749));
    assert_eq!(slow.size.part_of(751), 251, "in three");
    let mut late = Bench::new();
    late.call(End::TimedOut);
    assert_eq!((late.size.part_of(250), late.size.part_of(252), late.size.part_of(500)), (250, 126, 250));
}

#[test]
fn one_that_does_not_adapt_stays_where_it_is() {
    let mut size = Size::new(SizeSettings { adaptive: false, ..SETTINGS });
    let call = Call { records: 500, full: true, round: size.round() };
    for end in [End::TimedOut, End::Answered(LATE), End::Answered(LATE), End::Answered(LATE)] {
        size.ended(call, end, LATE);
        assert_eq!(size.limit(), 500);
    }
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => (1..40_000_u64).prop_map(|ms| End::Answered(millis(ms))),
        2 => Just(End::TimedOut),
        1 => Just(End::Otherwise),
    ]
}

/// A function that can do the least within the budget.
fn model() -> impl Strategy<Value = Model> {
    (1..1_700_u64, 1..28_000_u64, 3..30_u64).prop_map(|(fixed, each, timeout)| Model {
        fixed: millis(fixed),
        each: Duration::from_micros(each),
        timeout: Duration::from_secs(timeout),
    })
}

proptest! {
    #[test]
    fn it_stays_within_its_bounds_and_is_back_at_the_most_soon_after_the_last_fault(
        history in prop::collection::vec((end(), 1..700_usize, any::<bool>(), 0..4_usize), 0..200),
    ) {
        let mut bench = Bench::new();
        let mut rounds = [bench.size.round(); 4];
        for (end, records, full, age) in history {
            bench.now += millis(50);
            bench.size.ended(Call { records, full, round: rounds[age] }, end, bench.now);
            prop_assert!((10..=500).contains(&bench.size.limit()));
            rounds.rotate_right(1);
            rounds[0] = bench.size.round();
        }
        let faults_end = bench.now;
        while bench.size.limit() < 500 {
            bench.call(End::Answered(millis(100)));
            prop_assert!(bench.now < faults_end + Duration::from_secs(620), "{:?}", bench.size);
        }
    }

    /// With calls of several lanes under way at once, begun and ended one after the other.
    #[test]
    fn it_settles_under_the_budget_of_any_function_that_can_keep_it(model in model(), lanes in 1..24_usize) {
        let mut bench = Bench::new();
        let begin = |bench: &Bench| (bench.size.limit(), bench.size.round());
        let mut under_way = vec![begin(&bench); lanes];
        let (mut least, mut most) = (usize::MAX, 0);
        for turn in 0..400 * lanes {
            let (records, round) = under_way[turn % lanes];
            bench.end(records, round, model.answer(records));
            under_way[turn % lanes] = begin(&bench);
            if turn > 200 * lanes {
                (least, most) = (least.min(bench.size.limit()), most.max(bench.size.limit()));
            }
        }
        let latency = model.latency(most);
        prop_assert!(latency <= BUDGET || most == 10, "{most} records take {latency:?}");
        prop_assert!(most <= least * 2, "between {least} and {most}");
        // What the budget allows is not given away either.
        prop_assert!(least == 500 || model.latency(least) * 100 >= BUDGET * 85, "{least} records take {:?}", model.latency(least));
    }
}
