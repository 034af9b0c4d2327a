//! The section `[kafka.tls]`: which of the three ways it is, and the bundle that comes of it.

use super::raw::TlsRaw;
use crate::certificates::{Bundle, Form, Password, Place, ReadError, Reader, Source};
use runtime::clock::{Clock, SystemClock};
use runtime::config::{ConfigError, Settings};
use runtime::objects::ObjectStoreSettings;
use std::path::PathBuf;
use std::time::Duration;

const WAYS: &str = "allowed is one way: ca alone (only the brokers are checked), ca with certificate and key (PEM), \
    or bundle (PKCS#12) without the other three";

/// Where the certificates come from, and how they are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificates {
    pub source: Source,
    /// How often the source is looked at.
    pub check_every: Duration,
    /// How many looks in a row may find parts that do not fit together.
    pub settle_checks: u32,
}

impl Certificates {
    /// Which way it is; `None` means plaintext. Reads nothing. `tls` must stand under `kafka.tls` in `settings`.
    ///
    /// # Errors
    /// Two ways at once, half a way, values out of range.
    pub fn validate(settings: &Settings, tls: &TlsRaw) -> Result<Option<Self>, ConfigError> {
        let store = ObjectStoreSettings::validate(settings, "kafka.tls.s3", &tls.s3)?;
        check_numbers(settings, tls)?;
        let (check_every, settle_checks) = (tls.check_every.get(), tls.settle_checks);
        let form = form(settings, tls)?;
        Ok(form.map(|form| Self { source: Source { form, store }, check_every, settle_checks }))
    }
}

fn check_numbers(settings: &Settings, tls: &TlsRaw) -> Result<(), ConfigError> {
    let check_every = tls.check_every.get();
    if check_every < Duration::from_millis(10) || check_every > Duration::from_secs(86_400) {
        return Err(settings.refuse("kafka.tls.check_every", "allowed is \"10ms\" to \"1d\""));
    }
    if !(1..=1_000).contains(&tls.settle_checks) {
        return Err(settings.refuse("kafka.tls.settle_checks", "allowed is 1 to 1000"));
    }
    if tls.alarm_before > tls.warn_before {
        return Err(settings.refuse("kafka.tls.alarm_before", "it must not be longer than kafka.tls.warn_before"));
    }
    Ok(())
}

/// Reads and checks the bundle.
///
/// # Errors
/// A fault of the bundle is a bad configuration (exit 64); an object that S3 does not give is not (exit 1).
pub(super) fn load(settings: &Settings, source: &Source) -> Result<Bundle, ConfigError> {
    let refused = |fault| settings.refuse(source.setting(&fault), fault.to_string());
    match Reader::new(source.clone()).read() {
        Ok(material) => material.bundle(SystemClock.wall_ms()).map_err(refused),
        Err(ReadError::File(fault)) => Err(refused(fault)),
        Err(error @ ReadError::Object { .. }) => Err(ConfigError::Surroundings(error.to_string())),
    }
}

fn form(settings: &Settings, tls: &TlsRaw) -> Result<Option<Form>, ConfigError> {
    let place = |key: &str, text: &String| -> Result<Option<Place>, ConfigError> {
        let place = (!text.is_empty()).then(|| text.parse::<Place>()).transpose();
        place.map_err(|error| settings.refuse(key, error))
    };
    let bundle = place("kafka.tls.bundle", &tls.bundle)?;
    let ca = place("kafka.tls.ca", &tls.ca)?;
    let certificate = place("kafka.tls.certificate", &tls.certificate)?;
    let key = place("kafka.tls.key", &tls.key)?;
    if let Some(bundle) = bundle {
        if ca.is_some() || certificate.is_some() || key.is_some() || !tls.key_password.is_empty() {
            return Err(settings.refuse("kafka.tls.bundle", WAYS));
        }
        return Ok(Some(Form::Pkcs12 { bundle, password: bundle_password(settings, tls)? }));
    }
    if !tls.bundle_password.is_empty() || !tls.bundle_password_file.is_empty() {
        let sentence = format!("a password of a bundle is set, and no bundle: {WAYS}");
        return Err(settings.refuse("kafka.tls.bundle", sentence));
    }
    if !tls.key_password.is_empty() && key.is_none() {
        return Err(settings.refuse("kafka.tls.key_password", beside("a password of a key needs its key")));
    }
    match (ca, certificate, key) {
        (None, None, None) => Ok(None),
        (None, Some(_), _) => Err(settings.refuse("kafka.tls.certificate", beside("a certificate needs its ca"))),
        (None, None, Some(_)) => Err(settings.refuse("kafka.tls.key", beside("a key needs its certificate and ca"))),
        (Some(ca), None, None) => Ok(Some(Form::Authority { ca })),
        (Some(_), None, Some(_)) => {
            Err(settings.refuse("kafka.tls.certificate", beside("a key needs its certificate")))
        }
        (Some(_), Some(_), None) => Err(settings.refuse("kafka.tls.key", beside("a certificate needs its key"))),
        (Some(ca), Some(certificate), Some(key)) => {
            Ok(Some(Form::Pem { ca, certificate, key, password: tls.key_password.clone() }))
        }
    }
}

fn beside(what: &str) -> String {
    format!("{what}: {WAYS}")
}

fn bundle_password(settings: &Settings, tls: &TlsRaw) -> Result<Password, ConfigError> {
    match (tls.bundle_password.is_empty(), tls.bundle_password_file.is_empty()) {
        (false, false) => {
            let sentence = "allowed is kafka.tls.bundle_password or kafka.tls.bundle_password_file, not both";
            Err(settings.refuse("kafka.tls.bundle_password", sentence))
        }
        (_, true) => Ok(Password::Text(tls.bundle_password.clone())),
        (true, false) => Ok(Password::File(PathBuf::from(&tls.bundle_password_file))),
    }
}
