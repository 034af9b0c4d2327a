//! Latency over the run: one point a second, and fewer for a long run.

use super::summary::millis;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// A series never has more points than this: an hour of seconds. Then every two become one, and a point covers twice the time.
const MOST_POINTS: usize = 3_600;

/// The acknowledgements that came in one second, or in the few that a point covers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The first second of the run that it covers.
    pub second: u64,
    pub count: u64,
    /// Milliseconds from the due time; of several seconds those of the worst.
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

impl Point {
    /// Of a histogram of microseconds.
    pub fn of(second: u64, histogram: &Histogram<u64>) -> Self {
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        Self { second, count: histogram.len(), p50: at(0.5), p99: at(0.99), max: millis(histogram.max()) }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.p50 = self.p50.max(other.p50);
        self.p99 = self.p99.max(other.p99);
        self.max = self.max.max(other.max);
    }
}

/// Points in the order of time; seconds without an acknowledgement have none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// How many seconds a point covers: 1 in the first hour, 2 in the second, 4 up to the fourth, ...
    pub every_seconds: u64,
    pub points: Vec<Point>,
}

impl Default for Series {
    fn default() -> Self {
        Self { every_seconds: 1, points: Vec::new() }
    }
}

impl Series {
    /// Takes the point of one second; seconds never go back.
    pub fn push(&mut self, point: Point) {
        self.place(point);
        while self.points.len() > MOST_POINTS {
            self.every_seconds *= 2;
            let finer = std::mem::take(&mut self.points);
            finer.into_iter().for_each(|point| self.place(point));
        }
    }

    fn place(&mut self, point: Point) {
        let second = point.second / self.every_seconds * self.every_seconds;
        match self.points.last_mut() {
            Some(last) if last.second == second => last.merge(&point),
            _ => self.points.push(Point { second, ..point }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_POINTS, Point, Series};

    fn point(second: u64) -> Point {
        let p99 = if second == 5_001 { 900.0 } else { 20.0 };
        Point { second, count: 10, p50: 5.0, p99, max: p99 + 1.0 }
    }

    #[test]
    fn a_long_run_keeps_few_points_and_none_of_its_worst() {
        let mut series = Series::default();
        (0..3_600).for_each(|second| series.push(point(second)));
        assert_eq!((series.every_seconds, series.points.len()), (1, 3_600));
        (3_600..100_000).for_each(|second| {
            series.push(point(second));
            assert!(series.points.len() <= MOST_POINTS);
        });
        assert_eq!(series.every_seconds, 32);
        assert_eq!(series.points.iter().map(|point| point.count).sum::<u64>(), 1_000_000);
        let worst = series.points.iter().find(|point| point.p99 > 20.0).unwrap();
        assert_eq!((worst.second, worst.p50, worst.p99, worst.max), (4_992, 5.0, 900.0, 901.0));
        assert!(series.points.windows(2).all(|pair| pair[1].second - pair[0].second == 32));
    }
}
