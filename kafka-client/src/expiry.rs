//! When the certificate in use ends, and how urgent that is: a metric, a level, a few log lines.
//!
//! *In*: the bundle in use, the wall clock. *Out*: seconds, a level, a line at every change of level and once a day while
//! it is not fine. *Never*: a line per look.

use crate::certificates::Bundle;
use runtime::clock::SharedClock;
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Fine,
    Warning,
    Alarm,
    /// Brokers refuse new connections; those that are open go on until they break.
    Expired,
}

impl Level {
    /// The word in logs and /status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Alarm => "alarm",
            Self::Expired => "expired",
        }
    }
}

/// From when on it is urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    pub warn_before: Duration,
    pub alarm_before: Duration,
}

impl Thresholds {
    /// The level when `left_ms` milliseconds are left.
    pub fn level(&self, left_ms: i64) -> Level {
        let within = |span: Duration| u128::try_from(left_ms).is_ok_and(|left| left <= span.as_millis());
        match left_ms {
            ..=0 => Level::Expired,
            _ if within(self.alarm_before) => Level::Alarm,
            _ if within(self.warn_before) => Level::Warning,
            _ => Level::Fine,
        }
    }
}

/// The end of the certificate in use. Clones are the same; without a certificate it says nothing.
#[derive(Clone)]
pub struct Expiry {
    clock: SharedClock,
    thresholds: Thresholds,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    in_use: Option<InUse>,
    /// The level that was told last, and when.
    told: Option<(Level, i64)>,
}

#[derive(Clone)]
struct InUse {
    subject: String,
    not_after: String,
    not_after_ms: i64,
    from: String,
}

impl Expiry {
    /// For the bundle that a service starts with.
    pub fn new(bundle: Option<&Bundle>, thresholds: Thresholds, clock: SharedClock) -> Self {
        let state = State { in_use: bundle.and_then(InUse::of), told: None };
        Self { clock, thresholds, state: Arc::new(Mutex::new(state)) }
    }

    /// From now on another bundle is in use.
    pub fn take_over(&self, bundle: &Bundle) {
        self.with(|state| state.in_use = InUse::of(bundle));
    }

    /// Seconds until the certificate ends, negative when it has ended; `None` without a certificate.
    pub fn left_seconds(&self) -> Option<f64> {
        let in_use = self.with(|state| state.in_use.clone())?;
        Some((in_use.not_after_ms - self.clock.wall_ms()) as f64 / 1_000.0)
    }

    /// The level now; `None` without a certificate.
    pub fn level(&self) -> Option<Level> {
        let in_use = self.with(|state| state.in_use.clone())?;
        Some(self.thresholds.level(in_use.not_after_ms - self.clock.wall_ms()))
    }

    /// Call from time to time: tells a change of level, and once a day that it is not fine. What was told, for tests.
    pub fn tick(&self) -> Option<Level> {
        let now_ms = self.clock.wall_ms();
        let (level, in_use) = self.with(|state| {
            let in_use = state.in_use.clone()?;
            let level = self.thresholds.level(in_use.not_after_ms - now_ms);
            let due = match state.told {
                None => true,
                Some((before, at)) => before != level || (level > Level::Fine && now_ms - at >= DAY_MS),
            };
            if due {
                state.told = Some((level, now_ms));
            }
            due.then_some((level, in_use))
        })?;
        in_use.tell(level, now_ms);
        Some(level)
    }

    /// Shows the seconds left as a gauge, read when somebody collects; no series without a certificate.
    pub fn publish(&self, metrics: &Metrics, name: &'static str) {
        let this = self.clone();
        let gauge = metrics.meter().f64_observable_gauge(name).with_description("Seconds until the certificate ends");
        // The provider keeps the callback; the handle itself does nothing.
        let _ = gauge
            .with_callback(move |observer| {
                if let Some(left) = this.left_seconds() {
                    observer.observe(left, &[]);
                }
            })
            .build();
    }

    /// For /status; null without a certificate.
    pub fn json(&self) -> Value {
        let (Some(in_use), Some(level)) = (self.with(|state| state.in_use.clone()), self.level()) else {
            return Value::Null;
        };
        json!({
            "subject": in_use.subject,
            "from": in_use.from,
            "not_after": in_use.not_after,
            "expires_in_seconds": self.left_seconds().map(f64::floor),
            "level": level.as_str(),
        })
    }

