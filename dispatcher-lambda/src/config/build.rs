//! From what was written to what is meant, part by part.

use super::routes::rules;
use super::{Config, DestinationRaw, DispatcherRaw};
use crate::aws::Aws;
use crate::dedupe::Dedupe;
use crate::deliver::Policy;
use crate::destinations::{
    Destination, DynamoDbDestination, FileDestination, HttpDestination, LambdaDestination, Named, S3Destination,
    SnsDestination, SqsDestination,
};
use crate::event_source::EventSource;
use crate::telemetry::TelemetryConfig;
use domain::backoff::Backoff;
use runtime::config::{ConfigError, Loaded, Settings};
use runtime::logs::LogsConfig;
use std::collections::BTreeMap;

/// The tables of the destinations as written.
pub(super) type Tables = BTreeMap<String, DestinationRaw>;

pub(super) fn config(loaded: &Loaded<DispatcherRaw>) -> Result<Config, ConfigError> {
    let (raw, settings) = (&loaded.raw, &loaded.settings);
    let aws = Aws::default();
    let destinations = destinations(raw, &aws, settings)?;
    let event_source = event_source(raw, &destinations, settings)?;
    Ok(Config {
        logs: LogsConfig::validate(settings, &raw.logs)?,
        telemetry: TelemetryConfig::validate(settings, &raw.metrics, &raw.traces)?,
        key: raw.order.key,
        versions: raw.validate.build(settings)?,
        dedupe: Dedupe::build(&raw.dedupe, &aws, settings)?,
        policy: policy(raw, settings)?,
        margin: raw.deliver.margin.get(),
        rules: rules(raw, &destinations, event_source.set_aside, settings)?,
        event_source,
        destinations,
    })
}

fn policy(raw: &DispatcherRaw, settings: &Settings) -> Result<Policy, ConfigError> {
    let deliver = &raw.deliver;
    if !(1..=100).contains(&deliver.attempts) {
        return Err(settings.refuse("deliver.attempts", "allowed is 1 to 100"));
    }
    if deliver.backoff > deliver.backoff_cap {
        let sentence = format!("allowed is deliver.backoff ({}) or more", deliver.backoff);
        return Err(settings.refuse("deliver.backoff_cap", sentence));
    }
    let backoff = Backoff { base: deliver.backoff.get(), cap: deliver.backoff_cap.get() };
    Ok(Policy { attempts: deliver.attempts, backoff })
}

fn destinations(raw: &DispatcherRaw, aws: &Aws, settings: &Settings) -> Result<Vec<Named>, ConfigError> {
    if raw.destinations.is_empty() {
        let sentence = "write at least one, for example [destinations.collector.http] with url = \"http://...\"";
        return Err(settings.refuse("destinations", sentence));
    }
    let build = |(name, raw): (&String, &DestinationRaw)| {
        Ok(Named { name: name.clone(), destination: destination(name, raw, aws, settings)? })
    };
    raw.destinations.iter().map(build).collect()
}

type Built = Result<Box<dyn Destination>, ConfigError>;

fn destination(name: &str, raw: &DestinationRaw, aws: &Aws, settings: &Settings) -> Built {
    let section = |kind: &str| format!("destinations.{name}.{kind}");
    let DestinationRaw { sqs, sns, dynamodb, s3, lambda, http, file } = raw;
    let mut built: Vec<Built> = Vec::new();
    built.extend(sqs.as_ref().map(|raw| boxed(SqsDestination::build(&section("sqs"), raw, aws, settings))));
    built.extend(sns.as_ref().map(|raw| boxed(SnsDestination::build(&section("sns"), raw, aws, settings))));
    built.extend(
        dynamodb.as_ref().map(|raw| boxed(DynamoDbDestination::build(&section("dynamodb"), raw, aws, settings))),
    );
    built.extend(s3.as_ref().map(|raw| boxed(S3Destination::build(&section("s3"), raw, aws, settings))));
    built.extend(lambda.as_ref().map(|raw| boxed(LambdaDestination::build(&section("lambda"), raw, aws, settings))));
    built.extend(http.as_ref().map(|raw| boxed(HttpDestination::build(&section("http"), raw, settings))));
    built.extend(file.as_ref().map(|raw| boxed(FileDestination::build(&section("file"), raw, settings))));
    match built.len() {
        1 => built.remove(0),
        _ => {
            let sentence = "allowed is exactly one of the tables sqs, sns, dynamodb, s3, lambda, http, file";
            Err(settings.refuse(&format!("destinations.{name}"), sentence))
        }
    }
}

fn boxed<D: Destination + 'static>(built: Result<D, ConfigError>) -> Built {
    built.map(|destination| Box::new(destination) as Box<dyn Destination>)
}

fn event_source(raw: &DispatcherRaw, known: &[Named], settings: &Settings) -> Result<EventSource, ConfigError> {
    let refuse = |sentence: String| settings.refuse("event_source.rejected", sentence);
    let (rejected, failures) = (raw.event_source.rejected.as_str(), raw.event_source.failures);
    if rejected == "fail" {
        return Ok(EventSource { set_aside: None, failures });
    }
    let name = rejected.strip_prefix("destination:");
    let name = name.ok_or_else(|| refuse("allowed is fail, or destination: and the name of one".to_owned()))?;
    let set_aside = Some(index(known, name).map_err(refuse)?);
    if known.len() == 1 && raw.routes.is_empty() {
        return Err(refuse(format!("{name} is the only destination, so no event would be delivered anywhere")));
    }
    Ok(EventSource { set_aside, failures })
}

/// Where the destination of this name stands.
///
/// # Errors
/// A sentence, when there is none.
pub(super) fn index(destinations: &[Named], name: &str) -> Result<usize, String> {
    destinations.iter().position(|known| known.name == name).ok_or_else(|| {
        let known: Vec<&str> = destinations.iter().map(|known| known.name.as_str()).collect();
        format!("{name} is no destination, allowed are {}", known.join(", "))
    })
}
