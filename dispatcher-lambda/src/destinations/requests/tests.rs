//! A scripted service: every entry gets exactly one result, and a group keeps its order, whatever the service answers.

use super::{Request, Requests, Room};
use crate::deadline::Deadline;
use crate::destinations::batching::Limits;
use crate::destinations::parcels::HEAD;
use crate::destinations::{Destination, Failure, Outcome, Parcel};
use crate::record::{Entry, Need};
use crate::together::BoxFuture;
use domain::failure::FailureClass::{self, Rejected, Throttled, TooLarge};
use domain::offset::Offset;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

/// What the service does with one request.
#[derive(Debug, Clone)]
enum Act {
    Take,
    Fail(FailureClass),
    /// The entries of this mask fail, by their place in the request.
    Part(u16, FailureClass),
    /// It takes everything, and its answer is lost.
    TakeAndHang,
    Hang,
    Nonsense,
}

struct Scripted {
    room: Room,
    script: Mutex<VecDeque<Act>>,
    /// Refuses a request in which this place of the parcel stands.
    poison: Option<usize>,
    requests: Mutex<Vec<Vec<usize>>>,
    held: Mutex<Vec<usize>>,
}

impl Request for Scripted {
    fn room(&self) -> Room {
        self.room
    }

    fn send<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        let places: Vec<usize> = parcel.entries.iter().map(|entry| entry.place).collect();
        self.requests.lock().unwrap().push(places.clone());
        if self.poison.is_some_and(|poison| places.contains(&poison)) {
            return ready(Outcome::Failed(Failure::new(Rejected, "poison")));
        }
        let take = |places: &[usize]| self.held.lock().unwrap().extend(places);
        match self.script.lock().unwrap().pop_front().unwrap_or(Act::Take) {
            Act::Take => {
                take(&places);
                ready(Outcome::Delivered)
            }
            Act::Fail(class) => ready(Outcome::Failed(Failure::new(class, "scripted"))),
            Act::Part(mask, class) => {
                let fails = |at: &usize| mask >> at & 1 == 1;
                let (failed, taken): (Vec<usize>, Vec<usize>) = (0..places.len()).partition(fails);
                take(&taken.into_iter().map(|at| places[at]).collect::<Vec<_>>());
                ready(Outcome::Partial(failed.into_iter().map(|at| (at, Failure::new(class, "part"))).collect()))
            }
            Act::TakeAndHang => {
                take(&places);
                Box::pin(std::future::pending())
            }
            Act::Hang => Box::pin(std::future::pending()),
            Act::Nonsense => ready(Outcome::Partial(vec![(places.len(), Failure::new(Rejected, "x"))])),
        }
    }
}

fn ready<'a>(outcome: Outcome) -> BoxFuture<'a, Outcome> {
    Box::pin(std::future::ready(outcome))
}

const ROOM: Room = Room { entries: 3, bytes: 1_000, one_of_a_group: true, at_once: 1, timeout: Duration::from_secs(5) };

fn service(room: Room, script: Vec<Act>) -> Requests<Scripted> {
    let script = Mutex::new(script.into());
    let service = Scripted { room, script, poison: None, requests: Mutex::default(), held: Mutex::default() };
    Requests::new(service, Limits { records: 500, bytes: 1_000_000, timeout: Duration::from_secs(5) })
}

/// One entry per letter, which is its key.
fn entries(keys: &str) -> Vec<Entry<'_>> {
    let keys = keys.as_bytes().chunks(1).enumerate();
    keys.map(|(place, key)| Entry { place, offset: Offset(0), id: "e", key, value: "{}", need: Need::Required })
        .collect()
}

/// The requests, and one letter per entry: delivered, rejected, again.
fn run(service: &Requests<Scripted>, keys: &str, left: Duration) -> (Vec<Vec<usize>>, String) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let entries = entries(keys);
    let outcome = tokio.block_on(async {
        service.deliver(Parcel { head: &HEAD, entries: &entries, deadline: Deadline::after(left) }).await
    });
    let mut letters = vec!['d'; entries.len()];
    match outcome {
        Outcome::Delivered => {}
        Outcome::Failed(_) => letters.fill('a'),
        Outcome::Partial(failed) => {
            let places: HashSet<usize> = failed.iter().map(|(index, _)| *index).collect();
            assert_eq!(places.len(), failed.len(), "one result each");
            failed.iter().for_each(|(index, why)| letters[*index] = if why.is_for_good() { 'x' } else { 'a' });
        }
    }
    (service.service.requests.lock().unwrap().clone(), letters.into_iter().collect())
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_request_holds_one_of_a_group_and_is_filled_from_behind() {
    let (requests, letters) = run(&service(ROOM, vec![]), "aabcda", LONG);
    assert_eq!(requests, [vec![0, 2, 3], vec![1, 4], vec![5]]);
    assert_eq!(letters, "dddddd");
    let (requests, _) = run(&service(Room { one_of_a_group: false, ..ROOM }, vec![]), "aabcda", LONG);
    assert_eq!(requests, [[0, 1, 2], [3, 4, 5]]);
}

#[test]
fn a_request_is_cut_by_bytes_and_what_is_larger_goes_alone() {
    let (requests, _) = run(&service(Room { bytes: 4, ..ROOM }, vec![]), "abc", LONG);
    assert_eq!(requests, [vec![0, 1], vec![2]]);
    let (requests, _) = run(&service(Room { bytes: 1, ..ROOM }, vec![]), "abc", LONG);
    assert_eq!(requests, [[0], [1], [2]]);
}

