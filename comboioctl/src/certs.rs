//! `certs`: what the certificates say, and whether they fit together. Files only; Kafka is not asked.

use crate::answer::Answer;
use crate::cli::{CertsArgs, Connection};
use crate::connection;
use kafka_client::certificates::{CertificateFacts, Inspection, inspect};
use runtime::clock::{Clock, SystemClock};
use runtime::config::{ConfigError, Loaded};
use runtime::exit::Failure;
use std::fmt::Write;
use std::path::Path;

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
    if let Some((key, _)) = written.iter().find(|(_, path)| path.is_empty()) {
        let sentence = format!("{key} is not set: give --config FILE, or --ca, --certificate and --key");
        return Err(ConfigError::other(sentence).into());
    }
    let password = Some(tls.key_password.expose()).filter(|password| !password.is_empty());
    let [ca, certificate, key] = written.map(|(_, path)| Path::new(path.as_str()));
    let seen = inspect(ca, certificate, key, password, SystemClock.wall_ms());
    seen.map_err(|fault| loaded.refuse(fault.setting(), &fault).into())
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
