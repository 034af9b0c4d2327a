//! What the configuration refuses, and what SQS says of each entry.

use super::{SqsDestination, SqsRaw, read};
use crate::aws::Aws;
use crate::destinations::requests::Request;
use crate::destinations::{Destination, Outcome};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchResultEntry};
use domain::failure::FailureClass::{Ours, Rejected, TooLarge, Transient};
use runtime::config::{Settings, Size};

fn raw(url: &str) -> SqsRaw {
    SqsRaw { queue_url: url.into(), ..SqsRaw::default() }
}

fn build(raw: &SqsRaw) -> Result<SqsDestination, String> {
    let built = SqsDestination::build("destinations.a.sqs", raw, &Aws::default(), &Settings::of(raw));
    built.map_err(|error| error.to_string())
}

const URL: &str = "https://sqs.sa-east-1.amazonaws.com/000000000000/events";

#[test]
fn a_fifo_queue_is_known_by_its_name() {
    let plain = build(&raw(URL)).unwrap();
    let room = plain.service().room();
    assert_eq!((room.entries, room.bytes, room.one_of_a_group), (10, 262_144, false));
    assert_eq!(plain.limits().records, 500);
    assert!(build(&raw(&format!("{URL}.fifo"))).unwrap().service().room().one_of_a_group);
}

#[test]
fn every_mistake_names_its_setting() {
    for url in ["", "events", "https://sqs.sa-east-1.amazonaws.com/events", "ftp://x/1/q", "http://x/1/two words"] {
        let refused = build(&raw(url)).err().unwrap();
        assert!(refused.starts_with("destinations.a.sqs.queue_url is "), "{refused}");
    }
    let large = SqsRaw { request_bytes: Size::from_mib(2), ..raw(URL) };
    assert!(build(&large).err().unwrap().starts_with("destinations.a.sqs.request_bytes is "));
    let idle = SqsRaw { requests: 0, ..raw(URL) };
    assert!(build(&idle).err().unwrap().starts_with("destinations.a.sqs.requests is "));
    let nowhere = SqsRaw { endpoint_url: "here".into(), ..raw(URL) };
    assert!(build(&nowhere).err().unwrap().starts_with("destinations.a.sqs.endpoint_url is "));
    let mut never = raw(URL);
    never.batch.records = 0;
    assert!(build(&never).err().unwrap().starts_with("destinations.a.sqs.batch.records is "));
}

fn refused(id: &str, code: &str, message: &str, sender_fault: bool) -> BatchResultErrorEntry {
    BatchResultErrorEntry::builder().id(id).code(code).message(message).sender_fault(sender_fault).build().unwrap()
}

#[test]
fn each_entry_has_its_own_class() {
    let held = SendMessageBatchResultEntry::builder().id("1").message_id("m").md5_of_message_body("x").build().unwrap();
    let answer = SendMessageBatchOutput::builder()
        .successful(held)
        .failed(refused("0", "InvalidMessageContents", "Invalid characters", true))
        .failed(refused("2", "InvalidParameterValue", "Message must be shorter than 9 bytes.", true))
        .failed(refused("3", "InternalError", "", false))
        .failed(refused("4", "NobodyKnows", "", true))
        .build()
        .unwrap();
    let Outcome::Partial(failed) = read(6, &answer) else { panic!("a part") };
    let classes: Vec<_> = failed.iter().map(|(index, failure)| (*index, failure.class)).collect();
    assert_eq!(classes, [(0, Rejected), (2, TooLarge), (3, Transient), (4, Ours), (5, Transient)]);
    assert_eq!(failed[0].1.detail, "InvalidMessageContents: Invalid characters");
}