#[test]
fn an_entry_that_failed_stops_the_later_ones_of_its_group_only() {
    let service = service(ROOM, vec![Act::Part(0b001, Throttled)]);
    let (requests, letters) = run(&service, "abcabca", LONG);
    assert_eq!(requests, [vec![0, 1, 2], vec![4, 5]]);
    assert_eq!(letters, "addaddd".replace("ddd", "dda"));
}

#[test]
fn an_entry_that_is_refused_for_good_lets_its_group_go_on() {
    let (requests, letters) = run(&service(ROOM, vec![Act::Part(0b010, Rejected)]), "abcb", LONG);
    assert_eq!(requests, [vec![0, 1, 2], vec![3]]);
    assert_eq!(letters, "dxdd");
}

#[test]
fn a_request_that_fails_ends_its_line_and_is_not_sent_again() {
    let (requests, letters) = run(&service(ROOM, vec![Act::Take, Act::Fail(Throttled)]), "abcdefg", LONG);
    assert_eq!(requests, [[0, 1, 2], [3, 4, 5]]);
    assert_eq!(letters, "dddaaaa");
}

#[test]
fn a_request_that_is_refused_for_good_finds_the_entry_at_fault() {
    let mut service = service(ROOM, vec![]);
    service.service.poison = Some(1);
    let (requests, letters) = run(&service, "abcde", LONG);
    assert_eq!(requests, [vec![0, 1, 2], vec![0], vec![1], vec![2], vec![3, 4]]);
    assert_eq!(letters, "dxddd");
}

#[test]
fn lines_work_side_by_side_and_a_group_stays_on_its_line() {
    let room = Room { at_once: 4, one_of_a_group: false, ..ROOM };
    let service = service(room, vec![Act::Hang, Act::Hang, Act::Hang, Act::Hang]);
    let keys = "abcdefghijklabcdefghijkl";
    let (requests, letters) = run(&service, keys, LONG);
    assert_eq!(letters, "a".repeat(keys.len()));
    assert!((2..=4).contains(&requests.len()), "each line has begun once: {requests:?}");
    let firsts: HashSet<u8> = requests.iter().flatten().map(|place| keys.as_bytes()[*place]).collect();
    for (index, line) in requests.iter().enumerate() {
        let others = requests.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, line)| line);
        let keys_of = |place: &usize| keys.as_bytes()[*place];
        let mine: HashSet<u8> = line.iter().map(keys_of).collect();
        assert!(others.map(keys_of).all(|key| !mine.contains(&key)), "{firsts:?}");
    }
}

#[test]
fn what_was_delivered_in_time_is_said_when_time_is_up() {
    let (requests, letters) = run(&service(ROOM, vec![Act::Take, Act::Hang]), "abcdefg", Duration::from_secs(2));
    assert_eq!(requests.len(), 2);
    assert_eq!(letters, "dddaaaa");
    let (requests, letters) = run(&service(ROOM, vec![]), "abc", Duration::from_millis(50));
    assert_eq!((requests.len(), letters.as_str()), (0, "aaa"), "no request without the time to sort its answer");
}

#[test]
fn what_fails_for_one_reason_fails_as_a_whole() {
    let entries = entries("abc");
    let deliver = |class| {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let service = service(Room { entries: 10, ..ROOM }, vec![Act::Part(0b111, class)]);
        let parcel = Parcel { head: &HEAD, entries: &entries, deadline: Deadline::after(LONG) };
        tokio.block_on(service.deliver(parcel))
    };
    assert_eq!(deliver(FailureClass::Ours), Outcome::Failed(Failure::new(FailureClass::Ours, "part")));
    assert!(matches!(deliver(TooLarge), Outcome::Partial(failed) if failed.len() == 3), "each is at fault by itself");
}

fn act() -> impl Strategy<Value = Act> {
    let class = || proptest::sample::select(FailureClass::ALL.to_vec());
    prop_oneof![
        4 => Just(Act::Take),
        2 => class().prop_map(Act::Fail),
        3 => (any::<u16>(), class()).prop_map(|(mask, class)| Act::Part(mask, class)),
        1 => Just(Act::TakeAndHang),
        1 => Just(Act::Hang),
        1 => Just(Act::Nonsense),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_the_service_answers_every_entry_gets_one_true_result_and_groups_keep_their_order(
        keys in "[a-e]{1,40}",
        script in vec(act(), 0..12),
        entries in 1_usize..11,
        at_once in 1_usize..5,
        one_of_a_group in any::<bool>(),
        left in 1_u64..20,
    ) {
        let service = service(Room { entries, at_once, one_of_a_group, ..ROOM }, script.clone());
        let (requests, letters) = run(&service, &keys, Duration::from_secs(left));
        prop_assert!(requests.iter().all(|request| (1..=entries).contains(&request.len())));
        let held: Vec<usize> = service.service.held.lock().unwrap().clone();
        for (place, letter) in letters.char_indices() {
            let there = held.contains(&place);
            prop_assert!(letter != 'd' || there, "{place} is delivered and is not there");
            // Only an answer that was lost may leave something there that is not said to be delivered.
            let lost = script.iter().any(|act| matches!(act, Act::TakeAndHang));
            prop_assert!(letter == 'd' || !there || lost, "{place} is there and comes again");
        }
        if one_of_a_group {
            let mut last: HashMap<u8, usize> = HashMap::new();
            for place in &held {
                let before = last.insert(keys.as_bytes()[*place], *place);
                prop_assert!(before.is_none_or(|before| before <= *place), "order of a group");
            }
            for (place, letter) in letters.char_indices().filter(|(_, letter)| *letter == 'a') {
                let overtaken = last.get(&keys.as_bytes()[place]).is_some_and(|held| *held > place);
                prop_assert!(!overtaken, "{place} ({letter}) comes again and was overtaken");
            }
        }
    }
}
