//! Everything that is decided under the guard's one lock: who waits, and who of them may begin now.

use super::GuardSettings;
use super::herald::Stand;
use super::permit::Permit;
use super::rows::{Place, Rows};
use super::rules::{Rules, Ticket, Wait};
use crate::topic::{TopicPlan, functions};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How somebody who waits is given the permit.
pub(super) type Asker = oneshot::Sender<Permit>;

/// See the head of the file.
pub(super) struct Book {
    pub(super) rules: Rules,
    pub(super) functions: Vec<Function>,
    topics: Vec<Topic>,
    rows: Rows<Asker>,
}

/// A function, and since when its breaker is as it is.
pub(super) struct Function {
    pub(super) name: Arc<str>,
    /// Wall clock, milliseconds since the epoch.
    pub(super) since_ms: i64,
}

pub(super) struct Topic {
    pub(super) plan: TopicPlan,
    /// Its place among the functions.
    pub(super) function: usize,
}

/// Somebody who may begin.
pub(super) struct Next {
    pub(super) asker: Asker,
    pub(super) topic: usize,
    pub(super) ticket: Ticket,
    pub(super) function: Arc<str>,
    pub(super) most_records: usize,
}

impl Book {
    pub(super) fn new(settings: &GuardSettings, now: Duration, since_ms: i64) -> Self {
        let names = functions(&settings.topics);
        // Each plan's function is among them.
        let function_of = |plan: &TopicPlan| names.iter().position(|name| *name == plan.function).unwrap_or(0);
        let topic = |plan: &TopicPlan| Topic { function: function_of(plan), plan: plan.clone() };
        Self {
            rules: Rules::new(settings, names.len(), now),
            functions: names.iter().map(|name| Function { name: Arc::from(*name), since_ms }).collect(),
            topics: settings.topics.iter().map(topic).collect(),
            rows: Rows::new(&settings.topics),
        }
    }

    /// The place of the plan that speaks of a topic or retry topic.
    pub(super) fn topic(&self, name: &str) -> Option<usize> {
        self.topics.iter().position(|topic| topic.plan.speaks_of(name))
    }

    /// The function of the plan at this place.
    pub(super) fn function_of(&self, topic: usize) -> &Function {
        &self.functions[self.topics[topic].function]
    }

    /// The place of a function.
    pub(super) fn function(&self, name: &str) -> Option<usize> {
        self.functions.iter().position(|function| *function.name == *name)
    }

    pub(super) fn join(&mut self, topic: usize, asker: Asker) -> Place {
        self.rows.join(topic, asker)
    }

    pub(super) fn leave(&mut self, topic: usize, place: Place) {
        self.rows.leave(topic, place);
    }

    /// Lets the next call begin. The rate is asked last: it is spent by asking.
    ///
    /// # Errors
    /// What to wait for.
    pub(super) fn next(&mut self, now: Duration) -> Result<Next, Wait> {
        if !self.rules.has_room() {
            return Err(Wait::Change);
        }
        let looks: Vec<Result<(), Wait>> = (0..self.functions.len()).map(|nth| self.rules.look(nth, now)).collect();
        self.any(&looks)?;
        self.rules.rate.take(now).map_err(Wait::For)?;
        let may_go = |topic: usize| looks[self.topics[topic].function].is_ok();
        let (topic, asker) = self.rows.next(may_go).ok_or(Wait::Change)?;
        let function = self.topics[topic].function;
        let ticket = self.rules.begin(function, now).ok_or(Wait::Change)?;
        let most_records = self.rules.most_records(ticket);
        Ok(Next { asker, topic, ticket, function: self.functions[function].name.clone(), most_records })
    }

    /// Whether a function lets pass any of those who wait.
    fn any(&self, looks: &[Result<(), Wait>]) -> Result<(), Wait> {
        let mut wait = Wait::Change;
        for topic in self.rows.topics() {
            match looks[self.topics[topic].function] {
                Ok(()) => return Ok(()),
                Err(other) => wait = wait.or(other),
            }
        }
        Err(wait)
    }

    /// Every topic, and how many of its calls wait.
    pub(super) fn topics(&self) -> impl Iterator<Item = (&Topic, usize)> {
        self.topics.iter().enumerate().map(|(nth, topic)| (topic, self.rows.waiting(nth)))
    }

    /// What is worth telling of every function.
    pub(super) fn stands(&self) -> Vec<Stand> {
        (0..self.functions.len()).map(|nth| Stand::of(&self.rules, nth)).collect()
    }
}
