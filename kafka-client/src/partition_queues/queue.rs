//! One partition's queue, and its signal.
//!
//! librdkafka calls back, on a thread of its own, when something comes into an empty queue (`rd_kafka_queue_cb_event_enable`), with the
//! queue locked; so nobody is called back any more once that was taken back.

use super::chunk::Chunk;
use rdkafka::bindings as rdsys;
use std::ffi::{CString, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

/// So many records are taken at once: the reader does nothing else in between.
pub const AT_ONCE: usize = 100;

/// See the head of the file. It must go before its client.
pub(super) struct Queue {
    topic: Arc<str>,
    partition: i32,
    native: *mut rdsys::rd_kafka_queue_t,
    pub(super) stopped: bool,
    /// Where an error stopped it, until that is mended.
    fault: Option<i64>,
    /// Its address is known to librdkafka.
    signal: Box<Signal>,
}

struct Signal {
    /// Something may lie in the queue.
    raised: AtomicBool,
    reader: Reader,
}

/// The thread that reads, once it waits for the first time.
#[derive(Clone, Default)]
pub(super) struct Reader(Arc<OnceLock<Thread>>);

// SAFETY: librdkafka's queues may be used from any thread, and the signal is made for several.
unsafe impl Send for Queue {}

impl Queue {
    /// `None` when the topic's name is none that Kafka has, or `client` is no consumer.
    pub(super) fn new(client: *mut rdsys::rd_kafka_t, topic: &str, partition: i32, reader: &Reader) -> Option<Self> {
        let name = CString::new(topic).ok()?;
        let signal = Box::new(Signal { raised: AtomicBool::new(true), reader: reader.clone() });
        let opaque = ptr::from_ref(&*signal).cast_mut().cast::<c_void>();
        // SAFETY: the client is alive; the queue is ours until `drop`. To forward it nowhere keeps what comes in it, also when it is
        // assigned later. The signal has a fixed address and lives until the call back is taken back in `drop`.
        let native = unsafe {
            let native = rdsys::rd_kafka_queue_get_partition(client, name.as_ptr(), partition);
            if native.is_null() {
                return None;
            }
            rdsys::rd_kafka_queue_forward(native, ptr::null_mut());
            rdsys::rd_kafka_queue_cb_event_enable(native, Some(came), opaque);
            native
        };
        Some(Self { topic: topic.into(), partition, native, stopped: false, fault: None, signal })
    }

    pub(super) fn is_of(&self, topic: &str, partition: i32) -> bool {
        self.partition == partition && *self.topic == *topic
    }

    pub(super) fn raise(&self) {
        self.signal.raised.store(true, Ordering::Relaxed);
    }

    /// What lies ready, if anything.
    pub(super) fn take(&mut self) -> Option<Chunk> {
        if self.stopped || self.fault.is_some() || !self.signal.raised.swap(false, Ordering::Acquire) {
            return None;
        }
        let mut messages = [ptr::null_mut(); AT_ONCE];
        // SAFETY: the queue is alive and there is room for `AT_ONCE` messages, which are ours from now on.
        let taken = unsafe { rdsys::rd_kafka_consume_batch_queue(self.native, 0, messages.as_mut_ptr(), AT_ONCE) };
        let taken = usize::try_from(taken).unwrap_or(0);
        if taken == AT_ONCE {
            // Whatever is left says nothing by itself.
            self.raise();
        }
        let chunk = (taken > 0).then(|| Chunk::new(&self.topic, self.partition, messages[..taken].to_vec()))?;
        self.fault = chunk.fault_offset();
        Some(chunk)
    }

    /// Where an error stopped it.
    pub(super) fn fault(&self) -> Option<i64> {
        self.fault
    }

    /// Its next record is the right one again.
    pub(super) fn mended(&mut self) {
        self.fault = None;
        self.raise();
    }

    /// Throws away what lies there. Not as `take` does, which would move the place where librdkafka goes on.
    pub(super) fn empty(&self) {
        if !self.signal.raised.swap(false, Ordering::Acquire) {
            return;
        }
        // SAFETY: the queue is alive; each event is ours, and destroyed once, with the record in it.
        unsafe {
            loop {
                let event = rdsys::rd_kafka_queue_poll(self.native, 0);
                if event.is_null() {
                    return;
                }
                rdsys::rd_kafka_event_destroy(event);
            }
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: made by `new`, destroyed once; after the first call nobody has the signal's address any more.
        unsafe {
            rdsys::rd_kafka_queue_cb_event_enable(self.native, None, ptr::null_mut());
            rdsys::rd_kafka_queue_destroy(self.native);
        }
    }
}

impl Reader {
    /// Waits for a signal, also for one that came since the last wait, or for so long.
    pub(super) fn wait(&self, longest: Duration) {
        self.0.get_or_init(std::thread::current);
        std::thread::park_timeout(longest);
    }

    pub(super) fn wake(&self) {
        if let Some(reader) = self.0.get() {
            reader.unpark();
        }
    }
}

unsafe extern "C" fn came(_: *mut rdsys::rd_kafka_t, signal: *mut c_void) {
    // SAFETY: librdkafka gives back what `Queue::new` gave it, as long as that lives.
    let signal = unsafe { &*signal.cast::<Signal>() };
    signal.raised.store(true, Ordering::Release);
    signal.reader.wake();
}
