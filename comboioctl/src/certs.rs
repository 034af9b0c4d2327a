//! `certs`: what the certificates say, and whether they fit together. Files and S3 only; Kafka is not asked.

use crate::answer::Answer;
use crate::cli::{CertsArgs, Connection};
use crate::connection;
use kafka_client::certificates::{CertificateFacts, Inspection, ReadError, Reader};
use kafka_client::settings::Certificates;
use runtime::clock::{Clock, SystemClock};
use runtime::config::{ConfigError, Loaded};
use runtime::exit::Failure;
use std::fmt::Write;

pub(crate) fn run(connection: &Connection, args: &CertsArgs) -> Result<Answer, Failure> {
    let loaded = connection::read(connection)?;
    let mut seen = look(&loaded)?;
    let warn_days = i64::from(args.warn_days);
    // One that has expired is a fault already.
    let soon = |facts: &&CertificateFacts| (0..warn_days).contains(&facts.days_left);
    let warnings: Vec<String> = seen.certificate.iter().filter(soon).map(warning).collect();
    seen.faults.extend(warnings);
    Answer::new(text(&seen), &seen, !seen.faults.is_empty())
}

fn warning(facts: &CertificateFacts) -> String {
    let (subject, file) = (&facts.subject, facts.file.display());
    format!("the certificate {subject} in {file} expires on {}, {} days from now", facts.not_after, facts.days_left)
}

fn look(loaded: &Loaded<connection::Raw>) -> Result<Inspection, Failure> {
    let tls = &loaded.raw.kafka.tls;
    let written = [("kafka.tls.ca", &tls.ca), ("kafka.tls.certificate", &tls.certificate), ("kafka.tls.key", &tls.key)];
    let missing = written.iter().find(|(_, path)| path.is_empty());
    if let (Some((key, _)), true) = (missing, tls.bundle.is_empty()) {
        let sentence = format!("{key} is not set: give --config FILE, or --ca, --certificate and --key, or --bundle");
        return Err(ConfigError::other(sentence).into());
    }
    let Some(certificates) = Certificates::validate(loaded, tls)? else {
        return Err(ConfigError::other("kafka.tls is not set").into());
    };
    let source = certificates.source;
    let refuse = |fault| loaded.refuse(source.setting(&fault), &fault);
    let material = Reader::new(source.clone()).read().map_err(|error| match error {
        ReadError::File(fault) => refuse(fault),
        ReadError::Object { .. } => ConfigError::Surroundings(error.to_string()),
    })?;
    Ok(material.inspect(SystemClock.wall_ms()).map_err(refuse)?)
}

fn text(seen: &Inspection) -> String {
    let mut text = String::new();
    for facts in &seen.certificate {
        describe(&mut text, "certificate", facts);
    }
    for facts in &seen.authorities {
        describe(&mut text, "authority", facts);
    }
    line(&mut text, "key", if seen.key_matches { "belongs to the certificate" } else { "of another certificate" });
    line(&mut text, "chain", if seen.trusted { "ends at the authority" } else { "does not end at the authority" });
    for fault in &seen.faults {
        line(&mut text, "finding", fault);
    }
    text
}

fn describe(text: &mut String, what: &str, facts: &CertificateFacts) {
    line(text, what, &facts.subject);
    line(text, "  file", &facts.file.display().to_string());
    line(text, "  issuer", &facts.issuer);
    if !facts.alternative_names.is_empty() {
        line(text, "  names", &facts.alternative_names.join(", "));
    }
    line(text, "  serial", &facts.serial);
    line(text, "  valid", &format!("{} to {}", facts.not_before, facts.not_after));
    line(text, "  days left", &facts.days_left.to_string());
}

fn line(text: &mut String, what: &str, value: &str) {
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{what:<12} {value}");
}
