//! Forwarding between real sockets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// A server that greets each connection with `word` and then keeps it open.
fn greeter(word: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for mut stream in listener.incoming().map_while(Result::ok) {
            stream.write_all(word.as_bytes()).unwrap();
            kept.push(stream);
        }
    });
    address
}

fn connect(forwarder: &Forwarder) -> TcpStream {
    let stream = TcpStream::connect(forwarder.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn read(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 16];
    let length = stream.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[test]
fn the_address_stays_while_the_target_changes() {
    let forwarder = Forwarder::start(Some(greeter("one"))).unwrap();
    let mut first = connect(&forwarder);
    assert_eq!(read(&mut first), "one");
    forwarder.point_at(Some(greeter("two")));
    assert_eq!(read(&mut first), "", "the old connection is closed");
    assert_eq!(read(&mut connect(&forwarder)), "two");
    forwarder.point_at(None);
    assert_eq!(read(&mut connect(&forwarder)), "", "no target, no connection");
}

#[tokio::test]
async fn it_can_be_dropped_in_async_code() {
    drop(Forwarder::start(None).unwrap());
}
