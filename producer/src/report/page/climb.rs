//! The climb of a page: the verdict, latency against rate, and every step.

use super::axis::Axis;
use super::chart::{Chart, Line};
use super::text::{Escaped, count, number};
use crate::knee::Knee;
use std::fmt;

pub(super) fn climb(f: &mut fmt::Formatter<'_>, knee: &Knee) -> fmt::Result {
    writeln!(f, "<h2>The knee</h2>\n<p>{}</p>", Escaped(&knee.sentence()))?;
    if knee.steps.is_empty() {
        return Ok(());
    }
    write!(f, "{}", chart(knee))?;
    writeln!(f, "<div class=\"scroll\"><table>\n<tr><th>wanted, events/s</th><th>reached, events/s</th>")?;
    writeln!(f, "<th>ack p99, ms</th><th>queue at the end</th><th>verdict</th></tr>")?;
    for step in &knee.steps {
        let measured = &step.measured;
        let (wanted, reached) = (number(measured.wanted), number(measured.reached));
        let (p99, queue) = (measured.ack_p99_ms.map_or("none".into(), number), count(measured.queue));
        let class = if step.held() { "good" } else { "bad" };
        write!(f, "<tr><td>{wanted}</td><td>{reached}</td><td>{p99}</td><td>{queue}</td>")?;
        writeln!(f, "<td class=\"{class}\">{}</td></tr>", Escaped(&step.verdict()))?;
    }
    writeln!(f, "</table></div>")
}

fn chart(knee: &Knee) -> Chart<'static> {
    let steps = || knee.steps.iter().map(|step| step.measured);
    let highest = steps().map(|step| step.wanted).fold(0.0, f64::max);
    let p99 = steps().filter_map(|step| Some((step.wanted, step.ack_p99_ms?))).collect();
    let limit = knee.limits.ack_p99_ms;
    let line = |name: &str, class, points| Line { name: name.to_owned(), class, points, gap: f64::INFINITY };
    let lines = vec![line("ack p99", "one", p99), line("limit", "plan", vec![(0.0, limit), (highest, limit)])];
    let values = steps().filter_map(|step| step.ack_p99_ms).chain([limit]);
    let (x, y) = (Axis::linear("wanted, events/s", highest), Axis::powers("ms, powers of ten", values));
    Chart { about: "acknowledgement p99 of every step against its rate", x, y, lines }
}
