//! All functions, faults and limits of the host: finds the function of an invocation and keeps the counts.

use super::answer::Answer;
use super::fault::Rule;
use super::fault_book::{FaultBook, Standing};
use super::fleet::Fleet;
use super::function::Function;
use super::invocation::{Call, carry_out};
use super::refusal::Refusal;
use super::stats::{Counters, HostStats};
use anyhow::bail;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How the host behaves.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// 0 = any free port of 127.0.0.1.
    pub port: u16,
    /// Where the functions' output goes, one `NAME.log` each; nowhere when absent.
    pub log_dir: Option<PathBuf>,
    /// A process that is idle for this long is ended.
    pub idle_after: Duration,
    /// How long a new process may take until it asks for its first event.
    pub init_limit: Duration,
    /// How many invocations may run at once in all functions without reserved concurrency.
    pub account_concurrency: usize,
    /// Of the dice for faults.
    pub seed: u64,
}

impl Default for HostOptions {
    /// AWS's numbers where it has any: 10 s for the start, 1000 at once.
    fn default() -> Self {
        Self {
            port: 0,
            log_dir: None,
            idle_after: Duration::from_secs(60),
            init_limit: Duration::from_secs(10),
            account_concurrency: 1000,
            seed: 1,
        }
    }
}

/// The host without its HTTP.
#[derive(Debug)]
pub struct Engine {
    options: HostOptions,
    fleets: RwLock<BTreeMap<String, Arc<Fleet>>>,
    faults: Mutex<FaultBook>,
    account: Arc<Semaphore>,
    not_found: AtomicU64,
}

impl Engine {
    pub fn new(options: HostOptions) -> Self {
        let account = Arc::new(Semaphore::new(options.account_concurrency.min(Semaphore::MAX_PERMITS)));
        let faults = Mutex::new(FaultBook::new(options.seed));
        Self { options, fleets: RwLock::default(), faults, account, not_found: AtomicU64::new(0) }
    }

    /// Makes a function callable, or replaces it: what runs ends as it is, what is idle ends now, the counts go on.
    ///
    /// # Errors
    /// What [`Function::check`] finds, and a log folder that cannot be made.
    pub fn deploy(&self, mut function: Function) -> anyhow::Result<()> {
        function.check()?;
        function.bootstrap = function.bootstrap.canonicalize()?;
        let log = self.options.log_dir.as_ref().map(|dir| dir.join(format!("{}.log", function.name)));
        if let Some(dir) = &self.options.log_dir {
            std::fs::create_dir_all(dir)?;
        }
        let counters = match self.fleet(&function.name) {
            Some(old) => Arc::clone(&old.counters),
            None => Arc::new(Counters::new()?),
        };
        let name = function.name.clone();
        let fleet = Arc::new(Fleet::new(function, counters, &self.account, log));
        self.fleets.write().unwrap_or_else(PoisonError::into_inner).insert(name, fleet);
        Ok(())
    }

    /// Answers one invocation; runs to its end even if the caller stops waiting, when spawned.
    pub async fn invoke(&self, name: &str, call: Call) -> Answer {
        let Some(fleet) = self.fleet(name) else {
            self.not_found.fetch_add(1, Ordering::Relaxed);
            return Answer::Refused(Refusal::not_found(name, call.qualifier.as_deref()));
        };
        let began = Instant::now();
        fleet.counters.began();
        let plan = self.faults().plan(name, began);
        let answer = carry_out(&fleet, call, plan, self.options.init_limit).await;
        fleet.counters.ended(answer.outcome(), began.elapsed());
        answer
    }

    /// Adds rules, all or none; gives their numbers.
    ///
    /// # Errors
    /// The first rule that makes no sense.
    pub fn add_faults(&self, rules: Vec<Rule>) -> anyhow::Result<Vec<u64>> {
        if let Some(problem) = rules.iter().find_map(Rule::problem) {
            bail!("{problem}");
        }
        let (mut book, now) = (self.faults(), Instant::now());
        Ok(rules.into_iter().map(|rule| book.add(rule, now)).collect())
    }

    /// Takes all rules back, or one; says how many that were.
    pub fn clear_faults(&self, only: Option<u64>) -> usize {
        self.faults().clear(only)
    }

    pub fn standing_faults(&self) -> Vec<Standing> {
        self.faults().standing()
    }

    pub fn stats(&self) -> HostStats {
        let fleets = self.fleets.read().unwrap_or_else(PoisonError::into_inner);
        let functions = fleets.iter().map(|(name, fleet)| (name.clone(), fleet.stats())).collect();
        HostStats { functions, not_found: self.not_found.load(Ordering::Relaxed) }
    }

    /// Ends processes that have been idle for too long.
    pub fn reap(&self) {
        let fleets: Vec<_> = self.fleets.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for fleet in fleets {
            fleet.reap(self.options.idle_after);
        }
    }

    /// Forgets all functions; their idle processes end now, the others with their invocation.
    pub fn close(&self) {
        self.fleets.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn fleet(&self, name: &str) -> Option<Arc<Fleet>> {
        self.fleets.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn faults(&self) -> MutexGuard<'_, FaultBook> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
