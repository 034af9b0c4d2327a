//! Real signals to this process: alone in its file, because handlers belong to the whole process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use nix::sys::signal::{Signal, raise};
use runtime::shutdown::Shutdown;

#[tokio::test]
async fn the_first_signal_drains_and_the_second_hurries() {
    let shutdown = Shutdown::on_signals().unwrap();
    let deadline = Duration::from_secs(20);
    assert!(!shutdown.draining());
    raise(Signal::SIGINT).unwrap();
    tokio::time::timeout(deadline, shutdown.drain()).await.expect("SIGINT does not drain");
    assert_eq!(shutdown.reason(), Some("SIGINT"));
    assert!(!shutdown.is_hurried());
    raise(Signal::SIGTERM).unwrap();
    tokio::time::timeout(deadline, shutdown.hurried()).await.expect("a second signal does not hurry");
    assert_eq!(shutdown.reason(), Some("SIGINT"));
}
