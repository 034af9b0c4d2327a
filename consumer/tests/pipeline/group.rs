//! What the group does with the rig's partitions, and what Kafka holds of them: assignments, revokes, commits.

use super::{Rig, TOPIC};
use consumer::assignment::Held;
use consumer::commit::Commit;
use consumer::event::Ticket;
use consumer::times::Moment;

impl Rig {
    pub fn assign(&mut self, partitions: &[i32]) -> Vec<Held> {
        self.assign_of(TOPIC, partitions)
    }

    /// Partitions of another topic; their numbers must be others than those of all topics.
    pub fn assign_of(&mut self, topic: &str, partitions: &[i32]) -> Vec<Held> {
        let held = self.desk.assign(&named(topic, partitions));
        for held in &held {
            let metadata = self.metadata.get(&held.at.partition).map_or("", String::as_str);
            self.desk.remember(held, metadata);
        }
        held
    }

    /// Asks for a drain as the rebalance callback does; the answer is polled with `is_drained`.
    pub fn revoke(&mut self, partitions: &[i32]) -> (Ticket, Vec<Held>) {
        self.desk.begin_revoke(Some(&named(TOPIC, partitions)))
    }

    /// Gives partitions back as the callback does: last commits, then forget. Returns what would be committed.
    pub fn give_back(&mut self, held: &[Held]) -> Vec<(i32, i64)> {
        let last = self.desk.last_commits(held);
        for commit in &last {
            self.confirm(commit);
        }
        // As the client forgets that they were paused, and their queues are closed.
        let resumed = self.desk.release(held);
        self.by_hand.retain(|partition| resumed.iter().all(|at| at.partition != *partition));
        self.stopped.retain(|partition| held.iter().all(|held| held.at.partition != *partition));
        self.paused = self.stopped.union(&self.by_hand).copied().collect();
        last.iter().map(|commit| (commit.held.at.partition, commit.next.0)).collect()
    }

    /// Commits what is due, as the timer does; Kafka confirms at once.
    pub fn commit(&mut self) -> Vec<(i32, i64)> {
        let due = self.desk.due_commits();
        self.desk.commits_asked(&due);
        for commit in &due {
            self.confirm(commit);
        }
        let mut next: Vec<_> = due.iter().map(|commit| (commit.held.at.partition, commit.next.0)).collect();
        next.sort();
        next
    }

    fn confirm(&mut self, commit: &Commit) {
        self.desk.commit_settled(commit, true);
        self.meters.stages.committed(&commit.held, commit.next, Moment::read(&self.clock));
        self.metadata.insert(commit.held.at.partition, commit.metadata.clone());
    }
}

fn named(topic: &str, partitions: &[i32]) -> Vec<(String, i32)> {
    partitions.iter().map(|partition| (topic.to_owned(), *partition)).collect()
}
