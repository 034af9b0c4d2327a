//! A destination that follows a script, and a dispatcher around it.

use dispatcher_lambda::config::Config;
use dispatcher_lambda::dedupe::{Dedupe, MemoryStore};
use dispatcher_lambda::deliver::Policy;
use dispatcher_lambda::destinations::{Destination, Failure, Limits, Named, Outcome, Parcel};
use dispatcher_lambda::dispatcher::Dispatcher;
use dispatcher_lambda::event_source::EventSource;
use dispatcher_lambda::record::Need;
use dispatcher_lambda::route::Rule;
use dispatcher_lambda::telemetry::TelemetryConfig;
use dispatcher_lambda::together::BoxFuture;
use domain::backoff::Backoff;
use domain::event::Versions;
use domain::failure::FailureClass;
use domain::key::KeyStrategy;
use runtime::config::Settings;
use runtime::logs::{LogsConfig, LogsRaw};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the destination does with one call; after the script it takes everything.
#[derive(Debug, Clone)]
pub enum Act {
    Take,
    Fail(FailureClass),
    /// Rejects any call that holds a value with this text.
    RejectWith(&'static str),
    /// These indexes fail with this class.
    Part(Vec<usize>, FailureClass),
    Panic,
    Hang,
}

/// Everything it took, in order, and how often it was called.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    pub values: Arc<Mutex<Vec<String>>>,
    pub calls: Arc<Mutex<usize>>,
}

impl Taken {
    pub fn values(&self) -> Vec<String> {
        self.values.lock().unwrap().clone()
    }

    pub fn calls(&self) -> usize {
        *self.calls.lock().unwrap()
    }
}

pub struct Scripted {
    script: Mutex<VecDeque<Act>>,
    /// What it does when the script is over.
    last: Act,
    taken: Taken,
    limits: Limits,
}

impl Scripted {
    pub fn new(script: Vec<Act>, last: Act, records: usize) -> (Self, Taken) {
        let taken = Taken::default();
        let limits = Limits { records, bytes: usize::MAX, timeout: Duration::from_secs(5) };
        (Self { script: Mutex::new(script.into()), last, taken: taken.clone(), limits }, taken)
    }

    fn take<'a>(&self, values: impl Iterator<Item = &'a str>) {
        self.taken.values.lock().unwrap().extend(values.map(str::to_owned));
    }
}

impl Destination for Scripted {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn deliver<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        *self.taken.calls.lock().unwrap() += 1;
        let act = self.script.lock().unwrap().pop_front().unwrap_or_else(|| self.last.clone());
        Box::pin(async move {
            match act {
                Act::Take => self.take(parcel.values()),
                Act::Fail(class) => return Outcome::Failed(Failure::new(class, "scripted")),
                Act::RejectWith(text) if parcel.values().any(|value| value.contains(text)) => {
                    return Outcome::Failed(Failure::new(FailureClass::Rejected, "scripted"));
                }
                Act::RejectWith(_) => self.take(parcel.values()),
                Act::Part(failed, class) => {
                    let failed: Vec<usize> = failed.into_iter().filter(|index| *index < parcel.entries.len()).collect();
                    let kept = parcel.values().enumerate().filter(|(index, _)| !failed.contains(index));
                    self.take(kept.map(|(_, value)| value));
                    return Outcome::Partial(failed.into_iter().map(|i| (i, Failure::new(class, "part"))).collect());
                }
                Act::Panic => panic!("scripted panic"),
                Act::Hang => std::future::pending().await,
            }
            Outcome::Delivered
        })
    }
}

/// Every event goes to all `destinations`; event-id dedupe in memory.
pub fn dispatcher(destinations: Vec<(Box<dyn Destination>, Need)>, attempts: u32) -> Dispatcher {
    Dispatcher::new(config(destinations, attempts))
}

/// The same with another dedupe.
pub fn with_dedupe(destinations: Vec<(Box<dyn Destination>, Need)>, attempts: u32, dedupe: Dedupe) -> Dispatcher {
    Dispatcher::new(Config { dedupe, ..config(destinations, attempts) })
}

/// One destination that takes everything of `versions`, without dedupe.
pub fn with_versions(versions: Versions) -> (Dispatcher, Taken) {
    let (destination, taken) = Scripted::new(vec![], Act::Take, 10);
    let config = config(vec![(Box::new(destination), Need::Required)], 1);
    (Dispatcher::new(Config { versions, dedupe: Dedupe::None, ..config }), taken)
}

/// What is behind all of them.
pub fn config(destinations: Vec<(Box<dyn Destination>, Need)>, attempts: u32) -> Config {
    let to = destinations.iter().enumerate().map(|(index, (_, need))| (index, *need)).collect();
    let destinations = destinations.into_iter().map(|(destination, _)| destination).collect();
    build(destinations, attempts, Rule::everything(to), EventSource::default())
}

/// Every event goes to the first; rejected records of an event source mapping to the second.
pub fn setting_aside(events: Scripted, letters: Scripted) -> Dispatcher {
    let event_source = EventSource { set_aside: Some(1), ..EventSource::default() };
    let rule = Rule::everything(vec![(0, Need::Required)]);
    Dispatcher::new(build(vec![Box::new(events), Box::new(letters)], 1, rule, event_source))
}

fn build(destinations: Vec<Box<dyn Destination>>, attempts: u32, rule: Rule, event_source: EventSource) -> Config {
    let named = |(index, destination): (usize, Box<dyn Destination>)| Named {
        name: ["collector", "second", "third"][index].to_owned(),
        destination,
    };
    Config {
        logs: LogsConfig::validate(&Settings::default(), &LogsRaw::default()).unwrap(),
        telemetry: TelemetryConfig::default(),
        key: KeyStrategy::HashCodigoTruck,
        versions: Versions::V1,
        dedupe: Dedupe::EventId { store: Box::new(MemoryStore::new(1_000)), claim: Duration::from_secs(900) },
        policy: Policy { attempts, backoff: Backoff { base: Duration::from_millis(50), cap: Duration::from_secs(1) } },
        event_source,
        margin: Duration::from_millis(500),
        rules: vec![rule],
        destinations: destinations.into_iter().enumerate().map(named).collect(),
    }
}

/// One required destination that follows `script`, and what it takes.
pub fn with_script(script: Vec<Act>, last: Act, attempts: u32) -> (Dispatcher, Taken) {
    let (destination, taken) = Scripted::new(script, last, 2);
    (dispatcher(vec![(Box::new(destination), Need::Required)], attempts), taken)
}
