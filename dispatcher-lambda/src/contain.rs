//! Turns a panic inside one step or one record into a value, so that it never takes the verdicts of the others along.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

/// A step panicked; holds the panic's message. The panic hook has already logged where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("panicked: {0}")]
pub struct Panicked(pub String);

/// Calls `step`.
///
/// # Errors
/// `Panicked` when it panicked. The caller must not use what `step` was changing.
pub fn call<T>(step: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(step)).map_err(message)
}

/// Awaits `step`.
///
/// # Errors
/// `Panicked` when a poll of it panicked; it is not polled again.
pub async fn future<F: Future>(step: F) -> Result<F::Output, Panicked> {
    let mut step = pin!(step);
    poll_fn(|cx| match call(|| step.as_mut().poll(cx)) {
        Ok(poll) => poll.map(Ok),
        Err(panicked) => std::task::Poll::Ready(Err(panicked)),
    })
    .await
}

fn message(panic: Box<dyn Any + Send>) -> Panicked {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Panicked(text.unwrap_or_else(|| "no message".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Panicked, call, future};

    #[test]
    fn a_panic_becomes_a_value() {
        assert_eq!(call(|| 7), Ok(7));
        assert_eq!(call(|| -> u8 { panic!("bad {}", 1) }), Err(Panicked("bad 1".into())));
    }

    #[tokio::test]
    async fn a_panic_after_an_await_becomes_a_value() {
        let step = async {
            tokio::task::yield_now().await;
            assert!(std::hint::black_box(false), "late");
            1
        };
        assert_eq!(future(step).await, Err(Panicked("late".into())));
        assert_eq!(future(async { 1 }).await, Ok(1));
    }
}
