//! A gate under the paused clock: the real guard, those who wait at it, and the permits that they got.
#![allow(dead_code)]

use consumer::condition::Condition;
use consumer::guard::{BreakerSettings, BreakerState, ConcurrencySettings, Guard, GuardSettings, Limits};
use consumer::guard::{Outcome, Permit};
use consumer::metrics::Meters;
use consumer::topic::TopicPlan;
use runtime::clock::ManualClock;
use runtime::metrics::{Metrics, MetricsConfig};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

pub const SECOND: Duration = Duration::from_secs(1);
pub const MS: Duration = Duration::from_millis(1);

/// Who was given a permit, in order, as long as it is held.
type Given = Vec<(usize, Option<Permit>)>;

/// See the head of the file. Permits stand in the order in which they were given.
pub struct Gate {
    pub guard: Guard,
    pub condition: Condition,
    clock: ManualClock,
    pub metrics: Metrics,
    given: Arc<Mutex<Given>>,
    pub asked: Vec<JoinHandle<()>>,
}

impl Gate {
    pub fn new(max_in_flight: usize, invocations_per_second: f64) -> Self {
        Self::of(vec![TopicPlan::new("t", 1, "f")], Limits { max_in_flight, invocations_per_second })
    }

    pub fn of(topics: Vec<TopicPlan>, limits: Limits) -> Self {
        let settings = GuardSettings {
            topics,
            breaker: BreakerSettings {
                failures: 3,
                share: 0.5,
                window: SECOND * 10,
                open_for: SECOND,
                open_cap: SECOND * 4,
                probe_records: 10,
            },
            concurrency: ConcurrencySettings { adaptive: true, latency_budget: None },
            limits,
            most_in_flight: 100,
        };
        let metrics = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        let (clock, meters) = (ManualClock::default(), Arc::new(Meters::new(&metrics)));
        let condition = Condition::default();
        let guard = Guard::new(settings, Arc::new(clock.clone()), meters, condition.clone());
        Self { guard, condition, clock, metrics, given: Arc::default(), asked: Vec::new() }
    }

    /// Others may do what they can do now.
    pub async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    pub async fn pass(&self, span: Duration) {
        self.clock.advance(span);
        tokio::time::advance(span).await;
        self.settle().await;
    }

    /// One more call asks; the answer is its number.
    pub async fn ask(&mut self) -> usize {
        self.ask_for("t").await
    }

    /// One more call of a topic asks.
    pub async fn ask_for(&mut self, topic: &'static str) -> usize {
        let (number, guard, given) = (self.asked.len(), self.guard.clone(), self.given.clone());
        self.asked.push(tokio::spawn(async move {
            let permit = guard.entry(topic).unwrap().acquire().await;
            given.lock().unwrap().push((number, Some(permit)));
        }));
        self.settle().await;
        number
    }

    /// Who got a permit so far.
    pub fn given(&self) -> Vec<usize> {
        self.given.lock().unwrap().iter().map(|(number, _)| *number).collect()
    }

    /// The oldest permit that is still held.
    pub fn take(&self) -> Option<Permit> {
        self.given.lock().unwrap().iter_mut().find_map(|(_, permit)| permit.take())
    }

    /// Takes the permit that this one was given.
    pub fn take_of(&self, nth: usize) -> Option<Permit> {
        let mut given = self.given.lock().unwrap();
        given.iter_mut().find(|(number, _)| *number == nth).and_then(|(_, permit)| permit.take())
    }

    pub async fn end(&self, outcome: Outcome) {
        if let Some(permit) = self.take() {
            permit.ended(outcome, MS);
        }
        self.settle().await;
    }

    pub fn state(&self) -> BreakerState {
        self.guard.view().breaker.state
    }

    pub fn under_way(&self) -> usize {
        self.guard.view().under_way
    }
}
