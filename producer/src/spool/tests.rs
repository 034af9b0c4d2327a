//! What the spool must keep: whole events, their order, its limit, over restarts.

use super::{Schedule, Spool, Spooled, Trace, key_hash};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn event(key: u8, seq: u64) -> Spooled {
    Spooled {
        topic: "mt-c400".into(),
        key: vec![key],
        value: format!("value {seq}").into_bytes(),
        timestamp_ms: seq as i64,
        headers: vec![("h".into(), vec![0xff])],
        passes: 3,
        trace: Trace { process: 7, series: 1, seq, due_nanos: 9 },
    }
}

fn open(dir: &tempfile::TempDir) -> Spool {
    Spool::open(dir.path(), 1 << 20).unwrap()
}

fn drain(spool: &mut Spool) -> Vec<(u64, Spooled)> {
    std::iter::from_fn(|| spool.next_event(|_, _| true).unwrap()).collect()
}

#[test]
fn events_come_back_whole_and_in_order_also_after_the_process_has_died() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(&dir);
    spool.append(&[event(1, 1), event(2, 1)]).unwrap();
    spool.append(&[event(1, 2)]).unwrap();
    spool.schedule.failed(1_000);
    spool.keep_schedule().unwrap();
    let (schedule, bytes) = (spool.schedule, spool.bytes());
    drop(spool);
    let mut spool = open(&dir);
    assert_eq!((spool.len(), spool.bytes(), spool.schedule), (3, bytes, schedule));
    assert!(spool.queues(key_hash(&[1])) && !spool.queues(key_hash(&[9])));
    let events = drain(&mut spool);
    assert_eq!(
        events.iter().map(|(_, event)| event.clone()).collect::<Vec<_>>(),
        [event(1, 1), event(2, 1), event(1, 2)]
    );
    let (number, last) = events[2].clone();
    assert!(!spool.queues(key_hash(&[1])) && !spool.queues(key_hash(&[2])));
    spool.put_back(number, last);
    assert!(spool.queues(key_hash(&[1])) && !spool.queues(key_hash(&[2])));
    assert_eq!(drain(&mut spool).len(), 1);
    spool.remove(&[events[0].0, events[1].0]).unwrap();
    assert!(!spool.queues(key_hash(&[1])));
    spool.rewind(|_| false);
    assert!(spool.queues(key_hash(&[1])) && !spool.queues(key_hash(&[2])));
    assert_eq!(drain(&mut spool), [events[2].clone()]);
    spool.remove(&[events[2].0]).unwrap();
    assert_eq!((spool.len(), spool.bytes(), spool.is_empty()), (0, 0, true));
    // A number is never used twice, or an old answer could remove a new event.
    spool.append(&[event(1, 3)]).unwrap();
    assert!(drain(&mut spool)[0].0 > events[2].0);
}

#[test]
fn it_is_full_at_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path(), 100).unwrap();
    assert!(!spool.is_full(100) && spool.is_full(101));
    spool.append(&[event(1, 1)]).unwrap();
    assert!(spool.is_full(100));
}

#[test]
fn a_folder_that_another_process_uses_or_that_is_none_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let held = open(&dir);
    let second = Spool::open(dir.path(), 1).map(drop).unwrap_err().to_string();
    assert!(second.contains("spool.redb") && second.contains("no other producer"), "{second}");
    drop(held);
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert!(Spool::open(&file, 1).is_err());
}

#[test]
fn a_file_that_is_removed_in_use_is_written_anew_with_all_it_held() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("spool");
    let mut spool = Spool::open(&folder, 1 << 20).unwrap();
    spool.append(&[event(1, 1), event(2, 1)]).unwrap();
    spool.schedule.failed(1_000);
    spool.keep_schedule().unwrap();
    assert!(!spool.stay().unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(spool.stay().unwrap() && !spool.stay().unwrap());
    spool.append(&[event(1, 2)]).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    // Also where the disk is tried once more after an error.
    spool.reopen().unwrap();
    let (held, schedule) = (drain(&mut spool), spool.schedule);
    drop(spool);
    let mut spool = Spool::open(&folder, 1 << 20).unwrap();
    assert_eq!((drain(&mut spool), spool.schedule), (held.clone(), schedule));
    assert_eq!(held.len(), 3);
}

#[test]
fn a_foreign_file_in_its_place_is_not_touched_and_an_empty_or_damaged_one_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("spool.redb");
    let mut spool = open(&dir);
    spool.append(&[event(1, 1)]).unwrap();
    std::fs::rename(&file, dir.path().join("elsewhere")).unwrap();
    for foreign in ["", "something else"] {
        std::fs::write(&file, foreign).unwrap();
        for refused in [spool.stay().map(drop), spool.reopen()] {
            let sentence = refused.unwrap_err().to_string();
            assert!(sentence.contains("another file was put in its place"), "{sentence}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), foreign);
        let sentence = Spool::open(dir.path(), 1).map(drop).unwrap_err().to_string();
        assert!(sentence.contains("it is damaged or no spool"), "{sentence}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(spool.stay().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Appends, removals, rewinds, restarts and events handed out against a plain map.
    #[test]
    fn it_is_a_queue_with_holes(steps in proptest::collection::vec((0u8..6, 0u8..4), 1..25)) {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = open(&dir);
        let mut model: BTreeMap<u64, Spooled> = BTreeMap::new();
        let (mut seq, mut handed) = (0, 0);
        for (step, key) in steps {
            match step {
                0 | 1 => {
                    let events: Vec<_> = (0..=key).map(|key| { seq += 1; event(key, seq) }).collect();
                    spool.append(&events).unwrap();
                    spool.rewind(|_| false);
                    let new = drain(&mut spool);
                    handed = new.last().unwrap().0;
                    let added = new[new.len() - events.len()..].to_vec();
                    prop_assert_eq!(added.iter().map(|(_, e)| e.clone()).collect::<Vec<_>>(), events);
                    model.extend(added);
                }
                2 => {
                    let gone: Vec<u64> = model.keys().copied().step_by(usize::from(key) + 1).collect();
                    spool.remove(&gone).unwrap();
                    gone.iter().for_each(|number| { model.remove(number); });
                }
                3 => { drop(spool); spool = open(&dir); handed = 0; }
                4 => {
                    let next = spool.next_event(|_, _| true).unwrap();
                    let expected = model.iter().find(|(number, _)| **number > handed);
                    prop_assert_eq!(next.as_ref().map(|(number, event)| (number, event)), expected);
                    handed = next.map_or(handed, |(number, _)| number);
                }
                _ => { spool.rewind(|_| false); handed = 0; }
            }
            prop_assert_eq!(spool.len(), model.len() as u64);
            for key in 0..4 {
                let queued = model.iter().any(|(number, event)| *number > handed && event.key == [key]);
                prop_assert_eq!(spool.queues(key_hash(&[key])), queued);
            }
        }
        spool.rewind(|_| false);
        prop_assert_eq!(drain(&mut spool), model.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(spool.schedule, Schedule::default());
    }
}
