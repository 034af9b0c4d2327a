//! One client that asks until it knows or the deadline has come.
//!
//! librdkafka hands out log lines and errors only while it is polled, so every wait here is a series of short ones
//! with a poll in between: that is how the reason of a failure becomes known.

use super::error::{ProbeError, Standing};
use super::{TopicInfo, handshake};
use crate::context::{ObservedContext, Observer, Reason, ReasonKind};
use crate::settings::ClientSettings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::topic_partition_list::TopicPartitionList;
use runtime::clock::{Clock, SystemClock};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// One wait for an answer, before the log is looked at again.
const STEP: Duration = Duration::from_millis(500);
/// How long other brokers may still save the day after one of them turned us away.
const GRACE: Duration = Duration::from_secs(2);
/// What closing a client may take on top of the deadline before it is left behind.
const CLOSING: Duration = Duration::from_secs(2);

/// What the cluster said about one topic.
pub(crate) type Answer = Result<TopicInfo, Code>;

pub(crate) struct Session {
    pub(crate) consumer: BaseConsumer<ObservedContext>,
    observer: Observer,
    settings: ClientSettings,
    started: Duration,
    deadline: Duration,
}

/// Runs `ask` with a client of its own on a thread of its own. If it does not come back (closing a client can block),
/// the thread is left behind: a check must not hang its caller.
pub(crate) fn within<T: Send + 'static>(
    settings: &ClientSettings,
    deadline: Duration,
    ask: impl FnOnce(&Session) -> Result<T, ProbeError> + Send + 'static,
) -> Result<T, ProbeError> {
    let (sender, receiver) = mpsc::channel();
    let owned = settings.clone();
    let spawned = thread::Builder::new().name("kafka-probe".to_owned()).spawn(move || {
        let outcome = Session::open(owned, deadline).and_then(|session| ask(&session));
        // Nobody listens any more when the deadline has long passed.
        let _ = sender.send(outcome);
    });
    let late = |reason: &str| ProbeError::Unreachable {
        standing: Standing::of(settings),
        waited: deadline,
        reason: reason.to_owned(),
    };
    spawned.map_err(|error| late(&error.to_string()))?;
    receiver.recv_timeout(deadline + CLOSING).unwrap_or_else(|_| Err(late("the client did not answer")))
}

impl Session {
    fn open(settings: ClientSettings, deadline: Duration) -> Result<Self, ProbeError> {
        let context = ObservedContext::default();
        let observer = context.0.clone();
        let consumer = settings.create_with_context(context)?;
        Ok(Self { consumer, observer, settings, started: SystemClock.now(), deadline })
    }

    /// All topics that we may see, or the one that was asked for.
    pub(crate) fn metadata(&self, topic: Option<&str>) -> Result<Vec<(String, Answer)>, ProbeError> {
        self.until_known(topic.unwrap_or("the cluster"), |step| {
            self.consumer.fetch_metadata(topic, step).map(|metadata| read(&metadata))
        })
    }

    /// One topic. A topic that has just been made has no leader for a moment: that is waited for.
    pub(crate) fn topic(&self, name: &str) -> Result<Answer, ProbeError> {
        loop {
            let answers = self.metadata(Some(name))?;
            let answer = answers.into_iter().find(|(topic, _)| topic == name).map(|(_, answer)| answer);
            match answer.unwrap_or(Err(Code::UnknownTopicOrPartition)) {
                Err(Code::LeaderNotAvailable) if !self.remaining().is_zero() => self.listen(STEP / 5),
                known => return Ok(known),
            }
        }
    }

    /// Asks until the topic has at least so many partitions.
    pub(crate) fn until_grown(&self, name: &str, partitions: i32) -> Result<(), ProbeError> {
        loop {
            match self.topic(name)? {
                Ok(topic) if topic.partitions >= partitions => return Ok(()),
                _ if self.remaining().is_zero() => return Err(self.verdict()),
                _ => self.listen(STEP / 5),
            }
        }
    }

