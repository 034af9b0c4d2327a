//! What a history is made of.

/// How histories are chosen.
mod choice;

use crate::log::Kind;
pub use choice::history;
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
