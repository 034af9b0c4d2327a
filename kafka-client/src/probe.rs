//! Is Kafka reachable, does it accept us, are topics and group there: one sentence if not.
//!
//! *In*: settings and a deadline. *Out*: what was asked for, or a [`ProbeError`]. *Never*: a wait much beyond the
//! deadline, a change on the brokers, a member in the group.

/// What stands in the way, as a sentence with a next step.
mod error;
/// A second, closer look at a TLS handshake that failed.
mod handshake;
/// One client that asks until it knows or the deadline has come.
mod session;

pub use error::ProbeError;

use crate::settings::ClientSettings;
use crate::topic_facts::{Informant, TopicFacts};
use error::Standing;
use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode as Code;
use session::Session;
use std::time::Duration;

/// For one answer about what stands behind names.
const ANSWER: Duration = Duration::from_secs(2);

/// A topic as the cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TopicInfo {
    pub name: String,
    pub partitions: i32,
    /// Copies of the first partition.
    pub replication: i32,
}

/// Reaches the cluster and looks at every topic; the answer has their order. Any settings will do.
pub fn topics(settings: &ClientSettings, topics: &[&str], deadline: Duration) -> Result<Vec<TopicInfo>, ProbeError> {
    each(settings, topics, deadline)?.into_result(Standing::of(settings))
}

/// The same, for whoever can go on without some of the topics.
pub fn each(settings: &ClientSettings, topics: &[&str], deadline: Duration) -> Result<Asked, ProbeError> {
    let names: Vec<String> = topics.iter().map(|name| (*name).to_owned()).collect();
    session::within(&settings.to_admin(), deadline, move |session| {
        // Also without a topic to ask for, the cluster must answer.
        if names.is_empty() {
            session.metadata(None)?;
        }
        let mut asked = Asked::default();
        for name in names {
            asked.sort_in(session, name)?;
        }
        Ok(asked)
    })
}

/// Every topic that we may see, by name, without Kafka's own.
pub fn all_topics(settings: &ClientSettings, deadline: Duration) -> Result<Vec<TopicInfo>, ProbeError> {
    session::within(&settings.to_admin(), deadline, |session| {
        let seen = session.metadata(None)?;
        let mut topics: Vec<_> = seen.into_iter().filter_map(|(_, topic)| topic.ok()).collect();
        topics.retain(|topic| !topic.name.starts_with("__"));
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    })
}

/// Whether we may use the group of these consumer settings, without joining it. `topic` is any topic of the group.
pub fn group(settings: &ClientSettings, topic: &str, deadline: Duration) -> Result<(), ProbeError> {
    let topic = topic.to_owned();
    session::within(settings, deadline, move |session| session.committed(&[(topic, 0)]).map(|_| ()))
}

/// Which topics stand behind these names; what is not known is left out, for nobody has to wait for it.
pub fn facts(settings: &ClientSettings, topics: &[&str], deadline: Duration) -> Vec<(String, TopicFacts)> {
    let names: Vec<String> = topics.iter().map(|name| (*name).to_owned()).collect();
    let told = within(settings, deadline, move |session| {
        let (names, mut informant) = (names.iter().map(String::as_str).collect::<Vec<_>>(), Informant::default());
        let mut ask = || informant.ask(session.consumer.client(), &names, ANSWER);
        Ok(ask().or_else(|_| ask()).unwrap_or_default())
    });
    let known = told.unwrap_or_default().into_iter();
    known.filter_map(|(topic, facts)| Some((topic, facts.ok()?))).collect()
}

/// Waits until a topic shows at least so many partitions: brokers learn of them one after the other.
pub(crate) fn until_grown(
    settings: &ClientSettings,
    topic: &str,
    partitions: i32,
    deadline: Duration,
) -> Result<(), ProbeError> {
    let topic = topic.to_owned();
    session::within(&settings.to_admin(), deadline, move |session| session.until_grown(&topic, partitions))
}

pub(crate) use session::within;

/// Topics by what the cluster said about them.
#[derive(Debug, Default)]
pub struct Asked {
    pub there: Vec<TopicInfo>,
    pub missing: Vec<String>,
    /// We may not see whether they are there.
    pub hidden: Vec<String>,
}

impl Asked {
    fn sort_in(&mut self, session: &Session, name: String) -> Result<(), ProbeError> {
        let answer = session.topic(&name)?;
        match answer {
            Ok(topic) => self.there.push(topic),
            Err(Code::TopicAuthorizationFailed) => self.hidden.push(name),
            Err(Code::UnknownTopicOrPartition | Code::UnknownTopic) => self.missing.push(name),
            Err(code) => return Err(ProbeError::Refused { asked: format!("topic {name}"), code }),
        }
        Ok(())
    }

    /// Rights first: who may not see a topic cannot know whether it is there.
    fn into_result(self, standing: Standing) -> Result<Vec<TopicInfo>, ProbeError> {
        if !self.hidden.is_empty() {
            return Err(ProbeError::TopicsNotAuthorised { topics: self.hidden, standing });
        }
        if !self.missing.is_empty() {
            return Err(ProbeError::TopicsMissing { topics: self.missing, standing });
        }
        Ok(self.there)
    }
}

#[cfg(test)]
mod tests;