    /// Every state is valid, so a panic elsewhere while it was locked does no harm.
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl InUse {
    fn of(bundle: &Bundle) -> Option<Self> {
        let facts = bundle.identity()?.facts();
        Some(Self {
            subject: facts.subject.clone(),
            not_after: facts.not_after.clone(),
            not_after_ms: facts.not_after_ms,
            from: facts.file.display().to_string(),
        })
    }

    fn tell(&self, level: Level, now_ms: i64) {
        let Self { subject, not_after, from, .. } = self;
        let days_left = (self.not_after_ms - now_ms).div_euclid(DAY_MS);
        match level {
            Level::Fine => tracing::info!(subject, from, not_after, days_left, "certificate in use"),
            Level::Warning => tracing::warn!(subject, from, not_after, days_left, "certificate expires soon"),
            Level::Alarm => tracing::error!(subject, from, not_after, days_left, "certificate is about to expire"),
            Level::Expired => {
                tracing::error!(subject, from, not_after, days_left, "certificate has expired, have a new one issued");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::made::{Files, NOW_MS};
    use runtime::clock::ManualClock;
    use runtime::metrics::MetricsConfig;

    const DAY: Duration = Duration::from_secs(86_400);
    const THRESHOLDS: Thresholds =
        Thresholds { warn_before: Duration::from_secs(30 * 86_400), alarm_before: Duration::from_secs(7 * 86_400) };

    /// A certificate that ends 90 days after the clock's start.
    fn ninety_days() -> (ManualClock, Expiry) {
        let clock = ManualClock::starting_at(NOW_MS);
        let bundle = Files::sound().bundle(NOW_MS).unwrap();
        let expiry = Expiry::new(Some(&bundle), THRESHOLDS, Arc::new(clock.clone()));
        (clock, expiry)
    }

    #[test]
    fn each_level_begins_at_its_threshold() {
        let day = 86_400_000;
        for (left_ms, level) in [
            (31 * day, Level::Fine),
            (30 * day + 1, Level::Fine),
            (30 * day, Level::Warning),
            (7 * day + 1, Level::Warning),
            (7 * day, Level::Alarm),
            (1, Level::Alarm),
            (0, Level::Expired),
            (-day, Level::Expired),
        ] {
            assert_eq!(THRESHOLDS.level(left_ms), level, "{left_ms}");
        }
    }

    #[test]
    fn a_level_is_told_when_it_changes_and_once_a_day_while_it_is_not_fine() {
        let (clock, expiry) = ninety_days();
        assert_eq!(expiry.tick(), Some(Level::Fine), "once at the start");
        let mut told = Vec::new();
        for hour in 1..=91 * 24 {
            clock.advance(Duration::from_secs(3_600));
            told.extend(expiry.tick().map(|level| (hour / 24, level)));
        }
        let days = |wanted: Level| told.iter().filter(|(_, level)| *level == wanted).count();
        assert_eq!((days(Level::Fine), days(Level::Warning), days(Level::Alarm)), (0, 23, 7), "{told:?}");
        assert_eq!(days(Level::Expired), 2, "{told:?}");
        assert_eq!(told[0], (60, Level::Warning));
    }

    #[test]
    fn a_new_bundle_ends_the_alarm() {
        let (clock, expiry) = ninety_days();
        clock.advance(DAY * 89);
        assert_eq!((expiry.tick(), expiry.tick()), (Some(Level::Alarm), None));
        let next = Files::until(400).bundle(NOW_MS + 89 * DAY_MS).unwrap();
        expiry.take_over(&next);
        assert_eq!((expiry.tick(), expiry.tick()), (Some(Level::Fine), None));
        assert_eq!(expiry.json()["level"], "fine");
    }

    #[test]
    fn metric_and_status_show_the_seconds_left() {
        let (clock, expiry) = ninety_days();
        clock.advance(DAY * 80);
        let metrics = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        expiry.publish(&metrics, "comboio_test_certificate_expires_in_seconds");
        let text = metrics.render();
        assert!(text.contains("comboio_test_certificate_expires_in_seconds 864000\n"), "{text}");
        let status = expiry.json();
        assert_eq!((&status["expires_in_seconds"], &status["level"]), (&864_000.0.into(), &"warning".into()));
        assert_eq!(status["subject"], r"CN=producer,O=Comboio\, test");
    }

    #[test]
    fn without_a_certificate_there_is_nothing_to_say() {
        let expiry = Expiry::new(None, THRESHOLDS, Arc::new(ManualClock::starting_at(NOW_MS)));
        let metrics = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        expiry.publish(&metrics, "comboio_test_certificate_expires_in_seconds");
        assert_eq!((expiry.tick(), expiry.json(), expiry.left_seconds()), (None, Value::Null, None));
        assert!(!metrics.render().contains("comboio_test_certificate_expires_in_seconds "));
    }
}
