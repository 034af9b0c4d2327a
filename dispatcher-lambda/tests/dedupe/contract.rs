//! The same suite for every store: claims, claims that expire, what is remembered, and fences.

use crate::stores;
use dispatcher_lambda::aws::Aws;
use dispatcher_lambda::dedupe::{
    Claim, Claimant, DynamoDbStore, DynamoDbStoreRaw, FenceStore, MemoryStore, RedisStore, RedisStoreRaw, SeenStore,
};
use runtime::config::{Secret, Settings, Span};
use std::time::{Duration, Instant};

const ONE: Claimant = Claimant(1);
const TWO: Claimant = Claimant(2);
const LONG: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn redis(prefix: &str) -> RedisStore {
    let raw = RedisStoreRaw {
        url: Secret::new(stores::redis().url()),
        prefix: prefix.to_owned(),
        timeout: Span::from_secs(5),
    };
    RedisStore::build(&raw, DAY, &Settings::of(&raw)).unwrap()
}

async fn dynamodb(table: &str) -> DynamoDbStore {
    stores::table(table).await;
    let raw = DynamoDbStoreRaw {
        table: table.to_owned(),
        endpoint_url: stores::aws().endpoint(),
        timeout: Span::from_secs(20),
        ..DynamoDbStoreRaw::default()
    };
    DynamoDbStore::build(&raw, DAY, &Aws::default(), &Settings::of(&raw)).unwrap()
}

async fn claim(store: &impl SeenStore, id: &str, by: Claimant, span: Duration) -> Claim {
    store.claim(&[id], by, span).await.unwrap()[0]
}

async fn remembers(store: &impl SeenStore) {
    assert_eq!(store.claim(&[], ONE, LONG).await.unwrap(), []);
    assert_eq!(store.claim(&["a", "b", "c"], ONE, LONG).await.unwrap(), [Claim::Fresh; 3]);
    assert_eq!(claim(store, "a", ONE, LONG).await, Claim::Fresh, "ours already");
    assert_eq!(claim(store, "a", TWO, LONG).await, Claim::Taken);
    store.settle(&[], &["b"], TWO).await.unwrap();
    assert_eq!(claim(store, "b", TWO, LONG).await, Claim::Taken, "a stranger releases nothing");
    store.settle(&["a"], &["b"], ONE).await.unwrap();
    let answers = store.claim(&["a", "b", "c", "d"], TWO, LONG).await.unwrap();
    assert_eq!(answers, [Claim::Delivered, Claim::Fresh, Claim::Taken, Claim::Fresh]);
    store.settle(&[], &[], TWO).await.unwrap();
}

/// A claim whose process is gone ends by itself, and nobody waits longer than it was said to hold.
async fn lets_claims_expire(store: &impl SeenStore) {
    let span = Duration::from_millis(400);
    let (begun, mut looks) = (Instant::now(), tokio::time::interval(Duration::from_millis(20)));
    assert_eq!(claim(store, "e", ONE, span).await, Claim::Fresh);
    loop {
        looks.tick().await;
        let waited = begun.elapsed();
        match claim(store, "e", TWO, LONG).await {
            Claim::Taken => assert!(waited < LONG / 2, "it never expires"),
            Claim::Fresh => break assert!(begun.elapsed() >= span, "expired after {waited:?}"),
            Claim::Delivered => panic!("nobody delivered it"),
        }
    }
    // The first one comes back, and has lost it.
    store.settle(&[], &["e"], ONE).await.unwrap();
    assert_eq!(claim(store, "e", ONE, LONG).await, Claim::Taken);
}

