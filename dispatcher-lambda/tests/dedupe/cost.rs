//! What each strategy writes for 1,000 events: `cargo test --workspace --test dedupe cost -- --nocapture` prints the figures of the document.

use crate::requests::{event, judged};
use crate::stores;
use dispatcher_lambda::config::Config;
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dispatcher::Dispatcher;
use domain::contract::{BatchHead, OpenBatch, Push};
use domain::offset::Offset;
use localenv::redis::Redis;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const BATCH: i64 = 500;
const BATCHES: i64 = 4;

async fn bring(dispatcher: &Dispatcher, first: i64) {
    let (group, topic, log) = ("cg".into(), "mt-c300".into(), Some("topic-1".into()));
    let head = BatchHead { group, topic, partition: 3, lane: 0, lanes: 1, epoch: 0, log, since: Some(Offset(0)) };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for offset in first..first + BATCH {
        let value = event(&format!("BR{:05}", offset % 200), offset.unsigned_abs() + 1);
        assert_eq!(batch.push(Offset(offset), 1_763_701_200_123, value.as_bytes()), Push::Taken);
    }
    let response =
        dispatcher.dispatch(&batch.request(1, None), Deadline::after(Duration::from_secs(60))).await.unwrap();
    assert_eq!(judged(&batch, &response).delivered, BATCH.unsigned_abs());
}

async fn bring_all(dedupe: &str) {
    let text = format!("[order]\nkey = \"truck-id\"\n{dedupe}[destinations.out.file]\npath = \"/dev/null\"\n");
    let config = Config::from_variables([("COMBOIO_CONFIG".to_owned(), text)].into_iter()).unwrap();
    let dispatcher = Dispatcher::new(config);
    for batch in 0..BATCHES {
        bring(&dispatcher, batch * BATCH).await;
    }
}

fn in_redis(redis: &Redis) -> String {
    format!("[dedupe.redis]\nurl = \"{}\"\n", redis.url())
}

fn for_a_thousand(writes: u64) -> f64 {
    writes as f64 * 1_000.0 / (BATCH * BATCHES) as f64
}

#[tokio::test]
async fn what_each_strategy_writes_for_a_thousand_events() {
    let (front, seen) = counting(stores::aws().endpoint().trim_start_matches("http://").parse().unwrap()).await;
    let (folder, mut writes) = (tempfile::tempdir().unwrap(), BTreeMap::new());
    for strategy in ["event-id", "offsets"] {
        let table = format!("cost-{strategy}");
        stores::table(&table).await;
        seen.lock().unwrap().clear();
        bring_all(&format!(
            "[dedupe]\nstrategy = \"{strategy}\"\n[dedupe.dynamodb]\ntable = \"{table}\"\nendpoint_url = \"http://{front}\"\ntimeout = \"20s\"\n"
        ))
        .await;
        let seen = String::from_utf8_lossy(&seen.lock().unwrap()).into_owned();
        let count = |word: &str| seen.matches(word).count() as u64;
        let (puts, items, reads) = (count("DynamoDB_20120810.PutItem"), count("\"PutRequest\""), count(".GetItem"));
        println!(
            "dynamodb {strategy}: {:.0} writes and {:.0} reads for 1,000 events in batches of {BATCH}",
            for_a_thousand(puts + items),
            for_a_thousand(reads)
        );
        writes.insert(("dynamodb", strategy), for_a_thousand(puts + items));

        let redis = Redis::start(&folder.path().join(strategy)).unwrap();
        bring_all(&format!("[dedupe]\nstrategy = \"{strategy}\"\n{}", in_redis(&redis))).await;
        let by_redis = for_a_thousand(redis_writes(&redis));
        println!("redis {strategy}: {by_redis:.0} writes for 1,000 events in batches of {BATCH}");
        writes.insert(("redis", strategy), by_redis);
    }
    // A claim and what is remembered for each event, and one write for each batch.
    let wanted = [
        ("dynamodb", "event-id", 2_000.0),
        ("redis", "event-id", 2_000.0),
        ("dynamodb", "offsets", 2.0),
        ("redis", "offsets", 2.0),
    ];
    for (store, strategy, most) in wanted {
        assert!(writes[&(store, strategy)] <= most, "{store} {strategy}: {writes:?}");
    }
}

/// Everything that is sent to `target` through the address that comes back.
async fn counting(target: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let all = seen.clone();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let (mut from, mut back) = near.into_split();
            let (mut answers, mut to) = tokio::net::TcpStream::connect(target).await.unwrap().into_split();
            let seen = all.clone();
            tokio::spawn(async move {
                let mut part = vec![0; 65_536];
                while let Ok(count @ 1..) = from.read(&mut part).await {
                    seen.lock().unwrap().extend_from_slice(&part[..count]);
                    to.write_all(&part[..count]).await.unwrap();
                }
            });
            tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
        }
    });
    (address, seen)
}

/// What Redis has set and deleted since it started.
fn redis_writes(redis: &Redis) -> u64 {
    let mut stream = TcpStream::connect(redis.address()).unwrap();
    stream.write_all(b"INFO commandstats\r\nQUIT\r\n").unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    let of = |command: &str| {
        let line = told.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:calls=")));
        line.and_then(|line| line.split(['=', ',']).nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    of("set") + of("del")
}
