//! What a history is made of, and how one is chosen.

use crate::log::Kind;
use proptest::prelude::*;
use std::fmt;
use std::time::Duration;

pub const MEMBERS: usize = 3;
pub const PARTITIONS: usize = 2;

/// How the world is set up, and what happens in it.
#[derive(Clone)]
pub struct History {
    pub setup: Setup,
    pub steps: Vec<Step>,
}

/// A line for each step, however it is asked for.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps.iter().enumerate().map(|(nth, step)| format!("  {nth}: {step:?}"));
        let lines: Vec<String> = std::iter::once(format!("{:?}", self.setup)).chain(steps).collect();
        f.write_str(&lines.join("\n"))
    }
}

#[derive(Debug, Clone)]
pub struct Setup {
    /// The most records of a batch.
    pub batch: usize,
    /// How long a call takes that is not scripted.
    pub latency: Duration,
    /// The function knows what it has delivered.
    pub dedupe: bool,
    /// The function fails at records at fault alone.
    pub calm: bool,
    /// So many dead letters in a row stop a partition; 0 is any number.
    pub flood: u64,
}

/// One thing that happens. Members and partitions are chosen by number; what does not apply does nothing.
#[derive(Debug, Clone)]
pub enum Step {
    /// Records arrive at the end of a log, each after so many offsets that never will.
    Append {
        partition: usize,
        records: Vec<Arrival>,
    },
    /// A member takes so many records of each of its partitions.
    Poll {
        member: usize,
        records: usize,
    },
    /// Kafka's client brings so many records of each of a member's partitions a second time.
    Repeat {
        member: usize,
        records: usize,
    },
    /// So do the next calls end.
    Script(Vec<Reply>),
    Letters(Mood),
    /// Time passes, and every turn all members poll so many records.
    Pass {
        span: Duration,
        poll: usize,
    },
    Commit {
        member: usize,
        fate: Fate,
    },
    /// The commit that is under way arrives, and its answer.
    Arrive {
        member: usize,
    },
    /// A partition is taken from its owner, who may drain it for a while, and given to another member.
    Move {
        partition: usize,
        to: usize,
        drain: Duration,
        last: Fate,
        told: bool,
    },
    /// A member learns that its partitions are gone; another one gets them.
    Lose {
        member: usize,
        heir: usize,
    },
    /// The same, but the member hangs and does not know.
    Hang {
        member: usize,
        heir: usize,
    },
    Wake {
        member: usize,
    },
    Kill {
        member: usize,
        heir: usize,
    },
    /// A member drains, commits and leaves; the next process takes its place. Or only another client does, and the partitions come back.
    Stop {
        member: usize,
        heir: usize,
        drain: Duration,
        last: Fate,
        renew: bool,
    },
    Pause {
        member: usize,
        partition: usize,
    },
    Resume {
        member: usize,
    },
    /// A member lets go on what a flood of dead letters has stopped.
    Open {
        member: usize,
    },
}

#[derive(Debug, Clone)]
pub struct Arrival {
    pub gap: i64,
    pub key: Option<u8>,
    pub kind: Kind,
}

/// How a call ends, after so long.
#[derive(Debug, Clone)]
pub struct Reply {
    pub does: Does,
    pub after: Duration,
}

/// What the function does with a call. A record at fault ends every call that reaches the function.
#[derive(Debug, Clone)]
pub enum Does {
    Deliver,
    /// The records of these bits must come again, and all of their keys behind them.
    Retry(u8),
    Throttle,
    /// Our rights are gone.
    Forbid,
    TooLarge,
    /// The answer is lost, on the way there or on the way back.
    Lose {
        ran: bool,
    },
    /// The function fails when it has delivered so many records.
    Fail {
        delivered: usize,
    },
    TimeOut {
        ran: bool,
    },
    /// It says something that is no answer to this call.
    Garble {
        how: Garble,
        ran: bool,
    },
}

#[derive(Debug, Clone, Copy)]
pub enum Garble {
    Noise,
    OtherBatch,
    OtherCount,
    OtherOffset,
    OtherVersion,
}

/// How the dead-letter topic takes letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Up,
    Slow,
    Down,
    /// It takes every second one.
    Half,
    /// It takes them, and the answer is lost.
    Silent,
}

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Confirmed,
    Refused,
    /// Kafka has it, and the member is told otherwise.
    AnswerLost,
    /// Kafka has it at once, and the answer comes later.
    AnswerLate,
    /// It arrives later.
    Slow,
}

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