    /// The committed offsets of the client's group; `None` where nothing was committed.
    pub(crate) fn committed(&self, partitions: &[(String, i32)]) -> Result<TopicPartitionList, ProbeError> {
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            list.add_partition(topic, *partition);
        }
        let group = self.settings.property("group.id").unwrap_or_default();
        self.until_known(&format!("group {group}"), |step| self.consumer.committed_offsets(list.clone(), step))
    }

    /// Asks again and again until there is an answer, a refusal, or no time left.
    pub(crate) fn until_known<T>(
        &self,
        asked: &str,
        ask: impl Fn(Duration) -> Result<T, KafkaError>,
    ) -> Result<T, ProbeError> {
        let mut refused_at = None;
        loop {
            let remaining = self.remaining();
            let outcome = ask(remaining.clamp(Duration::from_millis(1), STEP));
            self.listen(Duration::ZERO);
            let code = match outcome {
                Ok(answer) => return Ok(answer),
                Err(error) => error.rdkafka_error_code().unwrap_or(Code::Unknown),
            };
            if let Some(refusal) = self.refusal(asked, code) {
                return Err(refusal);
            }
            if self.is_turned_away() {
                refused_at.get_or_insert_with(|| SystemClock.now());
            }
            let decided = refused_at.is_some_and(|at| SystemClock.now() >= at + GRACE);
            if decided || remaining.is_zero() {
                return Err(self.verdict());
            }
            self.listen(STEP / 5);
        }
    }

    /// One broker has turned us away at the door; only another one can still answer.
    fn is_turned_away(&self) -> bool {
        let cut = self.observer.last(ReasonKind::Connection);
        self.observer.last(ReasonKind::Tls).is_some() || cut.is_some_and(|reason| wants_tls(&reason, &self.settings))
    }

    fn remaining(&self) -> Duration {
        self.deadline.saturating_sub(SystemClock.now().saturating_sub(self.started))
    }

    /// Serves log lines and errors for up to `wait`.
    fn listen(&self, wait: Duration) {
        // A client without a subscription has no records; what comes are errors, and the observer has them already.
        let _ = self.consumer.poll(wait.min(self.remaining()));
        for _ in 0..100 {
            if self.consumer.poll(Duration::ZERO).is_none() {
                break;
            }
        }
    }

    /// A no that waiting does not change.
    fn refusal(&self, asked: &str, code: Code) -> Option<ProbeError> {
        let heard = self.observer.last(ReasonKind::Refused).map(|reason| reason.code);
        let codes = [Some(code), heard];
        let standing = Standing::of(&self.settings);
        if codes.contains(&Some(Code::GroupAuthorizationFailed)) {
            let group = self.settings.property("group.id").unwrap_or_default().to_owned();
            return Some(ProbeError::GroupNotAuthorised { group, standing });
        }
        let rights = [Code::TopicAuthorizationFailed, Code::ClusterAuthorizationFailed, Code::SaslAuthenticationFailed];
        let no = codes.into_iter().flatten().find(|code| rights.contains(code));
        no.map(|code| ProbeError::Refused { asked: asked.to_owned(), code })
    }

    /// The sentence for what was heard until now.
    fn verdict(&self) -> ProbeError {
        let reason = self.observer.telling();
        let unreachable = |reason: String| ProbeError::Unreachable {
            standing: Standing::of(&self.settings),
            waited: SystemClock.now().saturating_sub(self.started),
            reason,
        };
        let Some(reason) = reason else { return unreachable("no answer".to_owned()) };
        let broker = reason.broker.clone().or_else(|| self.settings.bootstrap().first().cloned()).unwrap_or_default();
        match reason.kind {
            ReasonKind::Tls => handshake::explain(&self.settings, broker, &reason.text),
            _ if wants_tls(&reason, &self.settings) => ProbeError::TlsExpected { broker },
            _ => unreachable(spoken(&reason)),
        }
    }
}

/// A TLS listener answers plaintext by hanging up during the first request.
fn wants_tls(reason: &Reason, settings: &ClientSettings) -> bool {
    settings.bundle().is_none() && reason.at_first_request
}

fn spoken(reason: &Reason) -> String {
    match &reason.broker {
        Some(broker) => format!("{broker}: {}", reason.text),
        None => reason.text.clone(),
    }
}

fn read(metadata: &Metadata) -> Vec<(String, Answer)> {
    metadata.topics().iter().map(|topic| (topic.name().to_owned(), answer(topic))).collect()
}

/// Partitions are only looked at without an error: with one, librdkafka leaves a null pointer where they would be.
fn answer(topic: &MetadataTopic) -> Answer {
    if let Some(error) = topic.error() {
        return Err(error.into());
    }
    let partitions = topic.partitions();
    let first = partitions.first().ok_or(Code::LeaderNotAvailable)?;
    Ok(TopicInfo {
        name: topic.name().to_owned(),
        partitions: i32::try_from(partitions.len()).unwrap_or(i32::MAX),
        replication: i32::try_from(first.replicas().len()).unwrap_or(i32::MAX),
    })
}
