//! SQS and SNS, standard and FIFO.

use crate::cloud::{cloud, sdk};
use crate::convoy::{DELIVER, bring, dispatcher, events};
use crate::held::bring_through_faults;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};

fn sqs_client() -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&sdk())
}

async fn queue(name: &str) -> String {
    let request = sqs_client().create_queue().queue_name(name);
    let request = request.attributes(QueueAttributeName::VisibilityTimeout, "600");
    let request =
        if name.ends_with(".fifo") { request.attributes(QueueAttributeName::FifoQueue, "true") } else { request };
    request.send().await.unwrap().queue_url.unwrap()
}

/// Takes everything out, in the order in which it comes.
async fn drain(url: &str) -> Vec<String> {
    let (client, mut held) = (sqs_client(), Vec::new());
    loop {
        let answer = client.receive_message().queue_url(url).max_number_of_messages(10).send().await.unwrap();
        let messages = answer.messages();
        if messages.is_empty() {
            return held;
        }
        held.extend(messages.iter().map(|message| message.body().unwrap().to_owned()));
        let entries = messages.iter().enumerate().map(|(index, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(message.receipt_handle().unwrap()).build().unwrap()
        });
        client.delete_message_batch().queue_url(url).set_entries(Some(entries.collect())).send().await.unwrap();
    }
}

fn sqs(url: &str) -> String {
    let endpoint = cloud().faulty_endpoint();
    format!("[destinations.queue.sqs]\nqueue_url = \"{url}\"\nendpoint_url = \"{endpoint}\"\nbatch.timeout = \"2s\"\n")
}

fn sns(arn: &str) -> String {
    let endpoint = cloud().faulty_endpoint();
    format!("[destinations.topic.sns]\ntopic_arn = \"{arn}\"\nendpoint_url = \"{endpoint}\"\nbatch.timeout = \"2s\"\n")
}

/// A topic with one queue behind it.
async fn topic(name: &str, queue: &str) -> String {
    let client = aws_sdk_sns::Client::new(&sdk());
    let request = client.create_topic().name(name);
    let request = if name.ends_with(".fifo") { request.attributes("FifoTopic", "true") } else { request };
    let arn = request.send().await.unwrap().topic_arn.unwrap();
    let attributes = sqs_client().get_queue_attributes().queue_url(queue).attribute_names(QueueAttributeName::QueueArn);
    let attributes = attributes.send().await.unwrap().attributes.unwrap();
    let subscribe =
        client.subscribe().topic_arn(&arn).protocol("sqs").endpoint(&attributes[&QueueAttributeName::QueueArn]);
    subscribe.attributes("RawMessageDelivery", "true").send().await.unwrap();
    arn
}

#[tokio::test]
async fn a_standard_queue_holds_everything() {
    let url = queue("standard").await;
    let brought = bring_through_faults("sqs", &sqs(&url)).await;
    brought.is_held_by(&drain(&url).await);
}

#[tokio::test]
async fn a_fifo_queue_holds_everything_once_and_in_order() {
    let url = queue("ordered.fifo").await;
    let brought = bring_through_faults("sqs", &sqs(&url)).await;
    let held = drain(&url).await;
    brought.is_held_by(&held);
    brought.is_in_order_and_once(&held);
}

#[tokio::test]
async fn a_standard_topic_passes_everything_on() {
    let url = queue("behind-topic").await;
    let brought = bring_through_faults("sns", &sns(&topic("topic", &url).await)).await;
    brought.is_held_by(&drain(&url).await);
}

#[tokio::test]
async fn a_fifo_topic_passes_everything_on_once_and_in_order() {
    let url = queue("behind-topic.fifo").await;
    let brought = bring_through_faults("sns", &sns(&topic("topic.fifo", &url).await)).await;
    let held = drain(&url).await;
    brought.is_held_by(&held);
    brought.is_in_order_and_once(&held);
}

#[tokio::test]
async fn only_the_message_with_letters_that_sqs_refuses_is_rejected() {
    let url = queue("letters.fifo").await;
    let mut values = events("letters", 30);
    values[7] = values[7].replace("\"v\":1", "\"v\":1,\"note\":\"\u{fffe}\"");
    let records: Vec<(i64, &str)> = (100..).zip(values.iter().map(String::as_str)).collect();
    let destination = sqs(&url).replace(&cloud().faulty_endpoint(), &cloud().endpoint());
    let judgement = bring(&dispatcher(&format!("{destination}{DELIVER}")), &records, 1).await;
    assert_eq!((judgement.delivered, judgement.rejected.len()), (29, 1));
    assert_eq!((judgement.rejected[0].offset.0, judgement.rejected[0].reason.as_str()), (107, "rejected"));
    assert!(judgement.rejected[0].detail.contains("InvalidMessageContents"), "{}", judgement.rejected[0].detail);
    let held = drain(&url).await;
    values.remove(7);
    assert_eq!(held.len(), 29);
    assert!(values.iter().all(|value| held.contains(value)));
}
