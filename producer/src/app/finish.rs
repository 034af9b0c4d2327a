//! The end of a run: report, files, and whether it was good.

use super::Outputs;
use super::parts::About;
use crate::answers::Answers;
use crate::config::Config;
use crate::knee;
use crate::ledger::Ledger;
use crate::pipeline::{End, Flown};
use crate::profile::Profile;
use crate::report::{Report, TopicSpread, hottest_share, rate, spread};
use crate::source::Load;
use crate::ticket::Ticket;
use crate::usage;
use kafka_client::probe::TopicInfo;
use runtime::exit::Failure;
use runtime::output_file;
use std::path::Path;
use std::time::Duration;

/// What is left of a run.
pub struct Ended {
    pub report: Report,
    pub end: End,
    ledger: Option<Ledger>,
}

/// Codes that count as the hottest when no profile says it.
const HOTTEST: f64 = 0.2;

/// Makes the report and the ledger. What has no answer now counts as failed.
pub fn finish(answers: &Answers, flown: Flown, config: &Config, about: &About) -> Ended {
    (answers.in_spool()..answers.tally.unanswered())
        .for_each(|_| answers.lost_sight("no answer before the end", Ticket::NONE));
    let outcome = answers.take();
    let mut report = counted(answers);
    report.run.clone_from(&about.run.id);
    report.source.clone_from(&about.source);
    report.started_ms = answers.started_ms();
    report.ended = ended(&flown.end, answers);
    report.failures = outcome.failures;
    report.acknowledged_seconds = outcome.latency.last.as_secs_f64();
    report.ack_latency_ms = outcome.latency.whole;
    report.ack_latency_series = outcome.latency.series;
    report.ack_latency_distribution = outcome.latency.distribution;
    report.knee = about.knee.as_ref().map(knee::taken);
    report.topics = topics(&about.topics, config.router.topics(), &outcome.partitions);
    pace(&mut report, &flown);
    codes(&mut report, &flown, config.profile());
    if let Some(profile) = config.profile() {
        // A profile that makes no distribution would not have run.
        let load = Load::new(profile, config.run.instance).ok();
        let share = load.map_or(profile.codes.share, |load| load.hottest_share(profile.codes.hottest()));
        report.expect(&profile.expected, share);
    }
    let Flown { end, source, books, .. } = flown;
    let ledger = books.offers.map(|offers| Ledger { offers, answered: outcome.ledger, source });
    Ended { report, end, ledger }
}

fn counted(answers: &Answers) -> Report {
    let (tally, usage) = (&answers.tally, usage::now());
    Report {
        offered: tally.offered.get(),
        sent: tally.sent.get(),
        acknowledged: tally.acknowledged.get(),
        failed: tally.failed.get(),
        dead_lettered: tally.dead_lettered.get(),
        in_spool: answers.in_spool(),
        spooled: tally.spooled.get(),
        recovered: tally.recovered.get(),
        maybe_twice: tally.maybe_twice.get(),
        client_changes: tally.client_changes.get(),
        bad_lines: tally.bad_lines.get(),
        unroutable: tally.unroutable.get(),
        not_set_aside: tally.not_set_aside.get(),
        sent_bytes: tally.sent_bytes.get(),
        queue_full: tally.queue_full.get(),
        cpu_seconds: usage.cpu_seconds,
        cpu_us_per_event: usage.cpu_seconds * 1e6 / tally.acknowledged.get().max(1) as f64,
        peak_rss_bytes: usage.peak_rss_bytes,
        ..Report::default()
    }
}

/// The topics of the routes. Their partitions are known when Kafka was asked at the start (`found`), else those that were
/// acknowledged.
fn topics(found: &[TopicInfo], names: &[String], acknowledged: &[Vec<u64>]) -> Vec<TopicSpread> {
    let of = |(number, name): (usize, &String)| {
        let events = acknowledged.get(number).map_or(&[][..], Vec::as_slice);
        spread(name, found.get(number).map_or(0, |topic| topic.partitions.max(0) as u32), events)
    };
    names.iter().enumerate().map(of).collect()
}

