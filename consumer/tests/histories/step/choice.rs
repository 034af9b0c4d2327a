//! How a history is chosen: which steps come how often, and what they are about.

use super::{Arrival, Does, Fate, Garble, History, MEMBERS, Mood, PARTITIONS, Reply, Setup, Step};
use crate::log::Kind;
use proptest::prelude::*;
use std::time::Duration;

impl Step {
    /// Without failures of the function that no record is at fault for.
    fn calm_down(&mut self) {
        let Self::Script(replies) = self else { return };
        let accidents =
            replies.iter_mut().filter(|reply| matches!(reply.does, Does::Fail { .. } | Does::TimeOut { .. }));
        accidents.for_each(|reply| reply.does = Does::Deliver);
    }
}

pub fn history() -> impl Strategy<Value = History> {
    let latency = prop_oneof![Just(5_u64), Just(60), Just(300)].prop_map(Duration::from_millis);
    let flood = prop_oneof![3 => Just(0_u64), 1 => 1..4_u64];
    let setup = (1..=8_usize, latency, any::<bool>(), any::<bool>(), flood);
    let setup = setup.prop_map(|(batch, latency, dedupe, calm, flood)| Setup { batch, latency, dedupe, calm, flood });
    (setup, prop::collection::vec(step(), 1..60)).prop_map(|(setup, mut steps)| {
        if setup.calm {
            steps.iter_mut().for_each(Step::calm_down);
        }
        History { setup, steps }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let member = || 0..MEMBERS;
    let partition = || 0..PARTITIONS;
    let (drain, last) = (|| millis(&[0, 30, 400, 3_000]), || settled());
    prop_oneof![
        8 => (partition(), prop::collection::vec(arrival(), 1..10)).prop_map(|(partition, records)| Step::Append { partition, records }),
        8 => (member(), 1..16_usize).prop_map(|(member, records)| Step::Poll { member, records }),
        2 => (member(), 1..20_usize).prop_map(|(member, records)| Step::Repeat { member, records }),
        6 => prop::collection::vec(reply(), 1..6).prop_map(Step::Script),
        1 => (6..16_usize).prop_map(|calls| Step::Script(vec![accident(); calls])),
        1 => (6..16_usize).prop_map(|pairs| Step::Script(vec![[accident(), luck()]; pairs].concat())),
        2 => mood().prop_map(Step::Letters),
        12 => (millis(&[10, 50, 200, 1_200]), 0..6_usize).prop_map(|(span, poll)| Step::Pass { span, poll }),
        8 => (member(), fate()).prop_map(|(member, fate)| Step::Commit { member, fate }),
        3 => member().prop_map(|member| Step::Arrive { member }),
        5 => (partition(), member(), drain(), last(), prop::bool::weighted(0.9))
            .prop_map(|(partition, to, drain, last, told)| Step::Move { partition, to, drain, last, told }),
        1 => (member(), member()).prop_map(|(member, heir)| Step::Lose { member, heir }),
        1 => (member(), member()).prop_map(|(member, heir)| Step::Hang { member, heir }),
        2 => member().prop_map(|member| Step::Wake { member }),
        2 => (member(), member()).prop_map(|(member, heir)| Step::Kill { member, heir }),
        2 => (member(), member(), drain(), last(), any::<bool>())
            .prop_map(|(member, heir, drain, last, renew)| Step::Stop { member, heir, drain, last, renew }),
        1 => (member(), partition()).prop_map(|(member, partition)| Step::Pause { member, partition }),
        1 => member().prop_map(|member| Step::Resume { member }),
        1 => member().prop_map(|member| Step::Open { member }),
    ]
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let kind = prop_oneof![
        20 => Just(Kind::Good),
        3 => Just(Kind::Poison),
        1 => Just(Kind::Rejected),
        1 => Just(Kind::Unfit),
    ];
    let gap = prop_oneof![9 => Just(0_i64), 1 => 1..4_i64];
    (gap, prop::option::weighted(0.9, 0..3_u8), kind).prop_map(|(gap, key, kind)| Arrival { gap, key, kind })
}

fn reply() -> impl Strategy<Value = Reply> {
    let how = prop_oneof![
        Just(Garble::Noise),
        Just(Garble::OtherBatch),
        Just(Garble::OtherCount),
        Just(Garble::OtherOffset),
        Just(Garble::OtherVersion),
    ];
    let does = prop_oneof![
        4 => Just(Does::Deliver),
        2 => any::<u8>().prop_map(Does::Retry),
        2 => Just(Does::Throttle),
        1 => Just(Does::Forbid),
        1 => Just(Does::TooLarge),
        2 => any::<bool>().prop_map(|ran| Does::Lose { ran }),
        3 => (0..4_usize).prop_map(|delivered| Does::Fail { delivered }),
        1 => any::<bool>().prop_map(|ran| Does::TimeOut { ran }),
        1 => (how, any::<bool>()).prop_map(|(how, ran)| Does::Garble { how, ran }),
    ];
    (does, millis(&[1, 40, 200, 5_000])).prop_map(|(does, after)| Reply { does, after })
}

/// The function fails whatever it is given.
fn accident() -> Reply {
    Reply { does: Does::Fail { delivered: 0 }, after: Duration::from_millis(1) }
}

fn luck() -> Reply {
    Reply { does: Does::Deliver, after: Duration::from_millis(1) }
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![3 => Just(Mood::Up), 1 => Just(Mood::Slow), 2 => Just(Mood::Down), 1 => Just(Mood::Half), 1 => Just(Mood::Silent)]
}

fn settled() -> impl Strategy<Value = Fate> {
    prop_oneof![6 => Just(Fate::Confirmed), 1 => Just(Fate::Refused), 1 => Just(Fate::AnswerLost)]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![4 => settled(), 1 => Just(Fate::AnswerLate), 3 => Just(Fate::Slow)]
}

fn millis(choice: &'static [u64]) -> impl Strategy<Value = Duration> {
    prop::sample::select(choice).prop_map(Duration::from_millis)
}
