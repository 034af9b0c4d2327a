//! AWS Lambda on this machine: the Invoke API for the real SDK, the Runtime API for the real `bootstrap`, and faults on command.
//!
//! One process per concurrent invocation, kept warm; timeouts kill; limits, errors and bodies are AWS's. Not emulated: signatures,
//! permissions, memory limits, `Event` invocations, log tails, versions and aliases (every qualifier means `$LATEST`), and a second
//! try of a failed start. For what AWS itself answers, see the sources named in the modules.

/// What is deployed: a function, its bootstrap and its settings.
mod function;
/// Errors of the Invoke API itself.
mod refusal;
/// What an invocation comes to, and its form on the wire.
mod answer;
/// Faults on command: what goes wrong, to which function, how often and for how long.
mod fault;
/// The rules in force, and which of them strike a given invocation.
mod fault_book;
/// Spoils an answer as a fault orders it.
mod spoil;
/// What the host has seen.
mod stats;
/// One process and its Runtime API.
mod sandbox;
/// All sandboxes of one function.
mod fleet;
/// Carries out one invocation.
mod invocation;
/// All functions, faults and limits of the host.
mod engine;
/// Lambda's Invoke API over HTTP.
mod invoke_api;
/// Steering the host over HTTP.
mod control_api;

pub use answer::MAX_RESPONSE_BYTES;
pub use engine::HostOptions;
pub use fault::{Fault, Rule, Wait, When};
pub use fault_book::Standing;
pub use function::{ACCOUNT, Function, REGION};
pub use refusal::{MAX_REQUEST_BYTES, REASON_ACCOUNT, REASON_RESERVED};
pub use sandbox::{Broken, Ending, Event, Report, Sandbox};
pub use stats::{FunctionStats, HostStats, Latency, Processes};

use crate::listener::Server;
use anyhow::Context;
use engine::Engine;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A running Lambda host; it and all its processes end when this is dropped.
#[derive(Debug)]
pub struct LambdaHost {
    engine: Arc<Engine>,
    server: Server,
}

impl LambdaHost {
    /// Starts an empty host on the current tokio runtime.
    ///
    /// # Errors
    /// When its port cannot be bound.
    pub async fn start(options: HostOptions) -> anyhow::Result<Self> {
        let (port, idle_after) = (options.port, options.idle_after);
        let engine = Arc::new(Engine::new(options));
        let router = invoke_api::router(Arc::clone(&engine)).merge(control_api::router(Arc::clone(&engine)));
        let server = Server::start(port, router).await.with_context(|| format!("lambda host: port {port}"))?;
        tokio::spawn(reap(Arc::downgrade(&engine), idle_after));
        Ok(Self { engine, server })
    }

    /// What the SDK wants as its endpoint URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Makes a function callable, or replaces it; its processes start when they are needed.
    ///
    /// # Errors
    /// A name that AWS would not take, or a bootstrap that is missing or not executable.
    pub fn deploy(&self, function: Function) -> anyhow::Result<()> {
        self.engine.deploy(function)
    }

    /// Adds a fault rule and gives its number.
    ///
    /// # Errors
    /// When the rule makes no sense, such as a share over 1.
    pub fn add_fault(&self, rule: Rule) -> anyhow::Result<u64> {
        Ok(self.engine.add_faults(vec![rule])?.first().copied().unwrap_or_default())
    }

    /// Takes all fault rules back.
    pub fn clear_faults(&self) {
        self.engine.clear_faults(None);
    }

    /// The rules and how often each has struck.
    pub fn faults(&self) -> Vec<Standing> {
        self.engine.standing_faults()
    }

    /// All counts at this moment.
    pub fn stats(&self) -> HostStats {
        self.engine.stats()
    }
}

impl Drop for LambdaHost {
    fn drop(&mut self) {
        self.engine.close();
    }
}

/// Looks for processes that have been idle too long, until the host is gone.
async fn reap(engine: Weak<Engine>, idle_after: Duration) {
    let pause = (idle_after / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    loop {
        tokio::time::sleep(pause).await;
        match engine.upgrade() {
            Some(engine) => engine.reap(),
            None => return,
        }
    }
}