fn pace(report: &mut Report, flown: &Flown) {
    let (pace, elapsed) = (&flown.books.pace, flown.elapsed.as_secs_f64());
    report.duration_seconds = elapsed;
    report.lateness_max_ms = pace.lateness_max.as_secs_f64() * 1_000.0;
    report.lateness_ms = pace.lateness.summary();
    report.late_moments = pace.lateness.moments().to_vec();
    // A run that is complete has sent all of its last second, however early in it.
    let due_by = |until: Duration| match flown.end {
        End::Complete => Duration::from_secs(until.as_secs() + u64::from(until.subsec_nanos() > 0)),
        _ => until,
    };
    report.rate = rate(&pace.per_second, elapsed, |until| flown.source.planned(due_by(until)));
}

fn codes(report: &mut Report, flown: &Flown, profile: Option<&Profile>) {
    let counts = &flown.books.counts;
    let codes = counts.by_codigo();
    let fifth = || (codes.len() as f64 * HOTTEST).ceil() as usize;
    let hottest = profile.map_or_else(fifth, |profile| profile.codes.hottest());
    report.hottest_codes = hottest as u64;
    report.hottest_codes_share = hottest_share(&codes, hottest);
    report.not_in_ledger = counts.unnamed();
}

fn ended(end: &End, answers: &Answers) -> String {
    match end {
        End::Complete => "complete".into(),
        End::Stopped => format!("stopped: {}", answers.why_stopped()),
        End::SourceFailed(reason) => format!("stopped: {reason}"),
    }
}

/// Writes the files that were asked for.
///
/// # Errors
/// A file cannot be written.
pub fn write(ended: &Ended, outputs: &Outputs) -> Result<(), Failure> {
    if let (Some(path), Some(ledger)) = (&outputs.ledger, &ended.ledger) {
        ledger.write(path).map_err(|error| unwritten("ledger", path, &error))?;
    }
    if let Some(path) = &outputs.report {
        let mut text = serde_json::to_string_pretty(&ended.report)?;
        text.push('\n');
        output_file::replace(path, |file| file.write_all(text.as_bytes()))
            .map_err(|error| unwritten("report", path, &error))?;
    }
    if let Some(path) = &outputs.html {
        let page = ended.report.page();
        output_file::replace(path, |file| file.write_all(page.as_bytes()))
            .map_err(|error| unwritten("page", path, &error))?;
    }
    Ok(())
}

fn unwritten(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("the {what} {} cannot be written: {error}", path.display()))
}

/// Good when nothing broke and Kafka holds, or a dead letter explains, every event.
///
/// # Errors
/// The sentence that a failed run ends with.
pub fn verdict(answers: &Answers, ended: &Ended) -> Result<(), Failure> {
    if let Some(reason) = answers.why_broken() {
        return Err(Failure::failed(reason.to_owned()));
    }
    if let End::SourceFailed(reason) = &ended.end {
        return Err(Failure::failed(reason.clone()));
    }
    let report = &ended.report;
    if report.failed > 0 {
        let reasons: Vec<String> = report.failures.iter().map(|(why, count)| format!("{count} x {why}")).collect();
        let sentence = format!(
            "{} of {} events were not acknowledged by Kafka ({}): check the brokers and run again",
            report.failed,
            report.offered,
            reasons.join(", ")
        );
        return Err(Failure::failed(sentence));
    }
    if report.not_set_aside > 0 {
        let sentence = format!(
            "{} bad lines or events without a route could not be set aside, see the log: make room for dead_letter.file",
            report.not_set_aside
        );
        return Err(Failure::failed(sentence));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{TopicInfo, topics};

    #[test]
    fn topics_are_told_whether_or_not_kafka_was_there_at_the_start() {
        let names = ["a", "b"].map(str::to_owned);
        let found = ["a", "b"].map(|name| TopicInfo { name: name.into(), partitions: 3, replication: 1 });
        let acknowledged = [vec![1, 4]];
        let told = |found: &[TopicInfo]| -> Vec<(String, u32, u64)> {
            let spreads = topics(found, &names, &acknowledged);
            spreads.into_iter().map(|spread| (spread.topic, spread.partitions, spread.acknowledged)).collect()
        };
        assert_eq!(told(&found), [("a".into(), 3, 5), ("b".into(), 3, 0)]);
        assert_eq!(told(&[]), [("a".into(), 2, 5), ("b".into(), 0, 0)]);
    }
}
