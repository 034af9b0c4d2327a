//! ACL requests through librdkafka's C API, because rust-rdkafka's AdminClient has none.
//!
//! All unsafe code here follows one pattern: an object made by librdkafka is owned by a struct of this file that
//! destroys it on drop, and pointers read from an event are copied into Rust values before the event is destroyed. The
//! client is borrowed for the whole call, so it outlives all of them. Request and answer are described in rdkafka.h.

use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::time::Duration;

use anyhow::{Context, bail};
use rdkafka::ClientContext;
use rdkafka::bindings::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_ANY;
use rdkafka::bindings::rd_kafka_AclPermissionType_t::{
    RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, RD_KAFKA_ACL_PERMISSION_TYPE_ANY,
};
use rdkafka::bindings::rd_kafka_ResourcePatternType_t::RD_KAFKA_RESOURCE_PATTERN_ANY;
use rdkafka::bindings::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_ANY;
use rdkafka::bindings::rd_kafka_admin_op_t::{self, RD_KAFKA_ADMIN_OP_CREATEACLS, RD_KAFKA_ADMIN_OP_DESCRIBEACLS};
use rdkafka::bindings::*;
use rdkafka::client::Client;
use rdkafka::types::RDKafkaRespErr;

use super::access_list::Entry;

/// Any client address.
const ANY_HOST: &CStr = c"*";

/// Creates one ACL per entry in one request.
///
/// # Errors
/// No answer within `deadline`, or the controller refuses an entry.
pub fn create<C: ClientContext>(
    client: &Client<C>,
    principal: &str,
    entries: &[Entry],
    deadline: Duration,
) -> anyhow::Result<()> {
    let rk = client.native_ptr();
    let bindings = entries.iter().map(|entry| Binding::allow(principal, entry)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut raw: Vec<_> = bindings.iter().map(|binding| binding.0).collect();
    let (options, queue) = (Options::new(rk, RD_KAFKA_ADMIN_OP_CREATEACLS, deadline)?, Queue::new(rk));
    // SAFETY: `raw` holds as many live bindings as its length says; librdkafka copies them and the options.
    unsafe { rd_kafka_CreateAcls(rk, raw.as_mut_ptr(), raw.len(), options.0, queue.0) };
    let event = queue.wait(deadline).context("creating acls")?;
    let mut count = 0;
    // SAFETY: a CreateAcls request is answered by this type of event; null is handled by `rows`.
    let results =
        unsafe { rows(rd_kafka_event_CreateAcls_result(event.0), &mut count, rd_kafka_CreateAcls_result_acls) };
    for (result, entry) in results.iter().zip(entries) {
        // SAFETY: results live as long as `event`.
        let reason = unsafe { reason(rd_kafka_acl_result_error(*result)) };
        if let Some(reason) = reason {
            bail!("acl {entry:?} for {principal} was refused: {reason}");
        }
    }
    Ok(())
}

/// All entries that `broker` knows of `principal`.
///
/// # Errors
/// No answer within `deadline`, or the broker refuses.
pub fn describe<C: ClientContext>(
    client: &Client<C>,
    principal: &str,
    broker: i32,
    deadline: Duration,
) -> anyhow::Result<Vec<Entry>> {
    let rk = client.native_ptr();
    let filter = Binding::filter(principal)?;
    let options = Options::new(rk, RD_KAFKA_ADMIN_OP_DESCRIBEACLS, deadline)?.for_broker(broker)?;
    let queue = Queue::new(rk);
    // SAFETY: all pointers are live; librdkafka copies filter and options.
    unsafe { rd_kafka_DescribeAcls(rk, filter.0, options.0, queue.0) };
    let event = queue.wait(deadline).context("describing acls")?;
    let mut count = 0;
    // SAFETY: a DescribeAcls request is answered by this type of event; null is handled by `rows`.
    let found =
        unsafe { rows(rd_kafka_event_DescribeAcls_result(event.0), &mut count, rd_kafka_DescribeAcls_result_acls) };
    // SAFETY: bindings live as long as `event`; `entry` copies what it reads.
    Ok(found.iter().map(|binding| unsafe { entry(*binding) }).collect())
}

/// The rows of an answer as a slice.
///
/// # Safety
/// `answer` is null or of the type that `read` takes, and outlives the slice.
unsafe fn rows<A, T>(
    answer: *const A,
    count: &mut usize,
    read: unsafe extern "C" fn(*const A, *mut usize) -> *mut *const T,
) -> &[*const T] {
    if answer.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise; librdkafka returns `count` pointers, or null with a count of zero.
    unsafe {
        let first = read(answer, count);
        if first.is_null() { &[] } else { std::slice::from_raw_parts(first, *count) }
    }
}

/// # Safety
/// `binding` is live.
unsafe fn entry(binding: *const rd_kafka_AclBinding_t) -> Entry {
    // SAFETY: the caller's promise; the name is a C string owned by the binding.
    unsafe {
        Entry {
            kind: rd_kafka_AclBinding_restype(binding),
            pattern: rd_kafka_AclBinding_resource_pattern_type(binding),
            name: text(rd_kafka_AclBinding_name(binding)),
            operation: rd_kafka_AclBinding_operation(binding),
        }
    }
}

/// # Safety
/// `error` is null or live.
unsafe fn reason(error: *const rd_kafka_error_t) -> Option<String> {
    // SAFETY: the caller's promise; the string belongs to the error.
    if error.is_null() { None } else { Some(unsafe { text(rd_kafka_error_string(error)) }) }
}

/// # Safety
/// `string` is null or a C string.
unsafe fn text(string: *const c_char) -> String {
    // SAFETY: the caller's promise.
    if string.is_null() { String::new() } else { unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned() }
}

/// One ACL, or a filter for ACLs, which is the same type in librdkafka.
struct Binding(*mut rd_kafka_AclBinding_t);

impl Binding {
    fn allow(principal: &str, entry: &Entry) -> anyhow::Result<Self> {
        let (name, who) = (CString::new(entry.name.as_str())?, CString::new(principal)?);
        let mut told = Told::new();
        // SAFETY: all strings outlive the call, which copies them; `told` has the length given.
        let made = unsafe {
            rd_kafka_AclBinding_new(
                entry.kind,
                name.as_ptr(),
                entry.pattern,
                who.as_ptr(),
                ANY_HOST.as_ptr(),
                entry.operation,
                RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
                told.0.as_mut_ptr(),
                told.0.len(),
            )
        };
        if made.is_null() {
            bail!("acl {entry:?} for {principal} is not valid: {}", told.text())
        } else {
            Ok(Self(made))
        }
    }

    fn filter(principal: &str) -> anyhow::Result<Self> {
        let who = CString::new(principal)?;
        let mut told = Told::new();
        // SAFETY: as in `allow`; a null name or host means any.
        let made = unsafe {
            rd_kafka_AclBindingFilter_new(
                RD_KAFKA_RESOURCE_ANY,
                ptr::null(),
                RD_KAFKA_RESOURCE_PATTERN_ANY,
                who.as_ptr(),
                ptr::null(),
                RD_KAFKA_ACL_OPERATION_ANY,
                RD_KAFKA_ACL_PERMISSION_TYPE_ANY,
                told.0.as_mut_ptr(),
                told.0.len(),
            )
        };
        if made.is_null() { bail!("acl filter for {principal} is not valid: {}", told.text()) } else { Ok(Self(made)) }
    }
}

impl Drop for Binding {
    fn drop(&mut self) {
        // SAFETY: made by librdkafka, never null, owned by this value alone.
        unsafe { rd_kafka_AclBinding_destroy(self.0) }
    }
}

struct Options(*mut rd_kafka_AdminOptions_t);

impl Options {
    fn new(rk: *mut rd_kafka_t, operation: rd_kafka_admin_op_t, deadline: Duration) -> anyhow::Result<Self> {
        // SAFETY: the client is live.
        let options = Self(unsafe { rd_kafka_AdminOptions_new(rk, operation) });
        let (milliseconds, mut told) = (i32::try_from(deadline.as_millis())?, Told::new());
        // SAFETY: the options are live and `told` has the length given.
        let code = unsafe {
            rd_kafka_AdminOptions_set_request_timeout(options.0, milliseconds, told.0.as_mut_ptr(), told.0.len())
        };
        accepted(code, &told).map(|()| options)
    }

    fn for_broker(self, broker: i32) -> anyhow::Result<Self> {
        let mut told = Told::new();
        // SAFETY: the options are live and `told` has the length given.
        let code = unsafe { rd_kafka_AdminOptions_set_broker(self.0, broker, told.0.as_mut_ptr(), told.0.len()) };
        accepted(code, &told).map(|()| self)
    }
}

fn accepted(code: RDKafkaRespErr, told: &Told) -> anyhow::Result<()> {
    if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { bail!("{}", told.text()) }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: made by librdkafka, owned by this value alone.
        unsafe { rd_kafka_AdminOptions_destroy(self.0) }
    }
}

