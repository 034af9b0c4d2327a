//! What a process commits: one request at a time beside its reading, and a last one for partitions that go.

use super::Member;
use crate::step::Fate;
use consumer::assignment::Held;
use consumer::commit::Commit;

/// A commit under way.
pub(super) struct Request {
    commits: Vec<(usize, Commit)>,
    generation: u64,
    fate: Fate,
    /// Whether Kafka took it, once it has arrived.
    taken: Option<bool>,
}

impl Member {
    /// The asynchronous commit: one at a time.
    pub fn commit(&mut self, fate: Fate) {
        if self.under_way.is_some() {
            return;
        }
        let due = self.desk.due_commits();
        if due.is_empty() {
            return;
        }
        self.desk.commits_asked(&due);
        self.under_way = Some(self.request(due, fate));
        match fate {
            Fate::Slow => {}
            Fate::AnswerLate => self.carry(),
            Fate::Confirmed | Fate::Refused | Fate::AnswerLost => self.arrive(),
        }
    }

    fn request(&self, commits: Vec<Commit>, fate: Fate) -> Request {
        let mut truth = self.truth.see();
        let mut of = |commit: Commit| match self.tenures.get(&commit.held) {
            Some(tenure) => Some((*tenure, commit)),
            None => {
                truth.blame(format!("{} is released, and {} is to be committed", commit.held.at, commit.next));
                None
            }
        };
        let commits = commits.into_iter().filter_map(&mut of).collect();
        Request { commits, generation: truth.generation, fate, taken: None }
    }

    /// The request arrives at Kafka, if it has not.
    pub fn carry(&mut self) {
        let Some(request) = &mut self.under_way else { return };
        if request.taken.is_none() {
            let lost = request.fate == Fate::Refused;
            let taken = !lost && self.truth.see().arrive(self.id, request.generation, &request.commits);
            request.taken = Some(taken);
        }
    }

    /// The request and its answer arrive.
    pub fn arrive(&mut self) {
        self.carry();
        let Some(Request { commits, fate, taken, .. }) = self.under_way.take() else { return };
        let confirmed = taken == Some(true) && fate != Fate::AnswerLost;
        commits.iter().for_each(|(_, commit)| self.desk.commit_settled(commit, confirmed));
    }

    /// The client that was asked is gone.
    pub fn forget_commit(&mut self) {
        let Some(request) = self.under_way.take() else { return };
        request.commits.iter().for_each(|(_, commit)| self.desk.commit_settled(commit, false));
    }

    /// The last commit of partitions that go, which waits for its answer. True when Kafka has everything.
    pub fn commit_last(&mut self, held: &[Held], fate: Fate) -> bool {
        // One connection: what was asked for before arrives before.
        self.carry();
        let last = self.desk.last_commits(held);
        let request = self.request(last, fate);
        let taken = fate != Fate::Refused && self.truth.see().arrive(self.id, request.generation, &request.commits);
        let confirmed = taken && fate != Fate::AnswerLost;
        request.commits.iter().for_each(|(_, commit)| self.desk.commit_settled(commit, confirmed));
        taken || request.commits.is_empty()
    }
}
