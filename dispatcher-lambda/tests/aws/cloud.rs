//! The emulator, started once, and the faults that all tests share. A missing emulator fails every test.

use aws_config::SdkConfig;
use localenv::aws::{Aws, Fault, Rule};
use runtime::aws::{https_client, in_function};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

static CLOUD: OnceLock<Aws> = OnceLock::new();

/// Each service by itself meets them: refusals, resets, answers that break off, and delays.
const FAULTS: [(Fault, u32); 5] = [
    (Fault::Refuse("ThrottlingException", 429), 7),
    (Fault::Refuse("ServiceUnavailable", 503), 9),
    (Fault::Reset, 11),
    (Fault::Cut, 6),
    (Fault::Late(Duration::from_millis(30)), 5),
];
const SERVICES: [&str; 5] = ["sqs", "sns", "dynamodb", "s3", "lambda"];

pub fn cloud() -> &'static Aws {
    CLOUD.get_or_init(|| {
        let aws = Aws::start(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("aws")).unwrap();
        aws.spoil(&SERVICES.iter().flat_map(|service| faults(service)).collect::<Vec<_>>()).unwrap();
        aws
    })
}

/// All of them, for one service.
pub fn faults(service: &'static str) -> Vec<Rule> {
    FAULTS.iter().map(|(fault, one_in)| Rule { service, fault: *fault, one_in: *one_in }).collect()
}

/// How often each kind of fault struck `service`.
pub fn struck(service: &str) -> Vec<u64> {
    let place = SERVICES.iter().position(|known| *known == service).unwrap();
    cloud().struck().unwrap()[place * FAULTS.len()..][..FAULTS.len()].to_vec()
}

/// For the test itself: no faults.
pub fn sdk() -> SdkConfig {
    in_function("us-east-1", Some(&cloud().endpoint()), https_client(), Duration::from_secs(30))
}
