//! Event ids and fences in this process's memory: removes repeats that meet the same Lambda instance, and no others.
//!
//! Two generations of at most half the capacity each: a new id goes to the young one; when that is full it becomes the old one,
//! and the old one is forgotten. A repeat moves its id back to the young generation. So the last `capacity / 2` events are
//! always known, and never more than `capacity`.

use super::store::{Claim, Claimant, FenceStore, SeenStore, StoreFailure};
use crate::deadline::now;
use crate::together::BoxFuture;
use std::collections::{HashMap, HashSet};
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The store of one process.
pub struct MemoryStore {
    seen: Mutex<Seen>,
    /// One for each lane whose batches this instance got.
    fences: Mutex<HashMap<String, String>>,
}

struct Seen {
    half: usize,
    young: HashSet<Box<str>>,
    old: HashSet<Box<str>>,
    /// Bounded by the records in flight in this process.
    claims: HashMap<Box<str>, Held>,
}

#[derive(Clone, Copy)]
struct Held {
    by: Claimant,
    until: Instant,
}

impl MemoryStore {
    /// Knows at most `capacity` delivered ids.
    pub fn new(capacity: usize) -> Self {
        let half = (capacity / 2).max(1);
        let seen = Seen { half, young: HashSet::new(), old: HashSet::new(), claims: HashMap::new() };
        Self { seen: Mutex::new(seen), fences: Mutex::default() }
    }

    /// How many delivered ids it knows now.
    pub fn len(&self) -> usize {
        let seen = self.lock();
        seen.young.len() + seen.old.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SeenStore for MemoryStore {
    fn claim<'a>(
        &'a self,
        ids: &'a [&'a str],
        by: Claimant,
        span: Duration,
    ) -> BoxFuture<'a, Result<Vec<Claim>, StoreFailure>> {
        let now = now();
        let held = Held { by, until: now + span };
        let mut seen = self.lock();
        let answers = ids.iter().map(|id| seen.claim(id, held, now)).collect();
        Box::pin(ready(Ok(answers)))
    }

    fn settle<'a>(
        &'a self,
        delivered: &'a [&'a str],
        released: &'a [&'a str],
        by: Claimant,
    ) -> BoxFuture<'a, Result<(), StoreFailure>> {
        let mut seen = self.lock();
        for id in delivered {
            seen.release(id, by);
            seen.remember(Box::from(*id));
        }
        for id in released {
            seen.release(id, by);
        }
        Box::pin(ready(Ok(())))
    }
}

impl FenceStore for MemoryStore {
    fn read<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFailure>> {
        let fences = self.fences.lock().unwrap_or_else(PoisonError::into_inner);
        Box::pin(ready(Ok(fences.get(name).cloned())))
    }

    fn swap<'a>(
        &'a self,
        name: &'a str,
        before: Option<&'a str>,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StoreFailure>> {
        let mut fences = self.fences.lock().unwrap_or_else(PoisonError::into_inner);
        let same = fences.get(name).map(String::as_str) == before;
        match after {
            _ if !same => {}
            Some(after) => drop(fences.insert(name.to_owned(), after.to_owned())),
            None => drop(fences.remove(name)),
        }
        Box::pin(ready(Ok(same)))
    }
}

impl Seen {
    fn claim(&mut self, id: &str, held: Held, now: Instant) -> Claim {
        if self.young.contains(id) {
            return Claim::Delivered;
        }
        if let Some(id) = self.old.take(id) {
            self.remember(id);
            return Claim::Delivered;
        }
        match self.claims.get(id) {
            Some(other) if other.by != held.by && other.until > now => Claim::Taken,
            _ => {
                self.claims.insert(Box::from(id), held);
                Claim::Fresh
            }
        }
    }

    fn release(&mut self, id: &str, by: Claimant) {
        if self.claims.get(id).is_some_and(|held| held.by == by) {
            self.claims.remove(id);
        }
    }

    fn remember(&mut self, id: Box<str>) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&id);
        self.young.insert(id);
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::{Claim, Claimant, SeenStore};
    use super::MemoryStore;
    use std::time::Duration;

    const ONE: Claimant = Claimant(1);
    const TWO: Claimant = Claimant(2);

    async fn claim(store: &MemoryStore, id: &str, by: Claimant) -> Claim {
        store.claim(&[id], by, Duration::from_secs(60)).await.unwrap()[0]
    }

    #[tokio::test(start_paused = true)]
    async fn claimed_then_delivered_then_known() {
        let store = MemoryStore::new(10);
        assert_eq!(claim(&store, "a", ONE).await, Claim::Fresh);
        assert_eq!(claim(&store, "a", TWO).await, Claim::Taken);
        store.settle(&["a"], &[], ONE).await.unwrap();
        assert_eq!(claim(&store, "a", TWO).await, Claim::Delivered);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_released_or_has_expired_is_fresh_again() {
        let store = MemoryStore::new(10);
        claim(&store, "a", ONE).await;
        store.settle(&[], &["a"], TWO).await.unwrap();
        assert_eq!(claim(&store, "a", TWO).await, Claim::Taken, "a stranger cannot release a claim");
        store.settle(&[], &["a"], ONE).await.unwrap();
        assert_eq!(claim(&store, "a", TWO).await, Claim::Fresh);
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(claim(&store, "a", ONE).await, Claim::Fresh);
    }

    #[tokio::test]
    async fn memory_is_bounded_and_the_newest_half_is_known() {
        let store = MemoryStore::new(100);
        let ids: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
        for id in &ids {
            claim(&store, id, ONE).await;
            store.settle(&[id], &[], ONE).await.unwrap();
            assert!(store.len() <= 100);
        }
        for id in &ids[950..] {
            assert_eq!(claim(&store, id, TWO).await, Claim::Delivered, "{id}");
        }
        assert_eq!(claim(&store, "0", TWO).await, Claim::Fresh);
        assert_eq!(store.lock().claims.len(), 1);
    }
}
