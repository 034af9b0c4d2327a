//! A bar for every partition of a topic.

use super::axis::Axis;
use super::chart::{BOTTOM, LEFT, RIGHT, along, below, down, grid, open};
use super::text::count;
use crate::report::TopicSpread;
use std::fmt;

/// The events of a topic by partition, with their mean.
pub(super) struct Bars<'a>(pub &'a TopicSpread);

impl fmt::Display for Bars<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = &self.0.events;
        let most = events.iter().copied().max().unwrap_or_default() as f64;
        let y = Axis::linear("events", most);
        open(f, &format!("acknowledged events of {} by partition", self.0.topic))?;
        grid(f, &y)?;
        let room = (RIGHT - LEFT) / events.len().max(1) as f64;
        let (width, gap) = ((room * 0.8).max(0.5), room * 0.1);
        for (partition, acknowledged) in events.iter().enumerate() {
            let (x, top) = (LEFT + partition as f64 * room + gap, down(y.place(*acknowledged as f64)));
            let height = BOTTOM - top;
            write!(f, "<rect class=\"bar\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\">")?;
            writeln!(f, "<title>partition {partition}: {} events</title></rect>", count(*acknowledged))?;
        }
        let mean = self.0.acknowledged as f64 / events.len().max(1) as f64;
        let at = down(y.place(mean));
        writeln!(f, "<path class=\"series plan\" d=\"M{LEFT} {at:.1}H{RIGHT}\"/>")?;
        self.numbers(f)?;
        writeln!(f, "</svg>")
    }
}

impl Bars<'_> {
    /// The numbers of the partitions, as many as there is room for.
    fn numbers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partitions = self.0.events.len();
        let every = partitions.div_ceil(30).max(1);
        for partition in (0..partitions).step_by(every) {
            let (at, y) = (along((partition as f64 + 0.5) / partitions as f64), BOTTOM + 17.0);
            writeln!(f, "<text x=\"{at:.1}\" y=\"{y}\" text-anchor=\"middle\">{partition}</text>")?;
        }
        below(f, &Axis::unmarked("partition"))
    }
}
