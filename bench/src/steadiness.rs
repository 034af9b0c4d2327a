//! The steady load's figures: 13,000 events/s from the whole producer, looked at from outside.

use serde::Serialize;

/// Events/s of the steady load: what the system is built for.
pub const RATE: u32 = 13_000;

/// What a steady run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Steadiness {
    pub seconds: u64,
    pub offered: u64,
    pub acknowledged: u64,
    /// The largest |sent - planned| / planned of a second.
    pub worst_second_error: f64,
    /// CPU of the whole process over the whole run, its start included, as a part of one core.
    pub cpu_of_a_core: f64,
    /// Of the events due after the first second, milliseconds.
    pub lateness_max_ms: f64,
    pub late_sends: u64,
    /// How late the bench's own idle thread was woken meanwhile: no process on this machine was on time then.
    pub machine_late_ms: f64,
    pub ack_p50_ms: f64,
    pub ack_p99_ms: f64,
    pub early_memory_mib: f64,
    pub late_memory_mib: f64,
}

impl Steadiness {
    /// MiB that the resident memory grew between the two looks.
    pub fn memory_growth_mib(&self) -> f64 {
        self.late_memory_mib - self.early_memory_mib
    }
}
