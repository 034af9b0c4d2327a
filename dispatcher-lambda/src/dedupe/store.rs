//! What a dedupe store can do, whichever it is: claim and remember event ids, and keep one text for each lane.

use crate::together::BoxFuture;
use std::time::Duration;

/// Which invocation holds a claim, among all instances; another one can neither settle nor release it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimant(pub u64);

/// The store's answer for one event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is ours now.
    Fresh,
    /// It was delivered before.
    Delivered,
    /// Another invocation holds it and has not finished.
    Taken,
}

/// The store did not answer; says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the dedupe store did not answer: {0}")]
pub struct StoreFailure(pub String);

/// Remembers event ids across invocations: claimed (for a while), then delivered.
pub trait SeenStore: Send + Sync {
    /// Claims every id for so long; one answer each, in order. No id stands twice in `ids`.
    fn claim<'a>(
        &'a self,
        ids: &'a [&'a str],
        by: Claimant,
        span: Duration,
    ) -> BoxFuture<'a, Result<Vec<Claim>, StoreFailure>>;

    /// Remembers `delivered`, and forgets the claims on `released`, as far as they are `by`'s.
    fn settle<'a>(
        &'a self,
        delivered: &'a [&'a str],
        released: &'a [&'a str],
        by: Claimant,
    ) -> BoxFuture<'a, Result<(), StoreFailure>>;
}

/// Keeps one text under each name, and replaces it only when it is still the one that was read.
pub trait FenceStore: Send + Sync {
    fn read<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFailure>>;

    /// Puts `after` (nothing: removes it) in the place of `before` (nothing: there was none); false when something else stands there by now.
    fn swap<'a>(
        &'a self,
        name: &'a str,
        before: Option<&'a str>,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StoreFailure>>;
}
