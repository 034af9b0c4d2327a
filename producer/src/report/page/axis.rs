//! Axes: where a value stands, and which values are written beside it.

use super::text::number;

/// An axis from its first to its last value.
pub(super) struct Axis {
    label: &'static str,
    from: f64,
    to: f64,
    log: bool,
    ticks: Vec<Tick>,
}

/// A value with its text.
pub(super) struct Tick {
    /// 0 is the axis' start, 1 its end.
    pub place: f64,
    pub text: String,
}

impl Axis {
    /// From 0 to at least `to`, in steps of 1, 2 or 5.
    pub fn linear(label: &'static str, to: f64) -> Self {
        let to = if to > 0.0 && to.is_finite() { to } else { 1.0 };
        let step = step(to / 5.0);
        let steps = (to / step).ceil();
        let marks = (0..=steps as u32).map(|mark| f64::from(mark) * step);
        Self::new(label, (0.0, steps * step), false, marks.map(|mark| (mark, number(mark))))
    }

    /// From 0 to `to` exactly: for time, where an empty end would look like silence.
    pub fn time(label: &'static str, to: f64) -> Self {
        let to = if to > 0.0 && to.is_finite() { to } else { 1.0 };
        let step = step(to / 8.0);
        let marks = (0..=(to / step) as u32).map(|mark| f64::from(mark) * step);
        Self::new(label, (0.0, to), false, marks.map(|mark| (mark, number(mark))))
    }

    /// Powers of ten around the values, which must be above zero.
    pub fn powers(label: &'static str, values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = values
            .filter(|value| *value > 0.0 && value.is_finite())
            .fold((f64::MAX, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
        let (least, most) = if most > 0.0 { (least, most) } else { (1.0, 10.0) };
        let low = least.log10().floor() as i32;
        let high = (most.log10().ceil() as i32).max(low + 1);
        let marks = (low..=high).map(|power| 10_f64.powi(power));
        Self::new(label, (10_f64.powi(low), 10_f64.powi(high)), true, marks.map(|mark| (mark, number(mark))))
    }

    /// Percentiles by their nines: as much room from 90 to 99 as from 99 to 99.9. Values are quantiles below 1.
    pub fn nines(label: &'static str, most: f64) -> Self {
        let known = [(0.0, "0"), (0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99")];
        let rare = [(0.99999, "99.999"), (0.999999, "99.9999")];
        let ticks = known.into_iter().chain(rare).filter(|(quantile, _)| *quantile <= most);
        let ticks = ticks.map(|(quantile, text)| (nines(quantile), format!("{text} %")));
        Self::new(label, (0.0, nines(most).max(1.0)), false, ticks)
    }

    /// A label alone.
    pub fn unmarked(label: &'static str) -> Self {
        Self { label, from: 0.0, to: 1.0, log: false, ticks: Vec::new() }
    }

    fn new(label: &'static str, (from, to): (f64, f64), log: bool, marks: impl Iterator<Item = (f64, String)>) -> Self {
        let mut axis = Self { label, from, to, log, ticks: Vec::new() };
        axis.ticks = marks.map(|(mark, text)| Tick { place: axis.place(mark), text }).collect();
        axis
    }

    pub fn label(&self) -> &'static str {
        self.label
    }

    pub fn ticks(&self) -> &[Tick] {
        &self.ticks
    }

    /// 0 is the axis' start, 1 its end; values beyond stand at the edge.
    pub fn place(&self, value: f64) -> f64 {
        let (from, to, value) = if self.log {
            (self.from.log10(), self.to.log10(), value.max(self.from).log10())
        } else {
            (self.from, self.to, value)
        };
        ((value - from) / (to - from)).clamp(0.0, 1.0)
    }
}

/// Where a quantile below 1 stands on the axis of nines: 0.9 at 1, 0.99 at 2.
pub(super) fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).max(1e-12).log10()
}

/// The next of 1, 2, 5, 10, ... that is at least `least`.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= least).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::Axis;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks().iter().map(|tick| tick.text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_values_have_their_place() {
        let axis = Axis::linear("events/s", 13_100.0);
        assert_eq!(texts(&axis), ["0", "5,000", "10,000", "15,000"]);
        assert_eq!((axis.place(7_500.0), axis.place(-1.0), axis.place(99_999.0)), (0.5, 0.0, 1.0));
        assert_eq!(texts(&Axis::time("s", 61.0)), ["0", "10", "20", "30", "40", "50", "60"]);
        let axis = Axis::powers("ms", [0.0, 2.5, 480.0].into_iter());
        assert_eq!(texts(&axis), ["1", "10", "100", "1,000"]);
        assert!((axis.place(10.0) - 1.0 / 3.0).abs() < 1e-9 && axis.place(0.0) == 0.0);
        assert_eq!(texts(&Axis::nines("", 0.9995)), ["0 %", "50 %", "90 %", "99 %", "99.9 %"]);
        assert_eq!(texts(&Axis::linear("", 0.0)).len(), 6, "an axis of nothing is an axis");
    }
}
