//! What the AWS destinations share: one HTTP client, the region, where an ARN or a URL points to, and the class of each error.

mod classify;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use runtime::aws::{LOCAL_REGION, https_client, in_function, is_loopback, variable};
use runtime::config::{ConfigError, Settings};
use std::cell::OnceCell;
use std::time::Duration;

pub use classify::{class_of, failure_of, short, unmade};

/// Made once at cold start and shared by all AWS destinations; loads the TLS roots with the first of them.
#[derive(Default)]
pub struct Aws {
    http: OnceCell<SharedHttpClient>,
}

/// The settings that every AWS destination has, as they stand in its section.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// `destinations.NAME.sqs`.
    pub section: &'a str,
    /// As written; empty: what the ARN or URL says, else `AWS_REGION`, which Lambda sets.
    pub region: &'a str,
    /// As written; empty: AWS's own.
    pub endpoint_url: &'a str,
    /// The region that the ARN or URL says.
    pub told: Option<&'a str>,
    /// How long one request may take.
    pub timeout: Duration,
}

impl Aws {
    /// What a service's client is made from; touches no network.
    ///
    /// # Errors
    /// An endpoint that is no URL, or no region that is known.
    pub fn sdk(&self, place: Place<'_>, settings: &Settings) -> Result<SdkConfig, ConfigError> {
        let refuse = |key: &str, sentence: &str| settings.refuse(&format!("{}.{key}", place.section), sentence);
        let endpoint = Some(place.endpoint_url).filter(|url| !url.is_empty());
        if endpoint.is_some_and(|url| !is_url(url)) {
            return Err(refuse(
                "endpoint_url",
                "allowed is a URL such as http://127.0.0.1:4566, or nothing for AWS's own",
            ));
        }
        let written = Some(place.region).filter(|region| !region.is_empty()).or(place.told).map(str::to_owned);
        let local = || endpoint.is_some_and(is_loopback).then(|| LOCAL_REGION.to_owned());
        let region = written.or_else(|| variable("AWS_REGION")).or_else(local);
        let region = region.ok_or_else(|| refuse("region", "no AWS region is known: write it, or set AWS_REGION"))?;
        let http = self.http.get_or_init(https_client).clone();
        Ok(in_function(&region, endpoint, http, place.timeout))
    }
}

/// The parts of `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    pub service: &'a str,
    pub region: &'a str,
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// `None` when `text` is none.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition) = (parts.next()?, parts.next()?);
        let (service, region, account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let ours = arn == "arn" && partition.starts_with("aws");
        let account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let whole = !service.is_empty() && !region.is_empty() && !resource.is_empty();
        (ours && account && whole).then_some(Self { service, region, resource })
    }
}

/// Whether `text` is `http://host...` or `https://host...`.
pub fn is_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A name that a service made: letters, digits and these, as many as it allows.
pub fn is_name(text: &str, punctuation: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || punctuation.contains(letter))
}

#[cfg(test)]
mod tests {
    use super::{Arn, Aws, Place};
    use runtime::config::Settings;
    use std::time::Duration;

    #[test]
    fn an_arn_has_six_parts() {
        let arn = Arn::parse("arn:aws:sns:sa-east-1:000000000000:events.fifo").unwrap();
        assert_eq!(arn, Arn { service: "sns", region: "sa-east-1", resource: "events.fifo" });
        assert!(Arn::parse("arn:aws-cn:lambda:cn-north-1:000000000000:function:f:live").is_some());
        for text in
            ["", "events", "arn:aws:sns:sa-east-1:1:x", "arn:aws:sns::000000000000:x", "arn:aws:sns:r:000000000000:"]
        {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }

    fn sdk(region: &str, endpoint_url: &str, told: Option<&str>) -> Result<String, String> {
        let place =
            Place { section: "destinations.q.sqs", region, endpoint_url, told, timeout: Duration::from_secs(1) };
        let sdk = Aws::default().sdk(place, &Settings::default()).map_err(|error| error.to_string())?;
        Ok(sdk.region().unwrap().to_string())
    }

    /// A repeat behind our back would be a duplicate, and a service that thinks for a while is not dead.
    #[test]
    fn the_sdk_repeats_nothing_and_waits_as_long_as_it_is_told() {
        let (region, endpoint_url, timeout) = ("eu-west-1", "", Duration::from_secs(7));
        let place = Place { section: "x", region, endpoint_url, told: None, timeout };
        let sdk = Aws::default().sdk(place, &Settings::default()).unwrap();
        assert_eq!(sdk.retry_config().unwrap().max_attempts(), 1);
        assert!(!sdk.stalled_stream_protection().unwrap().is_enabled());
        let timeouts = sdk.timeout_config().unwrap();
        assert_eq!(timeouts.operation_timeout(), Some(timeout));
        assert_eq!(timeouts.connect_timeout(), Some(Duration::from_secs(3)));
    }

    #[test]
    fn the_region_is_written_or_told_or_of_this_machine() {
        assert_eq!(sdk("eu-west-1", "", Some("sa-east-1")).unwrap(), "eu-west-1");
        assert_eq!(sdk("", "", Some("sa-east-1")).unwrap(), "sa-east-1");
        assert_eq!(sdk("", "http://127.0.0.1:1", None).unwrap(), "us-east-1");
        let refused = sdk("", "127.0.0.1", Some("sa-east-1")).unwrap_err();
        assert!(refused.contains("destinations.q.sqs.endpoint_url"), "{refused}");
    }
}
