//! What can be done to brokers: kill, stop, freeze, restart, move.

use anyhow::Context;
use nix::sys::signal::Signal;

use super::node::Node;
use super::{KafkaCluster, fleet};

impl KafkaCluster {
    /// Kills broker `id` (from 1) with SIGKILL, as a machine that fails does. Its data stays.
    ///
    /// # Errors
    /// There is no such broker, or it does not run.
    pub fn kill(&mut self, id: usize) -> anyhow::Result<()> {
        self.node(id)?.kill()
    }

    /// Kills every broker that runs (SIGKILL), as a power cut does. Their data stays.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn kill_all(&mut self) -> anyhow::Result<()> {
        self.nodes.iter_mut().filter(|node| node.is_running()).try_for_each(Node::kill)
    }

    /// Stops broker `id` cleanly (SIGTERM), as a rolling restart does: it hands its partitions over first.
    ///
    /// # Errors
    /// There is no such broker, or it does not run.
    pub fn stop(&mut self, id: usize) -> anyhow::Result<()> {
        self.node(id)?.stop()
    }

    /// Stops the process of broker `id` in its tracks (SIGSTOP): connections stay open and nothing is answered.
    ///
    /// # Errors
    /// There is no such broker, or it does not run.
    pub fn freeze(&mut self, id: usize) -> anyhow::Result<()> {
        self.node(id)?.signal(Signal::SIGSTOP)
    }

    /// Lets a frozen broker go on.
    ///
    /// # Errors
    /// There is no such broker, or it does not run.
    pub fn thaw(&mut self, id: usize) -> anyhow::Result<()> {
        self.node(id)?.signal(Signal::SIGCONT)
    }

    /// Starts broker `id` again, on the same ports and data, and waits until it is in service. Its replicas may still
    /// be catching up: see [`KafkaCluster::wait_in_sync`].
    ///
    /// # Errors
    /// There is no such broker, it runs already, or it is not ready within 60 s.
    pub fn restart(&mut self, id: usize) -> anyhow::Result<()> {
        self.node(id)?;
        let node = &mut self.nodes[id - 1..id];
        fleet::start_again(node, &self.site)
    }

    /// Starts all brokers again after [`KafkaCluster::kill_all`], on the same ports and data, and waits until they are in service.
    ///
    /// # Errors
    /// One runs already, or is not ready within 60 s.
    pub fn restart_all(&mut self) -> anyhow::Result<()> {
        fleet::start_again(&mut self.nodes, &self.site)
    }

    /// Kills all brokers and starts them again on other ports, with the same data. Clients that only remember the old
    /// brokers find the new ones through their bootstrap addresses alone, which stay with
    /// [`KafkaOptions::forwarded`](super::KafkaOptions::forwarded): that is librdkafka's re-bootstrap.
    ///
    /// # Errors
    /// A broker is not ready within 60 s.
    pub fn restart_all_on_new_ports(&mut self) -> anyhow::Result<()> {
        for forwarder in &self.forwarders {
            forwarder.point_at(None);
        }
        self.kill_all()?;
        self.nodes.iter_mut().try_for_each(Node::move_to_new_ports)?;
        self.restart_all()?;
        for (forwarder, node) in self.forwarders.iter().zip(&self.nodes) {
            forwarder.point_at(Some(node.socket_address()));
        }
        Ok(())
    }

    fn node(&mut self, id: usize) -> anyhow::Result<&mut Node> {
        let brokers = self.nodes.len();
        let index = id.checked_sub(1);
        let found = index.and_then(|index| self.nodes.get_mut(index));
        found.with_context(|| format!("there is no broker {id}, only 1 to {brokers}"))
    }
}
