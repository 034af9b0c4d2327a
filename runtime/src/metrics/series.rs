//! Counters and gauges that hot paths may touch: plain atomics, read when somebody collects.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

/// Alone on its cache lines, so that counters of different threads do not slow each other.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded(AtomicU64);

/// A number that only grows. Clones add to the same number.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<Padded>);

impl Counter {
    /// Adds; one relaxed atomic addition.
    pub fn add(&self, by: u64) {
        self.0.0.fetch_add(by, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }
}

/// The last value set, 0 before. Clones set the same value.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<Padded>);

impl Gauge {
    /// Sets the value.
    pub fn set(&self, value: f64) {
        self.0.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// The value now.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.0.load(Ordering::Relaxed))
    }
}

type Labels = Vec<(&'static str, String)>;
type Family<T> = Arc<Mutex<BTreeMap<Labels, T>>>;

/// All counters and gauges by name and labels; each name is one observable instrument.
pub(super) struct Series {
    meter: Meter,
    counters: Mutex<BTreeMap<&'static str, Family<Counter>>>,
    gauges: Mutex<BTreeMap<&'static str, Family<Weak<Padded>>>>,
}

impl Series {
    pub(super) fn new(meter: Meter) -> Self {
        Self { meter, counters: Mutex::default(), gauges: Mutex::default() }
    }

    pub(super) fn counter(
        &self,
        name: &'static str,
        meaning: &'static str,
        labels: &[(&'static str, &str)],
    ) -> Counter {
        let mut families = lock(&self.counters);
        let family = families.entry(name).or_insert_with(|| self.publish_counters(name, meaning));
        lock(family).entry(owned(labels)).or_default().clone()
    }

    pub(super) fn gauge(&self, name: &'static str, meaning: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
        let mut families = lock(&self.gauges);
        let family = families.entry(name).or_insert_with(|| self.publish_gauges(name, meaning));
        let mut family = lock(family);
        let place = family.entry(owned(labels)).or_default();
        let value = place.upgrade().unwrap_or_default();
        *place = Arc::downgrade(&value);
        Gauge(value)
    }

    fn publish_counters(&self, name: &'static str, meaning: &'static str) -> Family<Counter> {
        let family: Family<Counter> = Arc::default();
        let observed = Arc::clone(&family);
        let instrument = self.meter.u64_observable_counter(name).with_description(meaning);
        // The provider keeps the callback; the handle itself does nothing.
        let _ = instrument
            .with_callback(move |observer| {
                for (labels, counter) in lock(&observed).iter() {
                    observer.observe(counter.get(), &attributes(labels));
                }
            })
            .build();
        family
    }

    fn publish_gauges(&self, name: &'static str, meaning: &'static str) -> Family<Weak<Padded>> {
        let family: Family<Weak<Padded>> = Arc::default();
        let observed = Arc::clone(&family);
        let instrument = self.meter.f64_observable_gauge(name).with_description(meaning);
        // As above.
        let _ = instrument
            .with_callback(move |observer| {
                lock(&observed).retain(|labels, gauge| {
                    let alive = gauge.upgrade().map(Gauge);
                    if let Some(gauge) = &alive {
                        observer.observe(gauge.get(), &attributes(labels));
                    }
                    alive.is_some()
                });
            })
            .build();
        family
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series").finish_non_exhaustive()
    }
}

/// Every state of these maps is valid, so a panic elsewhere while one was locked does no harm.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn owned(labels: &[(&'static str, &str)]) -> Labels {
    let mut labels: Labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    labels.sort();
    labels
}

fn attributes(labels: &Labels) -> Vec<KeyValue> {
    labels.iter().map(|(name, value)| KeyValue::new(*name, value.clone())).collect()
}
