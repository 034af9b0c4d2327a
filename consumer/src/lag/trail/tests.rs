//! States of a partition, one by one; histories of them are in `tests/lag_properties.rs`.

use super::{Committed, Found, Look, Lost, Trail, Why};

fn begun(committed: Committed) -> Trail {
    let mut trail = Trail::default();
    trail.begin(committed, 0);
    trail
}

fn deleted(from: i64, to: i64) -> Lost {
    Lost { from, to, why: Why::Deleted }
}

fn look(trail: &mut Trail, low: i64, end: i64, at_ms: i64) -> Vec<Lost> {
    trail.looked(Look { low, end, at_ms }, false)
}

fn seconds(trail: &Trail, next: Option<i64>, now_ms: i64) -> f64 {
    trail.lag(next, None, None, now_ms).seconds
}

#[test]
fn a_stuck_record_grows_older_however_many_are_polled_behind_it() {
    let mut trail = begun(Committed::Next(0));
    for offset in 0..100_000 {
        trail.received(offset, 1_000_000 + offset / 13);
        trail.forget(Some(7));
    }
    assert_eq!(seconds(&trail, Some(7), 1_000_000 + 3_600_000), 3_600.0);
}

#[test]
fn an_idle_partition_has_no_lag_and_is_never_absent() {
    let mut trail = begun(Committed::Next(40));
    assert_eq!(seconds(&trail, None, 300), 0.3, "nothing is known yet: the time since the assignment");
    look(&mut trail, 0, 40, 400);
    for hour in 1..5 {
        look(&mut trail, 0, 40, hour * 3_600_000);
        assert_eq!(trail.lag(None, Some(40), None, hour * 3_600_000).records, 0);
        assert_eq!(seconds(&trail, None, hour * 3_600_000), 0.0);
    }
    look(&mut trail, 0, 40, 18_000_000);
    trail.received(40, 18_000_000);
    assert_eq!(seconds(&trail, Some(40), 18_002_000), 2.0);
    assert_eq!(seconds(&trail, Some(41), 18_002_000), 0.0, "finished, and the end is reached");
}

#[test]
fn a_record_that_came_after_a_look_is_as_old_as_that_look_at_most() {
    let mut trail = begun(Committed::Next(10));
    look(&mut trail, 0, 10, 1_000_000);
    look(&mut trail, 0, 10, 1_000_500);
    look(&mut trail, 0, 25, 1_001_000);
    assert_eq!(seconds(&trail, None, 1_004_500), 4.0);
    assert_eq!(trail.wanted(None, 1_001_200), None, "the poll thread is about to bring it");
    assert_eq!(trail.wanted(None, 1_004_500), Some(10), "it does not: somebody must ask");
    trail.found(10, Found::Record { timestamp_ms: 1_000_800 });
    assert_eq!((seconds(&trail, None, 1_004_500), trail.wanted(None, 1_004_500)), (3.7, None));
}

#[test]
fn the_backlog_of_a_partition_just_assigned_is_asked_for_at_once() {
    let mut trail = begun(Committed::Next(10));
    look(&mut trail, 0, 5_000, 100);
    assert_eq!(trail.wanted(None, 110), Some(10));
    assert_eq!(seconds(&trail, None, 110), 0.11, "a lower bound until the answer is there");
    trail.found(10, Found::Record { timestamp_ms: -3_600_000 });
    assert_eq!((seconds(&trail, None, 400), trail.lag(None, None, None, 400).records), (3_600.4, 4_990));
    // Polled and finished, and the backlog goes on.
    trail.received(10, -3_600_000);
    trail.received(11, 1);
    assert_eq!(trail.wanted(Some(12), 500), Some(12));
    assert_eq!(seconds(&trail, Some(12), 2_001), 2.0, "not before the last polled one");
}

#[test]
fn markers_at_the_end_of_a_log_are_no_lag_until_something_follows() {
    let mut trail = begun(Committed::Next(10));
    look(&mut trail, 0, 11, 1_000);
    trail.found(10, Found::Nothing);
    look(&mut trail, 0, 11, 500_000);
    assert_eq!((seconds(&trail, None, 500_000), trail.wanted(None, 500_000)), (0.0, None));
    let records = |trail: &Trail, committed, end| trail.lag(None, Some(committed), end, 500_000).records;
    assert_eq!((records(&trail, 10, None), records(&trail, 10, Some(11))), (0, 0), "nothing is there to be finished");
    assert_eq!(records(&trail, 10, Some(12)), 2, "the statistics know of more");
    look(&mut trail, 0, 13, 501_000);
    assert_eq!((trail.wanted(None, 501_000), records(&trail, 10, None)), (Some(10), 3));
}

#[test]
fn without_a_look_for_long_the_lag_grows_for_what_may_have_come() {
    let mut trail = begun(Committed::Next(40));
    look(&mut trail, 0, 40, 1_000);
    assert_eq!(
        (seconds(&trail, None, 10_999), seconds(&trail, None, 11_000), seconds(&trail, None, 61_000)),
        (0.0, 10.0, 60.0)
    );
    look(&mut trail, 0, 40, 61_000);
    assert_eq!(seconds(&trail, None, 61_000), 0.0);
}

#[test]
fn before_markers_what_is_not_committed_counts() {
    let mut trail = begun(Committed::Next(0));
    (0..5).for_each(|offset| trail.received(offset, 1_000));
    look(&mut trail, 0, 9, 1_000);
    trail.found(5, Found::Nothing);
    let records = |next, committed| trail.lag(Some(next), Some(committed), None, 2_000).records;
    assert_eq!((records(2, 2), records(5, 4), records(5, 5)), (3, 1, 0));
}

