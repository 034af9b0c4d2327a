//! A line chart as inline SVG.

use super::axis::Axis;
use super::text::Escaped;
use std::fmt;

/// The plot's frame within the drawing, in its own units.
pub(super) const WIDTH: f64 = 900.0;
pub(super) const HEIGHT: f64 = 300.0;
pub(super) const LEFT: f64 = 74.0;
pub(super) const RIGHT: f64 = WIDTH - 14.0;
pub(super) const TOP: f64 = 26.0;
pub(super) const BOTTOM: f64 = HEIGHT - 40.0;

/// More points than the screen has columns show nothing more.
const MOST_POINTS: usize = 1_200;

/// Axes and lines.
pub(super) struct Chart<'a> {
    /// What a screen reader says.
    pub about: &'a str,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
}

/// A line; points that are further apart than `gap` on the x axis are not joined.
pub(super) struct Line {
    pub name: String,
    /// `one`, `two`, `three` or `plan`.
    pub class: &'static str,
    pub points: Vec<(f64, f64)>,
    pub gap: f64,
}

impl fmt::Display for Chart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        key(f, &self.lines)?;
        open(f, self.about)?;
        grid(f, &self.y)?;
        below(f, &self.x)?;
        for line in &self.lines {
            write!(f, "<path class=\"series {}\" d=\"", line.class)?;
            line.path(f, &self.x, &self.y)?;
            writeln!(f, "\"/>")?;
        }
        writeln!(f, "</svg>")
    }
}

/// Starts the drawing.
pub(super) fn open(f: &mut fmt::Formatter<'_>, about: &str) -> fmt::Result {
    let about = Escaped(about);
    writeln!(f, "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{about}\">")
}

/// The lines of the y axis with their values, and its label above them.
pub(super) fn grid(f: &mut fmt::Formatter<'_>, y: &Axis) -> fmt::Result {
    writeln!(f, "<text x=\"0\" y=\"12\">{}</text>", Escaped(y.label()))?;
    for tick in y.ticks() {
        let (at, class) = (down(tick.place), if tick.place == 0.0 { "base" } else { "grid" });
        writeln!(f, "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>")?;
        let (x, y) = (LEFT - 8.0, at + 4.0);
        writeln!(f, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>", Escaped(&tick.text))?;
    }
    Ok(())
}

/// The values of the x axis, and its label.
pub(super) fn below(f: &mut fmt::Formatter<'_>, x: &Axis) -> fmt::Result {
    for tick in x.ticks() {
        let (at, y) = (along(tick.place), BOTTOM + 17.0);
        // The text of the last tick would stick out of the drawing.
        let anchor = if tick.place > 0.97 { "end" } else { "middle" };
        writeln!(f, "<text x=\"{at:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>", Escaped(&tick.text))?;
    }
    let (x_middle, y) = ((LEFT + RIGHT) / 2.0, HEIGHT - 5.0);
    writeln!(f, "<text x=\"{x_middle}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", Escaped(x.label()))
}

pub(super) fn along(place: f64) -> f64 {
    LEFT + place * (RIGHT - LEFT)
}

pub(super) fn down(place: f64) -> f64 {
    BOTTOM - place * (BOTTOM - TOP)
}

fn key(f: &mut fmt::Formatter<'_>, lines: &[Line]) -> fmt::Result {
    writeln!(f, "<div class=\"key\">")?;
    for line in lines {
        let (class, name) = (line.class, Escaped(&line.name));
        let swatch = format_args!("<path class=\"series {class}\" d=\"M1 5H25\"/>");
        writeln!(f, "<span><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\">{swatch}</svg>{name}</span>")?;
    }
    writeln!(f, "</div>")
}

impl Line {
    fn path(&self, f: &mut fmt::Formatter<'_>, x: &Axis, y: &Axis) -> fmt::Result {
        let mut before: Option<f64> = None;
        for (at, value) in thin(&self.points) {
            let joined = before.is_some_and(|before| at - before <= self.gap);
            let letter = if joined { 'L' } else { 'M' };
            write!(f, "{letter}{:.1} {:.1}", along(x.place(at)), down(y.place(value)))?;
            // A point alone is drawn too.
            if !joined {
                f.write_str("h0.1")?;
            }
            before = Some(at);
        }
        Ok(())
    }
}

/// At most [`MOST_POINTS`]: of every few points the lowest and the highest, in their order.
fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let few = (2 * points.len()).div_ceil(MOST_POINTS);
    let extremes = |few: &[(f64, f64)]| {
        let value = |place: &usize| few[*place].1;
        let lowest = (0..few.len()).min_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or_default();
        let highest = (0..few.len()).max_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or_default();
        let (first, second) = (lowest.min(highest), lowest.max(highest));
        [few[first], few[second]]
    };
    points.chunks(few).flat_map(extremes).collect()
}

#[cfg(test)]
mod tests {
    use super::{Axis, Chart, Line, MOST_POINTS, thin};

    fn chart(points: Vec<(f64, f64)>) -> String {
        let line = Line { name: "p99 <&>".into(), class: "one", points, gap: 1.5 };
        Chart { about: "a \"test\"", x: Axis::time("s", 10.0), y: Axis::linear("ms", 10.0), lines: vec![line] }
            .to_string()
    }

    #[test]
    fn a_gap_is_not_joined_and_texts_are_escaped() {
        let svg = chart(vec![(0.0, 0.0), (1.0, 10.0), (5.0, 5.0)]);
        assert!(svg.contains("M74.0 260.0h0.1L155.2 26.0M480.0 143.0h0.1"), "{svg}");
        assert!(svg.contains("p99 &lt;&amp;&gt;") && svg.contains("a &quot;test&quot;"), "{svg}");
    }

    #[test]
    fn many_points_become_few_and_keep_their_extremes() {
        let mut points: Vec<(f64, f64)> = (0..86_400).map(|second| (f64::from(second), 5.0)).collect();
        (points[40_000].1, points[70_001].1) = (0.0, 99.0);
        let thinned = thin(&points);
        assert!(thinned.len() <= MOST_POINTS + 2, "{}", thinned.len());
        assert!(thinned.contains(&(40_000.0, 0.0)) && thinned.contains(&(70_001.0, 99.0)));
        assert!(thinned.is_sorted_by(|a, b| a.0 <= b.0));
    }
}
