//! What SQS and SNS allow in one request: ten entries, and so many bytes in sum.
//!
//! Sources: Amazon SQS API Reference, `SendMessageBatch` (1 MiB, a queue may have less); Amazon SNS API Reference, `PublishBatch`
//! (256 KiB, a topic may have up to 1 MiB).

use super::requests::Room;
use runtime::config::Size;
use std::time::Duration;

const ENTRIES: usize = 10;
const MOST_BYTES: usize = 1_048_576;
const MOST_AT_ONCE: u64 = 64;

/// # Errors
/// The name of the setting and a sentence, when it is out of range.
pub fn room(request_bytes: Size, requests: u64, timeout: Duration) -> Result<Room, (&'static str, &'static str)> {
    let bytes = request_bytes.as_usize();
    if !(1..=MOST_BYTES).contains(&bytes) {
        return Err(("request_bytes", "allowed is 1B to 1MiB"));
    }
    let at_once = usize::try_from(requests).ok().filter(|_| (1..=MOST_AT_ONCE).contains(&requests));
    let at_once = at_once.ok_or(("requests", "allowed is 1 to 64"))?;
    Ok(Room { entries: ENTRIES, bytes, one_of_a_group: false, at_once, timeout })
}
