//! A sender as it should be: it sends its events in order, and a request again until it is answered with 202.

use crate::client::{Client, Reply};
use crate::stage::Record;
use crate::{event, lines};
use domain::event::EventId;
use domain::ledger::{Deliveries, LedgerKey};
use std::net::{SocketAddr, TcpStream};

const TRUCKS: u64 = 5;
const CODES: [u32; 2] = [300, 400];
/// Events of every key in a request.
const EACH: u64 = 10;
/// Events in a request.
pub const REQUEST: u64 = TRUCKS * CODES.len() as u64 * EACH;
/// Bytes that an event has beside its fields; a request has 288 KB.
const MORE: usize = 2_700;

pub struct Sender {
    client: Client<TcpStream>,
    accepted: u64,
}

impl Sender {
    pub fn to(address: SocketAddr) -> Self {
        Self { client: Client::to(address), accepted: 0 }
    }

    /// Goes on at another address.
    pub fn move_to(&mut self, address: SocketAddr) {
        self.client = Client::to(address);
    }

    /// How many requests were answered with 202.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Sends the oldest request that is not accepted yet.
    pub fn send(&mut self) -> Reply {
        let first = self.accepted * EACH + 1;
        let events =
            (first..first + EACH).flat_map(|seq| keys().map(move |(truck, codigo)| event(&truck, codigo, seq)));
        let more = format!("\"v\":1,\"more\":\"{}\",", "x".repeat(MORE));
        let body: Vec<String> = events.map(|event| event.replace("\"v\":1,", &more)).collect();
        let reply = self.client.post(&lines(&body));
        self.accepted += u64::from(reply.status == 202);
        reply
    }

    /// Fails unless every accepted event is among the records, and what came first of each key came in order.
    pub fn assert_delivered(&self, records: &[Record]) {
        let mut deliveries = Deliveries::default();
        for record in records {
            let event = domain::event::check(record.value.as_bytes()).unwrap();
            deliveries.record(&EventId::parse(&event.id).unwrap());
        }
        assert_eq!(deliveries.order_violations(), 0, "{:?}", deliveries.order_examples());
        for (truck_id, codigo) in keys() {
            let key = LedgerKey { run: "r".into(), truck_id, codigo };
            let arrived = deliveries.seqs(&key).unwrap();
            assert_eq!(arrived.ranges(), [(1, self.accepted * EACH)], "{key:?}");
        }
    }
}

fn keys() -> impl Iterator<Item = (String, u32)> {
    (0..TRUCKS).flat_map(|truck| CODES.map(|codigo| (format!("BR{truck}"), codigo)))
}
