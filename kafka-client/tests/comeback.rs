//! A client that was told of no broker comes back; Kafka is played by a few lines, so that the answer comes when it should.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kafka_client::context::ObservedContext;
use kafka_client::settings::{ClientSettings, Kafka, KafkaRaw};
use rdkafka::consumer::{BaseConsumer, Consumer};
use runtime::config::Settings;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const API_VERSIONS: i16 = 18;
const METADATA: i16 = 3;
const UNSUPPORTED_VERSION: i16 = 35;
/// So many topics keep librdkafka busy with the answer until the thread of the broker that is not in it has ended.
const TOPICS: i32 = 50_000;

/// A broker that knows which brokers there are, and nothing else.
struct Played {
    address: SocketAddr,
    /// It is out of service, as all are, and so in no answer.
    fenced: Arc<AtomicBool>,
}

impl Played {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, fenced) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let is_fenced = fenced.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let is_fenced = is_fenced.clone();
                std::thread::spawn(move || serve(stream.unwrap(), address, &is_fenced));
            }
        });
        Self { address, fenced }
    }

    fn settings(&self) -> ClientSettings {
        let raw = KafkaRaw { bootstrap_servers: vec![self.address.to_string()], ..KafkaRaw::default() };
        Kafka::validate(&Settings::of(&raw), &raw).unwrap().admin()
    }
}

/// Until the client hangs up.
fn serve(mut stream: TcpStream, address: SocketAddr, fenced: &AtomicBool) -> Option<()> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut request).ok()?;
        let number = |at: usize| i16::from_be_bytes([request[at], request[at + 1]]);
        let mut answer = request[4..8].to_vec();
        match (number(0), number(2)) {
            (API_VERSIONS, version) => api_versions(&mut answer, version),
            (METADATA, _) => metadata(&mut answer, address, fenced.load(Ordering::SeqCst)),
            other => panic!("{other:?} was never offered"),
        }
        stream.write_all(&i32::try_from(answer.len()).unwrap().to_be_bytes()).ok()?;
        stream.write_all(&answer).ok()?;
    }
}

fn api_versions(answer: &mut Vec<u8>, version: i16) {
    let error = if version > 0 { UNSUPPORTED_VERSION } else { 0 };
    answer.extend(error.to_be_bytes());
    answer.extend(2_i32.to_be_bytes());
    // The oldest and the newest version of each.
    [API_VERSIONS, 0, 0, METADATA, 1, 1].iter().for_each(|number| answer.extend(number.to_be_bytes()));
}

fn metadata(answer: &mut Vec<u8>, address: SocketAddr, fenced: bool) {
    let text = |answer: &mut Vec<u8>, text: &str| {
        answer.extend(i16::try_from(text.len()).unwrap().to_be_bytes());
        answer.extend(text.as_bytes());
    };
    answer.extend(i32::from(!fenced).to_be_bytes());
    if !fenced {
        answer.extend(1_i32.to_be_bytes());
        text(answer, &address.ip().to_string());
        answer.extend(i32::from(address.port()).to_be_bytes());
        // No rack.
        answer.extend((-1_i16).to_be_bytes());
    }
    // The controller.
    answer.extend((-1_i32).to_be_bytes());
    answer.extend(TOPICS.to_be_bytes());
    for topic in 0..TOPICS {
        // No error, not internal, no partitions.
        answer.extend(0_i16.to_be_bytes());
        // librdkafka reserves room by the length of the answer: short names would not fit.
        text(answer, &format!("{topic:0>100}"));
        answer.extend([0; 5]);
    }
}

#[test]
fn a_client_that_was_told_of_no_broker_comes_back() {
    let kafka = Played::start();
    let (settings, context) = (kafka.settings(), ObservedContext::default());
    let observer = context.0.clone();
    let client: BaseConsumer<ObservedContext> = settings.create_with_context(context).unwrap();
    let mut now = Duration::ZERO;
    let mut wait_for = |brokers: usize| {
        let until = Instant::now() + Duration::from_secs(20);
        let mut last = None;
        while last != Some(Ok(brokers)) {
            assert!(Instant::now() < until, "{last:?} and not {brokers} brokers");
            let _ = client.poll(Duration::from_millis(20));
            now += Duration::from_secs(60);
            observer.lead_back(client.client(), &settings, now);
            last = Some(client.fetch_metadata(None, Duration::from_secs(1)).map(|known| known.brokers().len()));
        }
    };
    for _ in 0..3 {
        wait_for(1);
        kafka.fenced.store(true, Ordering::SeqCst);
        wait_for(0);
        kafka.fenced.store(false, Ordering::SeqCst);
    }
    wait_for(1);
}
