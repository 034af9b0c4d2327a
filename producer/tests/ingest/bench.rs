//! A server in this process, and the flow's end of it in the test's hands.

use crate::client::{Client, Reply};
use crate::{event, lines};
use producer::doors::{All, Closed, Doors, UntilDrain};
use producer::ingest::{Desk, DeskParts, IngestConfig, IngestRaw, Server};
use producer::limit::{Admission, LimitControl};
use producer::metrics::IngestMetrics;
use producer::parcel::{Allowance, Parcel, Parcels};
use producer::ticket::{Fate, Tickets};
use runtime::clock;
use runtime::config::Settings;
use runtime::metrics::{Counter, Metrics, MetricsConfig};
use runtime::shutdown::Shutdown;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// For anything that comes at once on a machine that does nothing else.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A door in the test's hand.
#[derive(Clone, Default)]
pub struct Hand(pub Arc<Mutex<Option<Closed>>>);

impl Doors for Hand {
    fn open(&self) -> Result<(), Closed> {
        self.0.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn stalled(&self) -> Option<String> {
        self.0.lock().unwrap().clone().map(|closed| closed.reason)
    }
}

/// A server, and the flow's end of it.
pub struct Bench {
    pub server: Option<Server>,
    pub parcels: Parcels,
    pub tickets: Tickets,
    pub allowance: Arc<Allowance>,
    pub limits: LimitControl,
    pub metrics: IngestMetrics,
    pub bad_lines: Counter,
    pub hand: Hand,
    pub shutdown: Shutdown,
}

impl Bench {
    pub fn new(change: impl FnOnce(&mut IngestRaw)) -> Self {
        let mut raw = IngestRaw { listen: "127.0.0.1:0".into(), ..IngestRaw::default() };
        change(&mut raw);
        let settings = Settings::of(&serde_json::json!({ "ingest": raw }));
        let config = IngestConfig::validate(&settings, &raw).unwrap();
        let (parcels, tickets, limits) = (Parcels::default(), Tickets::default(), LimitControl::default());
        let (hand, shutdown, bad_lines) = (Hand::default(), Shutdown::new(), Counter::default());
        let allowance = Allowance::new(config.queue_events, config.queue_bytes);
        let all = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        let metrics = IngestMetrics::new(&all, bad_lines.clone());
        let parts = DeskParts {
            parcels: parcels.clone(),
            allowance: allowance.clone(),
            tickets: tickets.clone(),
            doors: Box::new(All(vec![Box::new(UntilDrain(shutdown.clone())), Box::new(hand.clone())])),
            admission: Admission::new(limits.clone(), clock::system()),
            clock: clock::system(),
            metrics: metrics.clone(),
            shutdown: shutdown.clone(),
        };
        let server = Some(Server::start(&config, Desk::new(&config, parts)).unwrap());
        Self { server, parcels, tickets, allowance, limits, metrics, bad_lines, hand, shutdown }
    }

    pub fn client(&self) -> Client<TcpStream> {
        Client::to(self.server.as_ref().unwrap().local_addr())
    }

    /// Sends, and lets every event of it meet its fate.
    pub fn post(&self, body: &str, fate: Fate) -> Reply {
        let mut client = self.client();
        client.begin("POST", "/v1/events", body.len());
        client.send(body);
        self.settle(self.parcel(), fate);
        client.reply("post", "/v1/events")
    }

    pub fn parcel(&self) -> Parcel {
        self.parcels.wait(DEADLINE);
        self.parcels.pop().expect("a parcel")
    }

    pub fn settle(&self, parcel: Parcel, fate: Fate) {
        parcel.events.iter().for_each(|_| self.tickets.settle(parcel.ticket, fate));
    }
}

/// Waits until it holds.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "{what} never came");
        std::thread::yield_now();
    }
}

/// `count` events of one truck.
pub fn events(count: u64) -> String {
    lines(&(1..=count).map(|seq| event("BR1", 400, seq)).collect::<Vec<_>>())
}
