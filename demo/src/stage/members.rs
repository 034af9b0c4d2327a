//! The consumers: start, kill, freeze, stop, and who owns what.

use super::{PATIENCE, Stage};
use crate::kafka_view::TopicPartition;
use crate::options::Fault;
use crate::services::Service;
use crate::settings;
use crate::watch::{assignment, count};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The owner of each partition, by name.
pub type Owners = BTreeMap<TopicPartition, String>;

/// How long a consumer may take to end after SIGTERM.
const STOP: Duration = Duration::from_secs(30);

impl Stage<'_> {
    /// Starts consumer `number` of the group and does not wait for it. With the fault `commit-early` the first one is the one that
    /// commits too early.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_member(&mut self, number: u32) -> Result<()> {
        let name = format!("consumer-{number}");
        self.configure_member(&name)?;
        self.members.push(self.launch(&name)?);
        Ok(())
    }

    /// Writes the configuration that a consumer begins with when it is started next.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn configure_member(&self, name: &str) -> Result<()> {
        let mut table = settings::consumer(&self.folder, name, &self.world.consumer, &self.world.host.endpoint());
        settings::set(&mut table, "consumer.group", self.world.group.clone().into());
        for (key, value) in &self.consumer_settings {
            settings::set(&mut table, key, value.clone());
        }
        settings::write(&self.folder, name, &table)
    }

    fn launch(&self, name: &str) -> Result<Service> {
        let hasty = name == "consumer-1" && self.options.fault == Fault::CommitEarly;
        let program = self.binaries.path(if hasty { "comboio-hasty-consumer" } else { "comboio-consumer" });
        Service::start(&self.folder, name, &program, &[])
    }

    /// Starts consumers and waits until the group has shared out all partitions; how long that took.
    ///
    /// # Errors
    /// When they are not ready in time, or the group does not come to rest.
    pub async fn start_members(&mut self, numbers: impl IntoIterator<Item = u32>) -> Result<Duration> {
        let since = Instant::now();
        for number in numbers {
            self.start_member(number)?;
        }
        for member in &mut self.members {
            member.wait_ready(PATIENCE).await?;
        }
        self.until_shared_out().await?;
        Ok(since.elapsed())
    }

    /// Waits until every partition has one owner, and every consumer that can move owns some.
    ///
    /// # Errors
    /// When the group does not come to rest in time.
    pub async fn until_shared_out(&mut self) -> Result<Duration> {
        let partitions = self.world.partitions().len();
        let shared_out = async |stage: &mut Self| {
            let (mut owned, mut idle) = (0, false);
            for status in stage.statuses().await.values() {
                let own = assignment(status).len();
                (owned, idle) = (owned + own, idle || own == 0);
            }
            Ok(owned == partitions && !idle && stage.owners().await.len() == partitions)
        };
        self.until("every partition has one owner, and every consumer some", PATIENCE, shared_out).await
    }

    /// What each consumer says of itself, by name; one that stands still says nothing.
    pub async fn statuses(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        for member in &self.members {
            if let Some(status) = member.status().await {
                all.insert(member.name().to_owned(), status);
            }
        }
        all
    }

    /// The owner of each partition, as the consumers say.
    pub async fn owners(&self) -> Owners {
        let statuses = self.statuses().await;
        statuses.iter().flat_map(|(name, status)| assignment(status).into_iter().map(|at| (at, name.clone()))).collect()
    }

    /// What consumer `name` says of itself.
    ///
    /// # Errors
    /// When there is none of that name, or it does not answer.
    pub async fn status(&mut self, name: &str) -> Result<Value> {
        let status = self.member(name)?.status().await;
        status.with_context(|| format!("{name} gives no status"))
    }

    /// The consumer of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn member(&mut self, name: &str) -> Result<&mut Service> {
        let place = self.place(name)?;
        Ok(&mut self.members[place])
    }

    fn place(&self, name: &str) -> Result<usize> {
        let place = self.members.iter().position(|member| member.name() == name);
        place.with_context(|| format!("there is no {name}"))
    }

    /// Kills consumer `name` with SIGKILL; what it had said last is kept.
    ///
    /// # Errors
    /// When there is none of that name, or it cannot be killed.
    pub async fn kill_member(&mut self, name: &str) -> Result<()> {
        let member = self.members.remove(self.place(name)?);
        self.remember(&member).await;
        member.kill()
    }

    /// Stops consumers by SIGTERM, all at once, and waits until they have ended by themselves with 0.
    ///
    /// # Errors
    /// When one of them does not.
    pub async fn stop_members(&mut self, names: &[String]) -> Result<()> {
        let mut leaving = Vec::new();
        for name in names {
            let member = self.members.remove(self.place(name)?);
            self.remember(&member).await;
            member.terminate()?;
            leaving.push(member);
        }
        for member in leaving {
            member.ended(STOP).await?;
        }
        Ok(())
    }

    /// Stops consumers by SIGTERM, all at once, and starts them again with the same settings; how long it took until all were ready.
    ///
    /// # Errors
    /// When one does not end with 0, or is not ready again in time.
    pub async fn restart_members(&mut self, names: &[String]) -> Result<Duration> {
        let since = Instant::now();
        self.stop_members(names).await?;
        for name in names {
            self.members.push(self.launch(name)?);
        }
        for name in names {
            self.member(name)?.wait_ready(PATIENCE).await?;
        }
        Ok(since.elapsed())
    }

    /// Its counts end with it.
    async fn remember(&mut self, member: &Service) {
        if let Some(status) = member.status().await {
            self.removed_before += count(&status, "/duplicates");
        }
    }
}
