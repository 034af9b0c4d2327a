//! One admin client, and requests that end by a deadline.

use super::{NewTopic, TopicsError};
use crate::context::ObservedContext;
use crate::settings::ClientSettings;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, ResourceSpecifier, TopicReplication, TopicResult};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use runtime::clock::{Clock, SystemClock};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

pub(super) struct Admin {
    client: AdminClient<ObservedContext>,
    deadline: Duration,
}

impl Admin {
    pub(super) fn open(settings: &ClientSettings, deadline: Duration) -> Result<Self, TopicsError> {
        let client = settings.to_admin().create_with_context(ObservedContext::default())?;
        Ok(Self { client, deadline })
    }

    /// A topic that somebody else made in the meantime is fine here; the caller looks at its partitions.
    pub(super) fn create(&self, topics: &[&NewTopic]) -> Result<(), TopicsError> {
        let wanted: Vec<_> = topics.iter().map(|topic| native(topic)).collect();
        let results = self.wait("create", self.client.create_topics(&wanted, &self.options()))?;
        first_refusal("create", results, Some(RDKafkaErrorCode::TopicAlreadyExists))
    }

    pub(super) fn grow(&self, topic: &str, partitions: i32) -> Result<(), TopicsError> {
        let count = usize::try_from(partitions).unwrap_or(0);
        let wanted = [NewPartitions::new(topic, count)];
        let results = self.wait("grow", self.client.create_partitions(&wanted, &self.options()))?;
        first_refusal("grow", results, None)
    }

    pub(super) fn configuration(
        &self,
        topics: &[&str],
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>, TopicsError> {
        let wanted: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
        let results = self.wait("describe", self.client.describe_configs(&wanted, &self.options()))?;
        let mut all = BTreeMap::new();
        for (topic, result) in topics.iter().zip(results) {
            let refused = |code| TopicsError::Refused { what: "describe", topic: (*topic).to_owned(), code };
            let entries = result.map_err(refused)?.entries.into_iter();
            let known = entries.filter_map(|entry| entry.value.map(|value| (entry.name, value)));
            all.insert((*topic).to_owned(), known.collect());
        }
        Ok(all)
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new().request_timeout(Some(self.deadline)).operation_timeout(Some(self.deadline))
    }

    fn wait<T>(&self, what: &'static str, asked: impl Future<Output = KafkaResult<T>>) -> Result<T, TopicsError> {
        // librdkafka keeps the deadline; one second more, and it is given up here.
        let answer = block_on(asked, self.deadline + Duration::from_secs(1));
        let failed = |reason: String| TopicsError::Failed { what, reason };
        answer.ok_or_else(|| failed("no answer in time".to_owned()))?.map_err(|error| failed(error.to_string()))
    }
}

fn native(topic: &NewTopic) -> rdkafka::admin::NewTopic<'_> {
    let replication = TopicReplication::Fixed(topic.replication);
    let start = rdkafka::admin::NewTopic::new(&topic.name, topic.partitions, replication);
    topic.config.iter().fold(start, |new, (name, value)| new.set(name, value))
}

fn first_refusal(
    what: &'static str,
    results: Vec<TopicResult>,
    fine: Option<RDKafkaErrorCode>,
) -> Result<(), TopicsError> {
    let refusals = results.into_iter().filter_map(Result::err);
    let mut bad = refusals.filter(|(_, code)| Some(*code) != fine);
    bad.next().map_or(Ok(()), |(topic, code)| Err(TopicsError::Refused { what, topic, code }))
}

/// Wakes the waiting thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits on this thread: the admin client answers from a thread of its own, so no executor is needed.
fn block_on<T>(future: impl Future<Output = T>, deadline: Duration) -> Option<T> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let started = SystemClock.now();
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(value);
        }
        let left = deadline.checked_sub(SystemClock.now().saturating_sub(started))?;
        thread::park_timeout(left);
    }
}
