//! From what was written to what is meant, part by part.

use super::{Config, DestinationRaw, DispatcherRaw};
use crate::dedupe::Dedupe;
use crate::deliver::Policy;
use crate::destinations::{
    Aws, Destination, DynamoDbDestination, FileDestination, HttpDestination, LambdaDestination, Named, S3Destination,
    SnsDestination, SqsDestination,
};
use crate::record::Need;
use crate::route::{Rule, RuleRaw};
use domain::backoff::Backoff;
use runtime::config::{ConfigError, Loaded, Settings};
use runtime::logs::LogsConfig;

pub(super) fn config(loaded: &Loaded<DispatcherRaw>) -> Result<Config, ConfigError> {
    let (raw, settings) = (&loaded.raw, &loaded.settings);
    let aws = Aws::default();
    let destinations = destinations(raw, &aws, settings)?;
    Ok(Config {
        logs: LogsConfig::validate(settings, &raw.logs)?,
        key: raw.order.key,
        dedupe: Dedupe::build(&raw.dedupe, &aws, settings)?,
        policy: policy(raw, settings)?,
        margin: raw.deliver.margin.get(),
        rules: rules(raw, &destinations, settings)?,
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

fn rules(raw: &DispatcherRaw, destinations: &[Named], settings: &Settings) -> Result<Vec<Rule>, ConfigError> {
    if raw.routes.is_empty() {
        let required = destinations.iter().map(|known| known.name.clone()).collect();
        return Ok(vec![rule(0, &RuleRaw { required, ..RuleRaw::default() }, destinations, settings)?]);
    }
    raw.routes.iter().enumerate().map(|(place, raw)| rule(place, raw, destinations, settings)).collect()
}

fn rule(place: usize, raw: &RuleRaw, destinations: &[Named], settings: &Settings) -> Result<Rule, ConfigError> {
    let refuse = |key: &str, sentence: String| settings.refuse(&format!("routes[{place}].{key}"), sentence);
    let codigos = raw.codigos.parse().map_err(|error| refuse("codigos", format!("{error}")))?;
    if raw.required.is_empty() {
        let sentence =
            "allowed is one destination or more: without any, an event that reached nobody would count as delivered";
        return Err(refuse("required", sentence.to_owned()));
    }
    let mut to: Vec<(usize, Need)> = Vec::new();
    for (key, names, need) in [("required", &raw.required, Need::Required), ("optional", &raw.optional, Need::Optional)]
    {
        for name in names {
            let Some(index) = destinations.iter().position(|known| known.name == *name) else {
                let known: Vec<&str> = destinations.iter().map(|known| known.name.as_str()).collect();
                return Err(refuse(key, format!("{name} is no destination, allowed are {}", known.join(", "))));
            };
            if to.iter().any(|(other, _)| *other == index) {
                return Err(refuse(key, format!("{name} stands twice in this rule")));
            }
            to.push((index, need));
        }
    }
    Ok(Rule { codigos, topics: raw.topics.clone(), to })
}