async fn takes_a_batch(store: &impl SeenStore) {
    let ids: Vec<String> = (0..500).map(|n| format!("batch-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(store.claim(&ids, ONE, LONG).await.unwrap(), [Claim::Fresh; 500]);
    store.settle(&ids[..450], &ids[450..], ONE).await.unwrap();
    let again = store.claim(&ids, TWO, LONG).await.unwrap();
    assert_eq!(again.iter().filter(|claim| **claim == Claim::Delivered).count(), 450);
    assert!(again[450..].iter().all(|claim| *claim == Claim::Fresh));
}

async fn keeps_fences(store: &impl FenceStore) {
    assert_eq!(store.read("fence/t/0").await.unwrap(), None);
    assert!(store.swap("fence/t/0", None, Some("1")).await.unwrap());
    assert!(!store.swap("fence/t/0", None, Some("2")).await.unwrap(), "there is one by now");
    assert_eq!(store.read("fence/t/0").await.unwrap().as_deref(), Some("1"));
    assert!(!store.swap("fence/t/0", Some("0"), Some("2")).await.unwrap());
    assert!(store.swap("fence/t/0", Some("1"), Some("2")).await.unwrap());
    assert_eq!(store.read("fence/t/1").await.unwrap(), None);
    assert!(!store.swap("fence/t/0", Some("1"), None).await.unwrap());
    assert!(store.swap("fence/t/0", Some("2"), None).await.unwrap());
    assert_eq!(store.read("fence/t/0").await.unwrap(), None);
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let store = MemoryStore::new(10_000);
    remembers(&store).await;
    lets_claims_expire(&store).await;
    takes_a_batch(&store).await;
    keeps_fences(&store).await;
}

#[tokio::test]
async fn redis_keeps_the_contract() {
    let store = redis("contract");
    remembers(&store).await;
    lets_claims_expire(&store).await;
    takes_a_batch(&store).await;
    keeps_fences(&store).await;
}

#[tokio::test]
async fn dynamodb_keeps_the_contract() {
    let store = dynamodb("contract").await;
    remembers(&store).await;
    lets_claims_expire(&store).await;
    takes_a_batch(&store).await;
    keeps_fences(&store).await;
}

/// Two instances race for the same events: each gets an event, or the other has it, never both.
#[tokio::test]
async fn of_two_instances_one_gets_each_event() {
    let table = dynamodb("race").await;
    let (one, two) = (redis("race"), redis("race"));
    let ids: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let races: [(&dyn SeenStore, &dyn SeenStore); 2] = [(&one, &two), (&table, &table)];
    for (left, right) in races {
        let (left, right) = tokio::join!(left.claim(&ids, ONE, LONG), right.claim(&ids, TWO, LONG));
        for (left, right) in left.unwrap().iter().zip(right.unwrap()) {
            assert!(matches!((left, right), (Claim::Fresh, Claim::Taken) | (Claim::Taken, Claim::Fresh)));
        }
    }
}

/// What is broken is said in one sentence, in time, and without the password.
#[tokio::test]
async fn a_store_that_is_away_says_so() {
    let raw = RedisStoreRaw {
        url: Secret::new("redis://user:hush@127.0.0.1:1/0"),
        prefix: "x".to_owned(),
        timeout: Span::from_secs(2),
    };
    let away = RedisStore::build(&raw, DAY, &Settings::of(&raw)).unwrap();
    let said = away.claim(&["a"], ONE, LONG).await.unwrap_err().to_string();
    assert!(said.starts_with("the dedupe store did not answer: Redis: ") && !said.contains("hush"), "{said}");

    let raw = DynamoDbStoreRaw {
        table: "nobody".to_owned(),
        endpoint_url: stores::aws().endpoint(),
        timeout: Span::from_secs(20),
        ..DynamoDbStoreRaw::default()
    };
    let missing = DynamoDbStore::build(&raw, DAY, &Aws::default(), &Settings::of(&raw)).unwrap();
    for said in [
        missing.claim(&["a"], ONE, LONG).await.unwrap_err().to_string(),
        missing.read("fence").await.unwrap_err().to_string(),
        missing.settle(&["a"], &[], ONE).await.unwrap_err().to_string(),
    ] {
        assert!(said.starts_with("the dedupe store did not answer: DynamoDB: HTTP 400 ResourceNotFound"), "{said}");
    }
}

/// The server was started anew while the instance slept: the next batch finds it.
#[tokio::test]
async fn a_connection_that_broke_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let first = localenv::redis::Redis::start(folder.path()).unwrap();
    let port = localenv::ports::reserve(1).unwrap().pop().unwrap();
    let raw = RedisStoreRaw {
        url: Secret::new(format!("redis://{}/0", port.address())),
        prefix: "x".to_owned(),
        timeout: Span::from_secs(5),
    };
    let store = RedisStore::build(&raw, DAY, &Settings::of(&raw)).unwrap();
    let target = first.address();
    let bridge = Bridge::open(port.address(), target).await;
    assert_eq!(claim(&store, "a", ONE, LONG).await, Claim::Fresh);
    bridge.cut().await;
    assert_eq!(claim(&store, "a", TWO, LONG).await, Claim::Taken);
}

/// Connections to a server that can be cut.
struct Bridge {
    listener: std::sync::Arc<tokio::net::TcpListener>,
    target: std::net::SocketAddr,
    open: tokio::task::JoinHandle<()>,
}

impl Bridge {
    async fn open(address: std::net::SocketAddr, target: std::net::SocketAddr) -> Self {
        let listener = std::sync::Arc::new(tokio::net::TcpListener::bind(address).await.unwrap());
        let open = tokio::spawn(Self::carry(listener.clone(), target));
        Self { listener, target, open }
    }

    /// Cuts what is open, and takes new connections.
    async fn cut(&self) {
        self.open.abort();
        while !self.open.is_finished() {
            tokio::task::yield_now().await;
        }
        tokio::spawn(Self::carry(self.listener.clone(), self.target));
    }

    async fn carry(listener: std::sync::Arc<tokio::net::TcpListener>, target: std::net::SocketAddr) {
        let mut carried = tokio::task::JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
            carried.spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    }
}
