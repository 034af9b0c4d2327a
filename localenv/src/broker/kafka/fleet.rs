//! Several brokers at once: they wait for each other, so they must start side by side.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::node::{Node, Site};
use crate::forwarder::Forwarder;

/// From the start of the process to an answer.
pub const READY_DEADLINE: Duration = Duration::from_secs(60);

/// Prepares and starts brokers that have never run, and waits until all are ready.
pub fn start_new(nodes: &mut [Node], site: &Site) -> anyhow::Result<()> {
    each(nodes, site, |node| {
        node.format(site)?;
        node.start(site)
    })
}

/// Starts brokers that have run before, and waits until all are ready.
pub fn start_again(nodes: &mut [Node], site: &Site) -> anyhow::Result<()> {
    each(nodes, site, |node| node.start(site))
}

/// One forwarder in front of each broker.
pub fn forwarders(nodes: &[Node]) -> anyhow::Result<Vec<Forwarder>> {
    nodes.iter().map(|node| Forwarder::start(Some(node.socket_address()))).collect()
}

/// A thread per broker. The first failure ends the wait of the others, which would only say that it is missing.
fn each(nodes: &mut [Node], site: &Site, start: impl Fn(&mut Node) -> anyhow::Result<()> + Sync) -> anyhow::Result<()> {
    let addresses: Vec<SocketAddr> = nodes.iter().map(Node::socket_address).collect();
    let (failed, first) = (AtomicBool::new(false), Mutex::new(None));
    let run = |node: &mut Node| {
        let ready =
            |node: &mut Node| node.wait_ready(site, &addresses, READY_DEADLINE, || failed.load(Ordering::Relaxed));
        if let Err(error) = start(node).and_then(|()| ready(node)) {
            failed.store(true, Ordering::Relaxed);
            first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    };
    thread::scope(|scope| {
        for node in nodes {
            scope.spawn(|| run(node));
        }
    });
    first.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}