/// The queue on which the one answer arrives.
struct Queue(*mut rd_kafka_queue_t);

impl Queue {
    fn new(rk: *mut rd_kafka_t) -> Self {
        // SAFETY: the client is live.
        Self(unsafe { rd_kafka_queue_new(rk) })
    }

    fn wait(&self, deadline: Duration) -> anyhow::Result<Event> {
        let milliseconds = i32::try_from(deadline.as_millis())?;
        // SAFETY: the queue is live; the event that it returns belongs to the caller.
        let event = unsafe { rd_kafka_queue_poll(self.0, milliseconds) };
        if event.is_null() {
            bail!("no answer within {deadline:?}");
        }
        let event = Event(event);
        // SAFETY: the event is live, and its error string with it.
        let (code, reason) = unsafe { (rd_kafka_event_error(event.0), text(rd_kafka_event_error_string(event.0))) };
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(event) } else { bail!(reason) }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: made by librdkafka, owned by this value alone.
        unsafe { rd_kafka_queue_destroy(self.0) }
    }
}

struct Event(*mut rd_kafka_event_t);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: given to us by rd_kafka_queue_poll, never null, owned by this value alone.
        unsafe { rd_kafka_event_destroy(self.0) }
    }
}

/// Where librdkafka writes why it refuses a value.
struct Told([c_char; 512]);

impl Told {
    fn new() -> Self {
        Self([0; 512])
    }

    fn text(&self) -> String {
        // SAFETY: librdkafka ends what it writes with a zero, and untouched it is all zeros.
        unsafe { text(self.0.as_ptr()) }
    }
}
