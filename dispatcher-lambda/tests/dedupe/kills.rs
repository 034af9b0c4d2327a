//! The process is killed at each point of a batch, and another one gets the same batch: nothing is lost, and what comes twice is known.

use crate::killer::{Killer, Moment, swallow_first_answer};
use crate::requests::{event, judged};
use crate::runtime_api::{RuntimeApi, Told, bootstrap};
use crate::stores;
use domain::contract::{BatchHead, Judgement, OpenBatch, Push};
use domain::offset::Offset;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const EVENTS: usize = 20;
/// A function that was killed has lost its claims after this.
const CLAIM: &str = "claim = \"300ms\"\n";
const STRATEGIES: [&str; 2] = ["event-id", "offsets"];

fn batch() -> OpenBatch {
    let (group, topic, log) = ("cg".into(), "mt-c300".into(), Some("topic-1".into()));
    let head = BatchHead { group, topic, partition: 3, lane: 0, lanes: 1, epoch: 0, log, since: Some(Offset(100)) };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for n in 0..EVENTS {
        let value = event(&format!("BR{n:05}"), 1);
        let offset = Offset(100 + i64::try_from(n).unwrap());
        assert_eq!(batch.push(offset, 1_763_701_200_123, value.as_bytes()), Push::Taken);
    }
    batch
}

/// `[dedupe]` of this strategy in each store.
async fn settings(name: &str, strategy: &str) -> Vec<String> {
    let dedupe = format!("[dedupe]\nstrategy = \"{strategy}\"\n{CLAIM}");
    let name = format!("{name}-{strategy}");
    vec![dedupe.clone() + &stores::in_redis(&name), dedupe + &stores::in_dynamodb(&name).await]
}

fn collector(killer: &Killer) -> String {
    format!("[destinations.collector.http]\nurl = \"{}\"\n", killer.url)
}

/// A process that is killed as soon as `moment` has come.
async fn killed(config: &str, moment: impl Future<Output = ()>) {
    let mut api = RuntimeApi::start().await;
    let mut child = bootstrap(&api.address, &[("COMBOIO_CONFIG", config)]);
    assert_eq!(api.told().await, Told::Next);
    api.invoke(batch().request(1, None));
    tokio::time::timeout(Duration::from_secs(20), moment).await.expect("the moment did not come");
    child.kill().await.unwrap();
}

/// The next process gets the batch as a consumer brings it: until nothing must come again.
async fn finished(config: &str) -> Judgement {
    let mut api = RuntimeApi::start().await;
    let _child = bootstrap(&api.address, &[("COMBOIO_CONFIG", config)]);
    assert_eq!(api.told().await, Told::Next);
    let (batch, until) = (batch(), Instant::now() + Duration::from_secs(30));
    let mut paces = tokio::time::interval(Duration::from_millis(50));
    for attempt in 2.. {
        paces.tick().await;
        api.invoke(batch.request(attempt, None));
        let Told::Response(body) = api.told().await else { panic!("a response") };
        assert_eq!(api.told().await, Told::Next);
        let judgement = judged(&batch, &serde_json::from_str(&body).unwrap());
        assert!(judgement.rejected.is_empty(), "{:?}", judgement.rejected);
        if judgement.retry.is_empty() {
            return judgement;
        }
        assert!(judgement.retry.iter().all(|listed| listed.reason == "claimed"), "{:?}", judgement.retry);
        assert!(Instant::now() < until, "the claims do not expire");
    }
    unreachable!()
}

/// How often each event is there, from least to most.
fn times(lines: &[String]) -> (usize, usize) {
    let mut times: BTreeMap<&String, usize> = BTreeMap::new();
    lines.iter().for_each(|line| *times.entry(line).or_default() += 1);
    let least = if times.len() < EVENTS { 0 } else { times.values().copied().min().unwrap_or(0) };
    (least, times.values().copied().max().unwrap_or(0))
}

#[tokio::test]
async fn killed_before_the_delivery_everything_is_delivered_once() {
    for strategy in STRATEGIES {
        for dedupe in settings("before", strategy).await {
            let mut killer = Killer::start(Moment::BeforeDelivery).await;
            let config = dedupe + &collector(&killer);
            killed(&config, killer.hit()).await;
            let judgement = finished(&config).await;
            assert_eq!((judgement.delivered, times(&killer.lines())), (EVENTS as u64, (1, 1)), "{config}");
        }
    }
}

#[tokio::test]
async fn killed_after_the_delivery_one_batch_comes_twice_and_nothing_is_lost() {
    for strategy in STRATEGIES {
        for dedupe in settings("after", strategy).await {
            let mut killer = Killer::start(Moment::AfterDelivery).await;
            let config = dedupe + &collector(&killer);
            killed(&config, killer.hit()).await;
            assert_eq!(times(&killer.lines()), (1, 1), "it was delivered");
            finished(&config).await;
            assert_eq!(times(&killer.lines()), (2, 2), "{config}");
        }
    }
}

#[tokio::test]
async fn killed_before_its_answer_was_heard_nothing_comes_twice() {
    for strategy in STRATEGIES {
        for dedupe in settings("answer", strategy).await {
            let killer = Killer::start(Moment::Never).await;
            let config = dedupe + &collector(&killer);
            let mut api = RuntimeApi::start().await;
            let mut child = bootstrap(&api.address, &[("COMBOIO_CONFIG", &config)]);
            assert_eq!(api.told().await, Told::Next);
            api.invoke(batch().request(1, None));
            assert!(matches!(api.told().await, Told::Response(_)));
            child.kill().await.unwrap();
            let judgement = finished(&config).await;
            assert_eq!((judgement.duplicates, times(&killer.lines())), (EVENTS as u64, (1, 1)), "{config}");
        }
    }
}

/// A FIFO queue takes an event once, whoever brings it: with the claims nothing at all comes twice.
#[tokio::test]
async fn killed_after_the_delivery_to_a_fifo_queue_nothing_comes_twice() {
    let sqs = aws_sdk_sqs::Client::new(&stores::sdk());
    for (n, dedupe) in settings("fifo", "event-id").await.into_iter().enumerate() {
        let queue = sqs.create_queue().queue_name(format!("killed-{n}.fifo"));
        let queue = queue.attributes(aws_sdk_sqs::types::QueueAttributeName::FifoQueue, "true").send().await.unwrap();
        let url = queue.queue_url.unwrap();
        let target = stores::aws().endpoint().trim_start_matches("http://").parse().unwrap();
        let (front, mut hits) = swallow_first_answer(target).await;
        let config = format!(
            "{dedupe}[destinations.queue.sqs]\nqueue_url = \"{url}\"\nendpoint_url = \"http://{front}\"\nregion = \"us-east-1\"\nrequests = 1\n"
        );
        killed(&config, async { hits.recv().await.unwrap() }).await;
        finished(&config).await;
        let mut lines = Vec::new();
        loop {
            let some = sqs.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap();
            if some.messages().is_empty() {
                break;
            }
            for message in some.messages() {
                lines.push(message.body().unwrap().to_owned());
                let handle = message.receipt_handle().unwrap();
                sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
            }
        }
        assert_eq!((lines.len(), times(&lines)), (EVENTS, (1, 1)), "{config}");
    }
}
