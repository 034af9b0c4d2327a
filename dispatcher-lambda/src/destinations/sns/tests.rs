//! What the configuration refuses, and what SNS says of each entry.

use super::{SnsDestination, SnsRaw, read};
use crate::aws::Aws;
use crate::destinations::Outcome;
use crate::destinations::requests::Request;
use aws_sdk_sns::operation::publish_batch::PublishBatchOutput;
use aws_sdk_sns::types::{BatchResultErrorEntry, PublishBatchResultEntry};
use domain::failure::FailureClass::{TooLarge, Transient};
use runtime::config::Settings;

fn build(arn: &str) -> Result<SnsDestination, String> {
    let raw = SnsRaw { topic_arn: arn.into(), ..SnsRaw::default() };
    let built = SnsDestination::build("destinations.a.sns", &raw, &Aws::default(), &Settings::of(&raw));
    built.map_err(|error| error.to_string())
}

#[test]
fn a_topic_is_known_by_its_arn() {
    assert!(!build("arn:aws:sns:sa-east-1:000000000000:events").unwrap().service().room().one_of_a_group);
    assert!(build("arn:aws:sns:sa-east-1:000000000000:events.fifo").unwrap().service().room().one_of_a_group);
    for arn in ["", "events", "arn:aws:sqs:sa-east-1:000000000000:events", "arn:aws:sns:sa-east-1:000000000000:a:b"] {
        let refused = build(arn).err().unwrap();
        assert!(refused.starts_with("destinations.a.sns.topic_arn is "), "{refused}");
    }
}

#[test]
fn each_entry_has_its_own_class() {
    let failed = BatchResultErrorEntry::builder().id("0").code("InvalidParameter").sender_fault(true);
    let answer = PublishBatchOutput::builder()
        .successful(PublishBatchResultEntry::builder().id("1").build())
        .failed(failed.message("Invalid parameter: Message too long").build().unwrap())
        .build();
    let Outcome::Partial(failed) = read(3, &answer) else { panic!("a part") };
    let classes: Vec<_> = failed.iter().map(|(index, failure)| (*index, failure.class)).collect();
    assert_eq!(classes, [(0, TooLarge), (2, Transient)]);
}
