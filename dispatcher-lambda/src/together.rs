//! Waits for several futures at once, without tasks, so that they may borrow.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// A future that can be stored beside others of its kind.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

enum Slot<'a, T> {
    Running(BoxFuture<'a, T>),
    Done(Option<T>),
}

/// All results, in the order of `futures`. For a handful: every wake-up polls each one that is not done.
pub async fn all<T>(futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut slots: Vec<Slot<'_, T>> = futures.into_iter().map(Slot::Running).collect();
    poll_fn(|cx| {
        let mut running = false;
        for slot in &mut slots {
            if let Slot::Running(future) = slot {
                match future.as_mut().poll(cx) {
                    Poll::Ready(value) => *slot = Slot::Done(Some(value)),
                    Poll::Pending => running = true,
                }
            }
        }
        if running { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    slots.into_iter().filter_map(Slot::value).collect()
}

impl<T> Slot<'_, T> {
    fn value(self) -> Option<T> {
        match self {
            Slot::Done(value) => value,
            Slot::Running(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BoxFuture, all};
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn they_run_side_by_side_and_answer_in_order() {
        let start = tokio::time::Instant::now();
        let waits = [30_u64, 10, 20].map(|ms| {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                ms
            }) as BoxFuture<'_, u64>
        });
        assert_eq!(all(waits.into()).await, vec![30, 10, 20]);
        assert_eq!(start.elapsed(), Duration::from_millis(30));
    }
}
