//! Start: is everything there that the consumer needs? One sentence if not, before the first record is taken.

use crate::config::Config;
use crate::invoke::{InvokeFailure, Invoker};
use crate::topic::functions;
use domain::failure::FailureClass;
use domain::headers::{dead_letter_topic, topic_of_retry};
use kafka_client::probe::{self, ProbeError};
use kafka_client::topic_facts::TopicFacts;
use std::time::Duration;

/// How long each question may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// What is missing.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Kafka(#[from] ProbeError),
    #[error("function {function} cannot be invoked (function.name, or function of a [[topic]]): {}; check its name, its region, and the right lambda:InvokeFunction", failure.detail)]
    Function { function: String, failure: InvokeFailure },
    #[error("the question to Kafka broke off: {0}")]
    Broken(String),
}

/// What Kafka said of the topics that are read.
#[derive(Debug)]
pub struct Found {
    /// Of all together.
    pub partitions: u64,
    /// Which topic stands behind each name, as far as that is known.
    pub facts: Vec<(String, TopicFacts)>,
}

/// Asks Kafka for the topics, their retry and dead-letter topics and the group, and Lambda for every function.
///
/// # Errors
/// The first thing that people must mend. A function that is only slow, throttled or down for now is no reason not to start.
pub async fn check<I: Invoker>(config: &Config, invoker: &I) -> Result<Found, StartError> {
    let (consumer, topics) = (config.kafka.consumer(&config.tuning), config.poll.topics.clone());
    let question = tokio::task::spawn_blocking(move || {
        // A record of a retry topic becomes a dead letter of the topic that it came to first.
        let first = topics.iter().filter(|topic| topic_of_retry(topic).is_none());
        let dead_letters: Vec<String> = first.map(|topic| dead_letter_topic(topic)).collect();
        let all: Vec<String> = topics.iter().cloned().chain(dead_letters).collect();
        let names: Vec<&str> = all.iter().map(String::as_str).collect();
        let seen = probe::topics(&consumer, &names, DEADLINE)?;
        let read = seen.iter().filter(|topic| topics.contains(&topic.name));
        let partitions = read.map(|topic| u64::try_from(topic.partitions).unwrap_or(0)).sum();
        probe::group(&consumer, &topics[0], DEADLINE)?;
        let read: Vec<&str> = topics.iter().map(String::as_str).collect();
        Ok::<_, ProbeError>(Found { partitions, facts: probe::facts(&consumer, &read, DEADLINE) })
    });
    let found = question.await.map_err(|error| StartError::Broken(error.to_string()))??;
    for name in functions(&config.desk.topics) {
        function(name, invoker).await?;
    }
    Ok(found)
}

async fn function<I: Invoker>(function: &str, invoker: &I) -> Result<(), StartError> {
    match invoker.check(function).await {
        Ok(()) => Ok(()),
        Err(failure) if failure.class == FailureClass::Ours => {
            Err(StartError::Function { function: function.to_owned(), failure })
        }
        Err(failure) => {
            tracing::warn!(function, class = %failure.class, error = %failure.detail, "the function does not answer yet; starting all the same");
            Ok(())
        }
    }
}
