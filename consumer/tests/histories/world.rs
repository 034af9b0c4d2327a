//! The world of one history: plays its steps, and lets everything come to its end.

use crate::member::Member;
use crate::step::{Fate, History, MEMBERS, Mood, PARTITIONS, Step};
use crate::truth::{Seen, Shared};
use crate::{clock, lasting};
use consumer::pause::Scope;
use runtime::clock::SharedClock;
use std::time::Duration;

/// How often a poll thread's wheel turns.
pub const TURN: Duration = Duration::from_millis(20);
/// So long everything may take when all answer again; a breaker may wait for half a minute.
const END: Duration = Duration::from_secs(200);
/// After so long somebody looks at what is still stopped.
const HELD: Duration = Duration::from_secs(10);
/// How long a call takes then.
const QUICK: Duration = Duration::from_millis(20);

pub struct World {
    pub members: Vec<Member>,
    pub truth: Shared,
    pub clock: SharedClock,
    /// How many processes there were.
    pub born: u64,
}

impl World {
    /// Plays a history, and says what came about in it.
    ///
    /// # Errors
    /// The rules that were broken.
    pub async fn play(lanes: u32, history: &History) -> Result<Seen, String> {
        let clock = clock::paused();
        let truth = Shared::new(lanes, &history.setup, clock.clone());
        let members = (0..MEMBERS as u64).map(|id| Member::new(id, &truth, &clock)).collect();
        let mut world = Self { members, truth, clock, born: MEMBERS as u64 };
        for partition in 0..PARTITIONS {
            world.assign(&[partition], partition, true);
        }
        for (nth, step) in history.steps.iter().enumerate() {
            world.apply(step).await;
            // So that everybody does what can be done now.
            lasting(Duration::from_millis(1)).await;
            world.judge().map_err(|broken| format!("after step {nth}: {broken}"))?;
        }
        world.finish().await
    }

    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    fn judge(&self) -> Result<(), String> {
        if self.members.iter().any(Member::is_over) {
            return Err("a process has ended by itself".into());
        }
        let truth = self.truth.see();
        if truth.broken.is_empty() { Ok(()) } else { Err(truth.broken.join("; ")) }
    }

    async fn apply(&mut self, step: &Step) {
        match step {
            Step::Append { partition, records } => self.truth.see().logs[*partition].append(records),
            Step::Poll { member, records } if !self.members[*member].hangs => self.members[*member].poll(*records),
            Step::Repeat { member, records } if !self.members[*member].hangs => self.members[*member].repeat(*records),
            Step::Poll { .. } | Step::Repeat { .. } => {}
            Step::Script(replies) => self.truth.see().script.extend(replies.iter().cloned()),
            Step::Letters(mood) => self.truth.see().mood = *mood,
            Step::Pass { span, poll } => self.pass(*span, *poll).await,
            Step::Commit { member, fate } if !self.members[*member].hangs => {
                self.members[*member].serve();
                self.members[*member].commit(*fate);
            }
            Step::Commit { .. } => {}
            Step::Arrive { member } => self.members[*member].arrive(),
            Step::Move { partition, to, drain, last, told } => {
                self.shift(*partition, *to, (*drain, *last), *told).await;
            }
            Step::Lose { member, heir } => self.lose(*member, *heir),
            Step::Hang { member, heir } => self.hang(*member, *heir),
            Step::Wake { member } => self.wake(*member),
            Step::Kill { member, heir } => self.kill(*member, *heir),
            Step::Stop { member, heir, drain, last, renew } => {
                self.stop(*member, *heir, (*drain, *last), *renew).await;
            }
            Step::Pause { member, partition } => {
                let scope = Scope::partition(crate::rules::TOPIC, i32::try_from(*partition).unwrap());
                self.members[*member].pauses.pause(scope, 1);
            }
            Step::Resume { member } => self.members[*member].pauses.resume(Scope::ALL, 2),
            Step::Open { member } => self.open(*member),
        }
    }

    fn open(&self, member: usize) {
        if !self.members[member].flood.open().is_empty() {
            let mut truth = self.truth.see();
            truth.opened.insert(self.members[member].id);
            truth.note("a flood is opened");
        }
    }

    async fn pass(&mut self, span: Duration, poll: usize) {
        let until = self.now() + span;
        while self.now() < until {
            self.turn(poll, None).await;
            lasting(TURN.min(until.saturating_sub(self.now()))).await;
        }
    }

    /// One turn of every wheel but one that is busy with a rebalance, and of those that hang.
    pub async fn turn(&mut self, poll: usize, busy: Option<usize>) {
        for (nth, member) in self.members.iter_mut().enumerate() {
            if Some(nth) != busy && !member.hangs {
                member.turn();
                if poll > 0 {
                    member.poll(poll);
                }
            }
        }
        if busy.is_some() {
            lasting(TURN).await;
        }
    }

    /// Everything answers again, and everybody goes on until all is done.
    async fn finish(mut self) -> Result<Seen, String> {
        {
            let mut truth = self.truth.see();
            truth.script.clear();
            (truth.setup.latency, truth.mood) = (QUICK, Mood::Up);
        }
        (0..MEMBERS).for_each(|member| self.wake(member));
        let left = self.unowned();
        self.assign(&left, 0, true);
        let until = self.now() + END;
        while !self.is_done() {
            if self.now() >= until {
                return Err(self.truth.see().unfinished());
            }
            if until - self.now() < END - HELD {
                (0..MEMBERS).for_each(|member| self.open(member));
            }
            for member in &mut self.members {
                member.pauses.resume(Scope::ALL, 3);
                member.turn();
                member.poll(20);
                member.arrive();
                member.commit(Fate::Confirmed);
            }
            lasting(TURN * 2).await;
            self.judge().map_err(|broken| format!("at the end: {broken}"))?;
        }
        let mut truth = self.truth.see();
        let lost = truth.lost();
        if lost.is_empty() { Ok(std::mem::take(&mut truth.seen)) } else { Err(format!("lost: {}", lost.join(", "))) }
    }

    /// Whether everything is committed, and nothing under way any more.
    fn is_done(&self) -> bool {
        self.truth.see().is_done() && self.members.iter().all(|member| member.desk.outstanding_bytes() == 0)
    }
}
