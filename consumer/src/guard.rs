//! Guard: whether a function may be called now, and by how many at once.
//!
//! In: who wants to call for which topic, how calls ended, what an operator wants. Out: permits, by the topics' weights and first come
//! first served within.
//! Never: calls anything, gives up a record, lets anybody overtake within a topic, or has one topic wait because another cannot go.

/// Whether it makes sense to call at all.
mod breaker;
/// How many calls may be under way at once.
mod concurrency;
/// Tells everybody what changed.
mod herald;
/// The way in for the calls of one topic.
mod entry;
/// What can be changed while the consumer runs.
mod limits;
/// How a call ended, and what that says about the other side.
mod outcome;
/// The permit for one call.
mod permit;
/// How many calls may begin in a second.
mod rate;
/// Who waits, by topic.
mod rows;
/// What all functions share, and what each has of its own.
mod rules;
/// All that is decided under one lock.
mod book;
/// How it stands.
mod view;
/// What happened in the last while.
mod window;

use crate::condition::Condition;
use crate::metrics::Meters;
use crate::topic::TopicPlan;
use book::{Book, Next};
pub use breaker::{Breaker, BreakerSettings, BreakerState, Cause, Force, Look, Passed};
pub use concurrency::{Concurrency, ConcurrencySettings, Load, Round};
pub use entry::Entry;
use herald::Herald;
pub use limits::Limits;
pub use outcome::{Outcome, Sign};
pub use permit::Permit;
pub use rate::InvocationRate;
use rules::Wait;
use runtime::clock::SharedClock;
use runtime::metrics::Counter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
pub use view::{BreakerView, FunctionView, GuardView, TopicView};

/// What the guard must know, immutable.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardSettings {
    /// At least one; their retry topics go with them.
    pub topics: Vec<TopicPlan>,
    /// Each function has a breaker of its own.
    pub breaker: BreakerSettings,
    /// Likewise.
    pub concurrency: ConcurrencySettings,
    /// At the start; of all functions together.
    pub limits: Limits,
    /// How many calls can be carried at once, however many are wanted later.
    pub most_in_flight: usize,
}

/// The guard in front of the functions; clones are the same guard.
#[derive(Clone)]
pub struct Guard {
    shared: Arc<Shared>,
    most_in_flight: usize,
}

struct Shared {
    clock: SharedClock,
    meters: Arc<Meters>,
    /// In the order of the functions.
    heralds: Vec<Herald>,
    /// Calls begun, in the order of the topics.
    begun: Vec<Counter>,
    /// One of those who wait keeps the time for all.
    turn: tokio::sync::Mutex<()>,
    /// It may be worth asking again at another time now. Only who has the turn listens, and a call for nobody is kept for the next.
    changed: Notify,
    book: Mutex<Book>,
}

impl Guard {
    pub fn new(settings: GuardSettings, clock: SharedClock, meters: Arc<Meters>, condition: Condition) -> Self {
        let book = Book::new(&settings, clock.now(), clock.wall_ms());
        let herald = |name: &Arc<str>| Herald::new(name.clone(), &meters, condition.clone());
        let heralds: Vec<Herald> = book.functions.iter().map(|function| herald(&function.name)).collect();
        heralds.iter().zip(book.stands()).for_each(|(herald, stand)| herald.begin(&stand));
        let begun = settings.topics.iter().map(|topic| meters.guard.begun(&topic.name, &topic.function)).collect();
        let (turn, changed, book) = (tokio::sync::Mutex::new(()), Notify::new(), Mutex::new(book));
        let shared = Arc::new(Shared { clock, meters, heralds, begun, turn, changed, book });
        Self { shared, most_in_flight: settings.most_in_flight }
    }

    /// The way in for the calls of a topic or of one of its retry topics, which wait in its row.
    ///
    /// # Errors
    /// Nothing is configured for this topic, so nobody knows which function takes its batches.
    pub fn entry(&self, topic: &str) -> Result<Entry, UnknownTopic> {
        let place = self.shared.book().topic(topic).ok_or_else(|| UnknownTopic(topic.to_owned()))?;
        Ok(Entry::new(self.shared.clone(), place))
    }

    /// All functions, each once.
    pub fn functions(&self) -> Vec<String> {
        self.shared.book().functions.iter().map(|function| function.name.to_string()).collect()
    }

    /// Forces a function's breaker, or lets it decide by itself again; `None` means the breakers of all functions.
    ///
    /// # Errors
    /// There is no such function.
    pub fn force(&self, function: Option<&str>, force: Force) -> Result<(), UnknownFunction> {
        let book = self.shared.book();
        let of = |name: &str| book.function(name).ok_or_else(|| UnknownFunction(name.to_owned()));
        let wanted = function.map(of).transpose()?;
        drop(book);
        tracing::info!(function = function.unwrap_or("all"), force = force.as_str(), "an operator moves the breaker");
        self.shared.change(|book, _| {
            let all = book.rules.functions.iter_mut().enumerate();
            let wanted = all.filter(|(nth, _)| wanted.is_none_or(|wanted| wanted == *nth));
            wanted.for_each(|(_, rules)| rules.breaker.set_force(force));
        });
        Ok(())
    }

    /// Changes the limits from the next call on. They must be valid for [`Guard::most_in_flight`].
    pub fn set_limits(&self, limits: Limits) {
        self.shared.change(|book, now| book.rules.set_limits(limits, now));
    }

    /// How many calls can be carried at once.
    pub fn most_in_flight(&self) -> usize {
        self.most_in_flight
    }

    /// How it stands; answers at once.
    pub fn view(&self) -> GuardView {
        GuardView::of(&self.shared.book(), self.shared.clock.now())
    }
}

/// Nothing is configured for this topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no topic of this consumer: nothing says which function takes its batches")]
pub struct UnknownTopic(pub String);

/// No topic has this function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no function of this consumer")]
pub struct UnknownFunction(pub String);

impl Shared {
    /// Lets everybody begin who may. Gives how long until it is worth asking again; `None`: not before something changes.
    fn serve(self: &Arc<Self>) -> Option<Duration> {
        loop {
            match self.ask(Book::next) {
                Ok(Next { asker, topic, ticket, function, most_records }) => {
                    let permit = Permit::new(self.clone(), (ticket, function, most_records));
                    // Who asked may be gone by now: then the permit is dropped, and makes room for the next.
                    if asker.send(permit).is_ok() {
                        self.begun[topic].add(1);
                    }
                }
                Err(Wait::For(span)) => return Some(span),
                Err(Wait::Change) => return None,
            }
        }
    }

    /// Changes something that may let somebody pass.
    fn change(self: &Arc<Self>, act: impl FnOnce(&mut Book, Duration)) {
        self.ask(act);
        self.serve();
        self.changed.notify_one();
    }

    /// Does something with the book, and tells what changed by that.
    fn ask<T>(&self, act: impl FnOnce(&mut Book, Duration) -> T) -> T {
        let mut book = self.book();
        let before = book.stands();
        let answer = act(&mut book, self.clock.now());
        for (nth, now) in book.stands().into_iter().enumerate() {
            if now.other_breaker(&before[nth]) {
                book.functions[nth].since_ms = self.clock.wall_ms();
            }
            self.heralds[nth].tell(&before[nth], &now, &book.rules.functions[nth].breaker);
        }
        answer
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
