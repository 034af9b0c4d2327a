//! The report as a page: one file with everything in it, for a browser without a network.
//!
//! Only our own markup and plots, no script. Every text that comes from outside is escaped.

mod axis;
mod bars;
mod chart;
mod climb;
mod figures;
mod plots;
mod text;

use super::Report;
use std::fmt;
use text::Escaped;

const STYLE: &str = include_str!("page/style.css");

impl Report {
    /// The whole page.
    pub fn page(&self) -> String {
        Page(self).to_string()
    }
}

struct Page<'a>(&'a Report);

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (report, run) = (self.0, Escaped(&self.0.run));
        writeln!(f, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
        writeln!(f, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
        writeln!(f, "<title>Run {run}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>")?;
        writeln!(f, "<h1>Run {run}</h1>")?;
        let (source, ended) = (Escaped(&report.source), Escaped(&report.ended));
        writeln!(f, "<p>{source}</p>\n<p>{ended} after {:.1} s</p>", report.duration_seconds)?;
        figures::figures(f, report)?;
        if let Some(knee) = &report.knee {
            climb::climb(f, knee)?;
        }
        plots::rate(f, report)?;
        plots::latency(f, report)?;
        plots::distribution(f, report)?;
        plots::partitions(f, report)?;
        writeln!(f, "</main>\n</body>\n</html>")
    }
}

#[cfg(test)]
mod tests;
