//! Metrics for CloudWatch: lines in its embedded metric format, printed every so often, from which it makes metrics without a call.
//!
//! Source: Amazon CloudWatch user guide, "Specification: Embedded metric format": at most 100 values of a metric in a line. A Lambda instance
//! that is ended takes its last window along.
//!
//! | Metric | Dimensions | Unit |
//! |---|---|---|
//! | `Delivered`, `Duplicates`, `Rejected`, `Retry` | `FunctionName` | records |
//! | `BatchTime`, `ValidateTime`, `DedupeTime`, `DeliverTime`, `RememberTime` | `FunctionName` | ms, of each batch |
//! | `Records`, `Missed` | `FunctionName`, `Destination` | records that it was brought, and those that it does not hold |
//! | `Time` | `FunctionName`, `Destination` | ms, of each batch |

use crate::deadline::now;
use crate::laps::{Lap, Laps};
use domain::contract::Response;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const NAMESPACE: &str = "Comboio";
/// So many batches fill a window: CloudWatch takes no more values in a line.
const MOST_VALUES: usize = 100;

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Emf {
    function: String,
    /// `None`: nothing is printed.
    every: Option<Duration>,
    window: Mutex<Option<Window>>,
}

/// What has come together since the last lines.
#[derive(Debug)]
struct Window {
    since: Instant,
    batches: usize,
    counts: BTreeMap<&'static str, u64>,
    times: BTreeMap<&'static str, Vec<f64>>,
    destinations: BTreeMap<String, Destination>,
}

#[derive(Debug, Default)]
struct Destination {
    records: usize,
    missed: usize,
    times: Vec<f64>,
}

impl Emf {
    /// For the function of this name; a window is so long, and nothing is printed when it is zero.
    pub fn new(function: String, every: Duration) -> Self {
        Self { function, every: Some(every).filter(|every| !every.is_zero()), window: Mutex::new(None) }
    }

    /// Takes one batch in; gives the lines of its window when that is over. `wall_ms` is in milliseconds since the epoch.
    pub fn note(&self, response: &Response, laps: &Laps, wall_ms: i64) -> Vec<String> {
        let Some(every) = self.every else { return Vec::new() };
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let open = window.get_or_insert_with(Window::open);
        open.add(response, laps);
        if open.batches < MOST_VALUES && open.since.elapsed() < every {
            return Vec::new();
        }
        let closed = window.take();
        closed.map(|window| window.lines(&self.function, wall_ms)).unwrap_or_default()
    }
}

impl Window {
    fn open() -> Self {
        let (counts, times, destinations) = Default::default();
        Self { since: now(), batches: 0, counts, times, destinations }
    }

    fn add(&mut self, response: &Response, laps: &Laps) {
        self.batches += 1;
        let counts = [
            ("Delivered", response.delivered),
            ("Duplicates", response.duplicates),
            ("Rejected", response.rejected.len() as u64),
            ("Retry", response.retry.len() as u64),
        ];
        for (name, count) in counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.times.entry("BatchTime").or_default().push(millis(laps.so_far()));
        for lap in laps.all() {
            match &lap.destination {
                Some(name) => self.destinations.entry(name.clone()).or_default().add(&lap),
                None => self.times.entry(time_of(lap.step)).or_default().push(millis(lap.took)),
            }
        }
    }

    fn lines(self, function: &str, wall_ms: i64) -> Vec<String> {
        let mut whole = Line::new(&["FunctionName"], wall_ms);
        whole.counts(self.counts.iter().map(|(name, count)| (*name, *count)));
        self.times.iter().for_each(|(name, times)| whole.times(name, times));
        let each = self.destinations.iter().map(|(name, one)| {
            let mut line = Line::new(&["FunctionName", "Destination"], wall_ms);
            line.counts([("Records", one.records as u64), ("Missed", one.missed as u64)].into_iter());
            line.times("Time", &one.times);
            line.text(&[("FunctionName", function), ("Destination", name)])
        });
        std::iter::once(whole.text(&[("FunctionName", function)])).chain(each).collect()
    }
}

impl Destination {
    fn add(&mut self, lap: &Lap) {
        self.records += lap.records;
        self.missed += lap.missed;
        self.times.push(millis(lap.took));
    }
}

/// One line on its way.
struct Line {
    dimensions: Vec<String>,
    wall_ms: i64,
    metrics: Vec<Value>,
    values: Map<String, Value>,
}

