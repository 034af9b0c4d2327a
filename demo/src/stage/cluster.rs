//! Real Kafka's brokers: who leads what, and what is done to them.

use super::Stage;
use crate::layout::TOPICS;
use anyhow::Result;
use localenv::broker::kafka::KafkaCluster;

impl Stage<'_> {
    /// Does something to the brokers, or asks them; it blocks, and the services go on.
    ///
    /// # Errors
    /// Those of `act`, or when this run has no real Kafka.
    pub fn cluster<T>(&mut self, act: impl FnOnce(&mut KafkaCluster) -> Result<T>) -> Result<T> {
        let kafka = self.world.kafka()?;
        tokio::task::block_in_place(|| act(kafka))
    }

    /// The leaders of all partitions that carry events; a partition without one is missing.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn leaders(&mut self) -> Result<Vec<usize>> {
        self.cluster(|kafka| {
            let mut all = Vec::new();
            for (topic, _) in TOPICS {
                all.extend(kafka.leaders(topic)?.into_values());
            }
            Ok(all)
        })
    }

    /// Starts broker `id` again and waits until all replicas are in sync.
    ///
    /// # Errors
    /// When it does not come back in time.
    pub fn bring_back(&mut self, id: usize) -> Result<()> {
        self.cluster(|kafka| {
            kafka.restart(id)?;
            kafka.wait_in_sync(super::PATIENCE)
        })
    }
}
