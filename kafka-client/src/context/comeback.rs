//! Comeback: when a client is led back to its bootstrap servers, and how.
//!
//! While every broker is out of service, as after all of them stood still, Kafka's metadata lists none. librdkafka (2.12.1) then forgets
//! those it knows and orders its start from the bootstrap servers; and the end of the very same answer may call that off
//! (`rd_kafka_handle_Metadata` stops the timer that `rd_kafka_broker_set_state` has set on another thread; issue 5301). From then on the
//! client asks nobody any more, for ever, and says nothing. What it has said before is that all brokers are down.

use rdkafka::bindings as rdsys;
use rdkafka::client::{Client, ClientContext};
use std::ffi::CString;
use std::time::Duration;

/// How often at most: librdkafka remembers all that it is told, also what it knows.
const PAUSE: Duration = Duration::from_secs(10);

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Comeback {
    /// All brokers were down, and the client was not led back since.
    wanted: bool,
    not_before: Duration,
}

impl Comeback {
    /// It was said that all brokers are down.
    pub(super) fn all_down(&mut self) {
        self.wanted = true;
    }

    /// Whether to lead the client back now.
    pub(super) fn take_due(&mut self, now: Duration) -> bool {
        if !self.wanted || now < self.not_before {
            return false;
        }
        *self = Self { wanted: false, not_before: now + PAUSE };
        true
    }
}

/// Tells the client its bootstrap servers again; whom it knows and has not given up stays as it is.
pub(super) fn lead_back<C: ClientContext>(client: &Client<C>, bootstrap: &[String]) {
    let Ok(servers) = CString::new(bootstrap.join(",")) else { return };
    // SAFETY: the client is alive, and the text is copied.
    unsafe { rdsys::rd_kafka_brokers_add(client.native_ptr(), servers.as_ptr()) };
}

#[cfg(test)]
mod tests {
    use super::{Comeback, PAUSE};
    use std::time::Duration;

    #[test]
    fn a_client_is_led_back_once_for_all_that_it_said_and_not_too_often() {
        let (mut comeback, now) = (Comeback::default(), Duration::from_secs(1));
        assert!(!comeback.take_due(now), "nothing was said");
        comeback.all_down();
        comeback.all_down();
        assert!(comeback.take_due(now));
        assert!(!comeback.take_due(now + PAUSE));
        comeback.all_down();
        assert!(comeback.take_due(now + PAUSE));
        comeback.all_down();
        assert!(!comeback.take_due(now + PAUSE * 3 / 2));
        assert!(comeback.take_due(now + PAUSE * 2), "what was said in the pause is not forgotten");
    }
}