impl Line {
    fn new(dimensions: &[&str], wall_ms: i64) -> Self {
        let dimensions = dimensions.iter().map(|name| (*name).to_owned()).collect();
        Self { dimensions, wall_ms, metrics: Vec::new(), values: Map::new() }
    }

    fn counts<'a>(&mut self, counts: impl Iterator<Item = (&'a str, u64)>) {
        for (name, count) in counts {
            self.metrics.push(json!({"Name": name, "Unit": "Count"}));
            self.values.insert(name.to_owned(), json!(count));
        }
    }

    fn times(&mut self, name: &str, times: &[f64]) {
        self.metrics.push(json!({"Name": name, "Unit": "Milliseconds"}));
        self.values.insert(name.to_owned(), json!(times));
    }

    fn text(mut self, named: &[(&str, &str)]) -> String {
        let told = json!({"Namespace": NAMESPACE, "Dimensions": [self.dimensions], "Metrics": self.metrics});
        self.values.insert("_aws".to_owned(), json!({"Timestamp": self.wall_ms, "CloudWatchMetrics": [told]}));
        self.values.extend(named.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        Value::Object(self.values).to_string()
    }
}

fn time_of(step: &str) -> &'static str {
    match step {
        "validate" => "ValidateTime",
        "dedupe" => "DedupeTime",
        "deliver" => "DeliverTime",
        _ => "RememberTime",
    }
}

/// To a microsecond.
fn millis(span: Duration) -> f64 {
    u32::try_from(span.as_micros()).map_or(f64::from(u32::MAX), f64::from) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::{Emf, MOST_VALUES};
    use crate::laps::{Lap, Laps};
    use domain::contract::Response;
    use domain::offset::Offset;
    use domain::verdict::Verdict;
    use serde_json::{Value, json};
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_secs(60);

    fn response() -> Response {
        let retry = Verdict::Retry { reason: "x".into(), detail: "y".into() };
        Response::from_verdicts("t/0/1-2", [(Offset(1), Verdict::Delivered), (Offset(2), retry)])
    }

    fn laps() -> Laps {
        let laps = Laps::begin();
        let took = Duration::from_micros(2_500);
        let lap = |destination| Lap { step: "deliver", destination, from: Duration::ZERO, took, records: 2, missed: 1 };
        laps.note(lap(Some("alerts".to_owned())));
        laps.note(lap(None));
        laps
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_is_a_line_for_the_function_and_one_for_each_destination() {
        let emf = Emf::new("dispatcher".into(), MINUTE);
        assert!(emf.note(&response(), &laps(), 1).is_empty());
        tokio::time::advance(MINUTE).await;
        let lines = emf.note(&response(), &laps(), 1_763_701_200_123);
        let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        let (whole, alerts) = (&lines[0], &lines[1]);
        assert_eq!(
            (&whole["FunctionName"], &whole["Delivered"], &whole["Retry"]),
            (&json!("dispatcher"), &json!(2), &json!(2))
        );
        assert_eq!(whole["DeliverTime"], json!([2.5, 2.5]));
        assert_eq!(
            (&alerts["Destination"], &alerts["Records"], &alerts["Missed"]),
            (&json!("alerts"), &json!(4), &json!(2))
        );
        let aws = &alerts["_aws"];
        assert_eq!(
            (&aws["Timestamp"], &aws["CloudWatchMetrics"][0]["Namespace"]),
            (&json!(1_763_701_200_123_i64), &json!("Comboio"))
        );
        assert_eq!(aws["CloudWatchMetrics"][0]["Dimensions"], json!([["FunctionName", "Destination"]]));
        for line in &lines {
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap() {
                assert!(!line[metric["Name"].as_str().unwrap()].is_null(), "{metric} has a value");
            }
        }
        assert!(emf.note(&response(), &laps(), 2).is_empty(), "a new window");
    }

    #[tokio::test(start_paused = true)]
    async fn no_metric_has_more_values_than_cloudwatch_takes_and_zero_is_off() {
        let (emf, off) = (Emf::new("f".into(), MINUTE), Emf::new("f".into(), Duration::ZERO));
        for n in 1..=MOST_VALUES {
            assert_eq!(emf.note(&response(), &laps(), 1).is_empty(), n < MOST_VALUES);
            assert!(off.note(&response(), &laps(), 1).is_empty());
        }
    }
}
