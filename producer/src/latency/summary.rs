//! What a histogram comes to: the percentiles that everybody quotes, and the whole distribution.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Acknowledgement latency from the due time, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl Latency {
    /// Of a histogram of microseconds; all zero when it is empty.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: millis(histogram.max()) }
    }
}

/// So many of the acknowledgements took at most so long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// 0 to 1.
    pub quantile: f64,
    pub ms: f64,
}

const QUANTILES: [f64; 20] = [
    0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.99975, 0.9999, 0.99995,
    0.999975, 0.99999, 0.999995, 0.999999,
];

/// The distribution of a histogram of microseconds, up to its maximum; quantiles that less than one value stands behind
/// are left out.
pub fn distribution(histogram: &Histogram<u64>) -> Vec<Quantile> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let beyond = |quantile: f64| (1.0 - quantile) * histogram.len() as f64;
    let told = QUANTILES.into_iter().filter(|quantile| beyond(*quantile) > 1.0);
    let at = |quantile| Quantile { quantile, ms: millis(histogram.value_at_quantile(quantile)) };
    let most = Quantile { quantile: 1.0, ms: millis(histogram.max()) };
    told.map(at).chain([most]).collect()
}

pub(super) fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}
