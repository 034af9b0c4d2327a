//! The program with a receiver of OpenTelemetry beside it: its metrics and the span of a batch arrive, and the function is told that span.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "process/program.rs"]
mod program;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use domain::contract::{Request, Response};
use domain::verdict::Verdict;
use program::{Consumer, DEADLINE, broker};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use runtime::traces::Traceparent;
use tokio::net::TcpListener;
use tokio::sync::watch;

const TRACED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// What was posted to a server: path and body, in order.
type Posted = watch::Sender<Vec<(String, Bytes)>>;

/// It takes telemetry, and calls of the function, which delivers everything.
async fn server() -> (String, Posted) {
    let (listener, posted) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Posted::default());
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(posted.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (endpoint, posted)
}

async fn answer(State(posted): State<Posted>, uri: Uri, headers: HeaderMap, body: Bytes) -> (StatusCode, Vec<u8>) {
    if headers.get("x-amz-invocation-type").is_some_and(|kind| kind == "DryRun") {
        return (StatusCode::NO_CONTENT, Vec::new());
    }
    posted.send_modify(|all| all.push((uri.path().to_owned(), body.clone())));
    if uri.path().starts_with("/v1/") {
        return (StatusCode::OK, Vec::new());
    }
    let request = Request::decode(&body).unwrap();
    let verdicts = request.records().map(|record| (record.offset, Verdict::Delivered));
    (StatusCode::OK, serde_json::to_vec(&Response::from_verdicts(&request.batch_id, verdicts)).unwrap())
}

/// The body of the first post that holds all of this.
async fn arrives(posted: &Posted, path: &str, all: &[&[u8]]) -> Bytes {
    let found = |(to, body): &&(String, Bytes)| to.starts_with(path) && all.iter().all(|part| holds(body, part));
    let mut posts = posted.subscribe();
    let in_time = tokio::time::timeout(DEADLINE, posts.wait_for(|posts| posts.iter().any(|post| found(&post)))).await;
    assert!(in_time.is_ok(), "nothing arrives at {path}: {:?}", paths(posted));
    posted.borrow().iter().find(found).unwrap().1.clone()
}

fn paths(posted: &Posted) -> Vec<String> {
    posted.borrow().iter().map(|(path, _)| path.clone()).collect()
}

fn holds(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

fn produce(bootstrap: &str, traced: bool) {
    let producer: BaseProducer = rdkafka::ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap();
    let mut record = BaseRecord::<(), str>::to("t").payload("{}");
    if traced {
        record = record.headers(OwnedHeaders::new().insert(Header { key: "traceparent", value: Some(TRACED) }));
    }
    producer.send(record).unwrap();
    producer.flush(DEADLINE).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_the_span_of_a_batch_arrive_and_the_function_goes_on_with_that_span() {
    let (broker, (endpoint, posted)) = (broker(&["t", "t.dlq"]), server().await);
    let bootstrap = broker.bootstrap();
    let settings = [
        ("KAFKA__BOOTSTRAP_SERVERS", bootstrap.as_str()),
        ("CONSUMER__TOPICS", "t"),
        ("BATCH__AGE", "10ms"),
        ("FUNCTION__ENDPOINT_URL", &endpoint),
        ("FUNCTION__REGION", "eu-west-1"),
        ("METRICS__OTLP_ENDPOINT", &endpoint),
        ("METRICS__OTLP_INTERVAL", "100ms"),
        ("TRACES__OTLP_ENDPOINT", &endpoint),
        ("TRACES__SAMPLE_RATIO", "0"),
    ];
    let credentials = [("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let mut consumer = Consumer::start_with("run", &settings, &credentials);
    let told = |request: Bytes| -> Traceparent {
        Request::decode(&request).unwrap().traceparent.expect("a context").parse().unwrap()
    };
    produce(&bootstrap, false);
    let plain = told(arrives(&posted, "/2015-03-31/functions/dispatcher/", &[b"\"batch_id\":\"t/0/0-0\""]).await);
    produce(&bootstrap, true);
    let linking = told(arrives(&posted, "/2015-03-31/functions/dispatcher/", &[b"\"batch_id\":\"t/0/1-1\""]).await);
    assert_eq!((plain.sampled, linking.sampled), (false, true));
    arrives(&posted, "/v1/metrics", &[b"comboio_consumer_", b"comboio-consumer"]).await;

    let status = tokio::task::spawn_blocking(move || (consumer.process.stop(DEADLINE).unwrap(), consumer.said()));
    let (status, said) = status.await.unwrap();
    assert_eq!(status.code(), Some(0), "{said}");
    let record: Traceparent = TRACED.parse().unwrap();
    let parts = [record.trace_id.to_bytes(), linking.trace_id.to_bytes()];
    let (link, own) = (record.span_id.to_bytes(), linking.span_id.to_bytes());
    let words: [&[u8]; 4] = [b"process t", b"comboio-consumer", b"invoke", b"comboio.outcome"];
    let spans = arrives(&posted, "/v1/traces", &[&words[..], &[&parts[0], &parts[1], &link, &own]].concat()).await;
    assert!(!holds(&spans, &plain.span_id.to_bytes()), "no share of what is not traced was asked for");
}