#[test]
fn without_a_commit_the_configured_start_decides() {
    let lag = |from_end| {
        let mut trail = Trail::new(from_end);
        trail.begin(Committed::Nothing, 0);
        look(&mut trail, 100, 250, 0);
        trail.lag(None, None, None, 0).records
    };
    assert_eq!((lag(false), lag(true)), (150, 0));
}

#[test]
fn what_retention_deleted_is_counted_once_and_is_no_lag() {
    let mut trail = begun(Committed::Next(10));
    trail.received(60, 1_000);
    assert_eq!(look(&mut trail, 50, 100, 1_000), [deleted(10, 50)], "50 to 59 were compacted");
    assert_eq!(look(&mut trail, 50, 100, 2_000), []);
    let lag = trail.lag(Some(61), Some(10), None, 2_000);
    assert_eq!((lag.lost, lag.records), (40, 50));
    // Later, while the partition stood still.
    trail.received(90, 2_000);
    assert_eq!(look(&mut trail, 90, 100, 3_000), [deleted(61, 90)]);
}

#[test]
fn a_look_before_the_commit_is_known_hides_no_loss() {
    let mut trail = Trail::default();
    assert_eq!(look(&mut trail, 50, 100, 0), []);
    trail.begin(Committed::Next(10), 0);
    trail.received(50, 1_000);
    assert_eq!(look(&mut trail, 50, 100, 1_000), [deleted(10, 50)]);
}

#[test]
fn an_ordinary_gap_is_no_loss() {
    let mut trail = begun(Committed::Next(10));
    trail.received(60, 1_000);
    for at_ms in [1_000, 2_000, 3_000] {
        assert_eq!(look(&mut trail, 10, 100, at_ms), []);
    }
    assert_eq!(trail.lag(Some(61), None, None, 3_000).lost, 0);
}

#[test]
fn a_log_that_was_emptied_is_a_loss_although_no_record_comes() {
    let mut trail = begun(Committed::Next(10));
    assert_eq!(look(&mut trail, 70, 70, 1_000), []);
    assert_eq!(look(&mut trail, 70, 70, 2_000), [deleted(10, 70)]);
    assert_eq!(look(&mut trail, 70, 70, 3_000), []);
    trail.received(70, 4_000);
    assert_eq!(look(&mut trail, 70, 71, 5_000), []);
}

#[test]
fn what_was_read_ahead_is_not_lost_but_what_a_pause_threw_away_is() {
    let mut trail = begun(Committed::Next(10));
    trail.received(10, 1_000);
    assert_eq!((look(&mut trail, 15, 90, 1_000), look(&mut trail, 15, 90, 2_000)), (vec![], vec![]));
    trail.received(11, 1_000);
    assert_eq!(look(&mut trail, 15, 90, 3_000), [], "it was in the client's queue");
    let paused = |trail: &mut Trail, at_ms| trail.looked(Look { low: 15, end: 90, at_ms }, true);
    assert_eq!(paused(&mut trail, 4_000), [deleted(12, 15)]);
    assert_eq!(paused(&mut trail, 5_000), []);
}

#[test]
fn where_reading_stands_is_certain_once_something_was_committed_or_read() {
    for committed in [Committed::Nothing, Committed::Unknown] {
        let mut trail = begun(committed);
        look(&mut trail, 5, 100, 1_000);
        assert_eq!((trail.place(), trail.goes_back(3)), (None, false), "the log may have begun before that");
        trail.received(3, 0);
        assert_eq!((trail.place(), trail.goes_back(3), trail.goes_back(4)), (Some(4), true, false));
    }
    assert_eq!(begun(Committed::Next(7)).place(), Some(7));
}

#[test]
fn an_offset_beyond_the_end_begins_anew_where_the_log_begins_or_at_its_end() {
    for (from_end, anew) in [(false, 20), (true, 60)] {
        let mut trail = Trail::new(from_end);
        trail.begin(Committed::Next(1_000), 0);
        assert_eq!(look(&mut trail, 20, 60, 1_000), []);
        look(&mut trail, 20, 60, 1_500);
        assert_eq!(trail.anew(), None, "asked for once since it is known where reading stands");
        look(&mut trail, 20, 60, 2_000);
        assert_eq!(trail.anew(), Some(anew));
    }
}

#[test]
fn a_trail_that_went_back_has_its_lag_in_the_new_log() {
    let mut old = begun(Committed::Next(900));
    old.received(900, 1_000);
    let mut trail = old.back(0, 2_000);
    trail.received(0, 2_000);
    look(&mut trail, 0, 50, 2_000);
    assert_eq!(trail.lag(Some(0), Some(901), None, 3_000).records, 50, "what was committed before is of another log");
}

#[test]
fn who_begins_at_the_end_anew_has_skipped_what_lies_before() {
    let skipped = |from, to| Lost { from, to, why: Why::Skipped };
    let mut trail = Trail::new(true);
    trail.begin(Committed::Next(10), 0);
    trail.received(500, 1_000);
    assert_eq!(look(&mut trail, 50, 501, 1_000), [deleted(10, 50), skipped(50, 500)]);
    // The log is emptied while nothing comes, then reading goes on at its end.
    let empty = [look(&mut trail, 600, 600, 2_000), look(&mut trail, 600, 600, 2_500)];
    assert_eq!(empty, [vec![], vec![deleted(501, 600)]]);
    trail.received(640, 3_000);
    assert_eq!(look(&mut trail, 600, 641, 3_000), [skipped(600, 640)]);
    // Another log.
    let mut back = trail.back(30, 4_000);
    back.received(35, 4_000);
    assert_eq!(look(&mut back, 2, 36, 4_000), [skipped(2, 35)]);
    assert_eq!(back.lag(Some(36), None, None, 4_000).lost, 33);
}
