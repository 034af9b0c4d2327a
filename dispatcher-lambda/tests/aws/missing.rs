//! What is missing is our own mistake: nothing is rejected for it, and the verdict says what is missing.

use crate::cloud::cloud;
use crate::convoy::{DELIVER, bring, dispatcher, events};

#[tokio::test]
async fn what_is_missing_rejects_nothing_and_is_said() {
    let endpoint = cloud().endpoint();
    let queue = format!("{endpoint}/000000000000/nobody");
    let cases = [
        ("sqs", format!("queue_url = \"{queue}\"\n"), "NonExistentQueue"),
        ("sns", "topic_arn = \"arn:aws:sns:us-east-1:000000000000:nobody\"\n".to_owned(), "NotFound"),
        ("dynamodb", "table = \"nobody\"\n".to_owned(), "ResourceNotFoundException"),
        (
            "dynamodb",
            "table = \"nobody\"\nmode = \"last-state\"\nkey = \"truck_id\"\n".to_owned(),
            "ResourceNotFoundException",
        ),
        ("s3", "bucket = \"nobody\"\n".to_owned(), "NoSuchBucket"),
        ("lambda", "function = \"nobody\"\n".to_owned(), "ResourceNotFoundException"),
    ];
    let values = events("missing", 30);
    let records: Vec<(i64, &str)> = (0..).zip(values.iter().map(String::as_str)).collect();
    for (kind, settings, word) in cases {
        let toml = format!("[destinations.away.{kind}]\nendpoint_url = \"{endpoint}\"\n{settings}{DELIVER}");
        let judgement = bring(&dispatcher(&toml), &records, 1).await;
        assert_eq!((judgement.delivered, judgement.retry.len()), (0, 30), "{kind}");
        for listed in &judgement.retry {
            assert_eq!(listed.reason, "ours", "{kind}: {}", listed.detail);
            assert!(
                listed.detail.starts_with("away: HTTP 4") && listed.detail.contains(word),
                "{kind}: {}",
                listed.detail
            );
        }
    }
}
