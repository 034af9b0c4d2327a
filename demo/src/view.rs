//! Shows the journey: redrawn in place on a terminal, plain lines elsewhere. Goes to standard error; the report owns standard output.

use crate::watch::Snapshot;
use std::io::{IsTerminal, Write};

/// Draws snapshots and passes on what happens.
pub struct View {
    terminal: bool,
    before: Snapshot,
    drawn: usize,
}

/// On a pipe, a line this often (seconds) is enough.
const PLAIN_EVERY: u64 = 5;

impl View {
    pub fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), before: Snapshot::default(), drawn: 0 }
    }

    /// Something happened: a line that stays.
    pub fn tell(&mut self, line: &str) {
        self.erase();
        eprintln!("demo: {line}");
    }

    /// Shows the newest snapshot.
    pub fn show(&mut self, now: &Snapshot) {
        let lines = if self.terminal { self.panel(now) } else { self.plain(now) };
        self.erase();
        for line in &lines {
            eprintln!("{line}");
        }
        if self.terminal {
            self.drawn = lines.len();
        }
        if !lines.is_empty() {
            self.before = now.clone();
        }
    }

    fn erase(&mut self) {
        if self.drawn > 0 {
            eprint!("\x1b[{}A\x1b[J", self.drawn);
            // A terminal that went away is no reason to stop.
            let _ = std::io::stderr().flush();
            self.drawn = 0;
        }
    }

    fn rate(&self, now: &Snapshot, count: fn(&Snapshot) -> u64) -> f64 {
        let seconds = (now.elapsed.saturating_sub(self.before.elapsed)).as_secs_f64();
        count(now).saturating_sub(count(&self.before)) as f64 / seconds.max(0.001)
    }

    fn plain(&self, now: &Snapshot) -> Vec<String> {
        let seconds = now.elapsed.as_secs();
        if seconds / PLAIN_EVERY == self.before.elapsed.as_secs() / PLAIN_EVERY {
            return Vec::new();
        }
        vec![format!(
            "demo: {seconds:>3} s  offered {:>6.0}/s  delivered {:>6.0}/s  ack p99 {:.1} ms  invoke p99 {:.1} ms  lag {}  duplicates {}  consumers {}",
            self.rate(now, |s| s.offered),
            self.rate(now, |s| s.delivered),
            now.ack_p99,
            now.invoke_p99,
            lag(now),
            now.duplicates,
            now.consumers,
        )]
    }

    fn panel(&self, now: &Snapshot) -> Vec<String> {
        vec![
            String::new(),
            format!("  comboio demo {:>46} s", now.elapsed.as_secs()),
            format!("  offered      {:>12}   {:>9.0}/s", now.offered, self.rate(now, |s| s.offered)),
            format!(
                "  acknowledged {:>12}   p50 {:>7.1} ms   p99 {:>7.1} ms",
                now.acknowledged, now.ack_p50, now.ack_p99
            ),
            format!(
                "  delivered    {:>12}   {:>9.0}/s   duplicates {}",
                now.delivered,
                self.rate(now, |s| s.delivered),
                now.duplicates
            ),
            format!(
                "  invocations  {:>12}   p50 {:>7.1} ms   p99 {:>7.1} ms   in flight {}",
                now.invocations, now.invoke_p50, now.invoke_p99, now.in_flight
            ),
            format!(
                "  batches      {:>12}   retries {}   dead letters {}",
                now.batches, now.retries, now.dead_lettered
            ),
            format!("  lag          {}", lag(now)),
            format!("  consumers    {:>12}   memory {} MB", now.consumers, now.resident / 1_000_000),
        ]
    }
}

impl Default for View {
    fn default() -> Self {
        Self::new()
    }
}

fn lag(now: &Snapshot) -> String {
    let topics: Vec<String> = now.lag.iter().map(|(topic, records)| format!("{topic} {records}")).collect();
    if topics.is_empty() { "unknown".into() } else { topics.join("  ") }
}
