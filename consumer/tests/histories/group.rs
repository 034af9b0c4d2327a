//! How partitions come and go: rebalances with and without a chance to commit, kills, hangs and departures.

use crate::lasting;
use crate::member::Member;
use crate::step::{Fate, MEMBERS, PARTITIONS};
use crate::world::{TURN, World};
use consumer::assignment::Held;
use consumer::event::Ticket;
use std::time::Duration;

impl World {
    /// The member of this number, or the next one that does not hang.
    fn awake(&self, member: usize) -> Option<usize> {
        (0..MEMBERS).map(|more| (member + more) % MEMBERS).find(|nth| !self.members[*nth].hangs)
    }

    pub fn assign(&mut self, partitions: &[usize], heir: usize, told: bool) {
        let Some(heir) = self.awake(heir) else { return };
        for partition in partitions {
            self.members[heir].assign(*partition, told);
        }
    }

    /// Partitions that nobody owns.
    pub fn unowned(&self) -> Vec<usize> {
        let truth = self.truth.see();
        (0..PARTITIONS).filter(|partition| truth.logs[*partition].owner.is_none()).collect()
    }

    fn owner(&self, partition: usize) -> Option<usize> {
        let truth = self.truth.see();
        let id = truth.tenures[truth.logs[partition].owner?].member;
        self.members.iter().position(|member| member.id == id)
    }

    /// A rebalance, as the callback of the poll thread serves it: nothing else happens on that thread meanwhile.
    pub async fn shift(&mut self, partition: usize, to: usize, (drain, last): (Duration, Fate), told: bool) {
        if let Some(owner) = self.owner(partition) {
            let (ticket, held) = self.members[owner].begin_revoke(Some(&[partition]));
            let until = self.now() + drain;
            let drained = loop {
                lasting(Duration::from_millis(1)).await;
                self.members[owner].serve();
                let drained = self.members[owner].desk.is_drained(ticket);
                if drained || self.now() >= until {
                    break drained;
                }
                self.turn(0, Some(owner)).await;
            };
            self.hand_over(owner, &held, last, drained);
            self.truth.see().take(partition);
        }
        self.assign(&[partition], to, told);
    }

    fn hand_over(&mut self, owner: usize, held: &[Held], last: Fate, drained: bool) {
        let committed = self.members[owner].commit_last(held, last);
        for tenure in self.members[owner].release(held) {
            let mut truth = self.truth.see();
            match (drained, committed) {
                (true, true) => truth.handed_over(tenure),
                (true, false) => truth.note("the last commit does not get through"),
                (false, _) => truth.note("a drain takes too long"),
            }
        }
    }

    /// The group gives a member up.
    fn expel(&mut self, member: usize) -> Vec<usize> {
        let (mut truth, id) = (self.truth.see(), self.members[member].id);
        let gone = truth.owned_by(id);
        truth.expel(id);
        gone
    }

    pub fn lose(&mut self, member: usize, heir: usize) {
        if self.members[member].hangs {
            return;
        }
        let gone = self.expel(member);
        self.notice(member);
        self.assign(&gone, heir, true);
    }

    /// The poll thread hangs until it is woken; what it has handed over goes on.
    pub fn hang(&mut self, member: usize, heir: usize) {
        let others = (0..MEMBERS).filter(|nth| *nth != member && !self.members[*nth].hangs).count();
        if self.members[member].hangs || others == 0 {
            return;
        }
        self.members[member].hangs = true;
        let gone = self.expel(member);
        self.assign(&gone, heir, true);
    }

    /// It goes on as if nothing had been, and learns what was.
    pub fn wake(&mut self, member: usize) {
        if std::mem::take(&mut self.members[member].hangs) {
            self.members[member].turn();
            self.members[member].commit(Fate::Confirmed);
            self.notice(member);
        }
    }

    fn notice(&mut self, member: usize) {
        self.members[member].lose();
        let id = self.members[member].id;
        self.truth.see().expelled.remove(&id);
    }

    /// The process is gone. What it had sent arrives, and nobody hears the answer.
    pub fn kill(&mut self, member: usize, heir: usize) {
        self.members[member].carry();
        let gone = self.expel(member);
        self.bury(member);
        self.assign(&gone, heir, true);
    }

    fn bury(&mut self, member: usize) {
        let id = self.members[member].id;
        self.truth.see().dead.insert(id);
        self.born += 1;
        self.members[member] = Member::new(self.born, &self.truth, &self.clock);
    }

    /// As the poll thread ends, or changes its client: the wheel turns on until everything is drained and committed.
    pub async fn stop(&mut self, member: usize, heir: usize, (drain, last): (Duration, Fate), renew: bool) {
        if self.members[member].hangs {
            return;
        }
        let id = self.members[member].id;
        let owned = self.truth.see().owned_by(id);
        let (ticket, held) = self.members[member].begin_revoke(renew.then_some(&owned));
        let drained = self.drain(member, ticket, drain).await;
        self.members[member].arrive();
        self.members[member].commit(last);
        self.members[member].arrive();
        self.hand_over(member, &held, if last == Fate::Refused { last } else { Fate::Confirmed }, drained);
        self.members[member].forget_commit();
        owned.iter().for_each(|partition| self.truth.see().take(*partition));
        if renew {
            self.assign(&owned, member, true);
        } else {
            self.expel(member);
            self.bury(member);
            self.assign(&owned, heir, true);
        }
    }

    async fn drain(&mut self, member: usize, ticket: Ticket, drain: Duration) -> bool {
        let until = self.now() + drain;
        loop {
            self.turn(0, None).await;
            let drained = self.members[member].desk.is_drained(ticket);
            if drained || self.now() >= until {
                return drained;
            }
            lasting(TURN).await;
        }
    }
}
