//! Tests of the sentences about TLS, against a listener that shakes hands and says no more.

use super::*;
use crate::certificates::made::{Made, Wish, make};
use crate::settings::{Kafka, KafkaRaw, TlsRaw};
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use runtime::config::Settings;
use std::net::TcpListener;
use std::path::Path;
use std::thread;

const LONG: i64 = 36_500;
const DEADLINE: Duration = Duration::from_secs(20);

fn lasting(wish: Wish) -> Wish {
    Wish { until_day: LONG, ..wish }
}

fn authority(name: &'static str) -> Made {
    make(lasting(Wish::authority(name)), None)
}

/// A TLS listener on localhost; with `clients`, only their certificates are taken. It ends with the process.
fn broker(server: &Made, clients: Option<&Made>) -> String {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_private_key(&server.key).unwrap();
    builder.set_certificate(&server.certificate).unwrap();
    if let Some(clients) = clients {
        builder.cert_store_mut().add_cert(clients.certificate.clone()).unwrap();
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    let (acceptor, listener) = (builder.build(), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = acceptor.accept(stream);
        }
    });
    format!("localhost:{port}")
}

fn pem(path: &Path, certificates: &[&Made]) -> String {
    let text: Vec<u8> = certificates.iter().flat_map(|made| made.certificate.to_pem().unwrap()).collect();
    std::fs::write(path, text).unwrap();
    path.display().to_string()
}

/// The sentence for a client that trusts `authorities` and shows `identity`.
fn sentence(bootstrap: &str, authorities: &[&Made], identity: Option<&Made>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut tls = TlsRaw { ca: pem(&dir.path().join("ca.pem"), authorities), ..TlsRaw::default() };
    if let Some(identity) = identity {
        tls.certificate = pem(&dir.path().join("client.pem"), &[identity]);
        tls.key = dir.path().join("client.key").display().to_string();
        std::fs::write(&tls.key, identity.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    }
    let raw = KafkaRaw { bootstrap_servers: vec![bootstrap.to_owned()], tls, ..KafkaRaw::default() };
    let kafka = Kafka::validate(&Settings::of(&raw), &raw).unwrap();
    let error = topics(&kafka.admin(), &["mt-c400"], DEADLINE).unwrap_err();
    assert_eq!(error.class(), domain::failure::FailureClass::Ours, "{error}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("PRIVATE KEY") && !error.to_string().contains('\n'), "{shown}");
    error.to_string()
}

fn assert_says(sentence: &str, words: &[&str]) {
    for word in words {
        assert!(sentence.contains(word), "`{word}` is not in: {sentence}");
    }
}

#[test]
fn a_broker_of_another_authority_is_told_with_its_issuer_and_our_file() {
    let (ca, other) = (authority("ca"), authority("other"));
    let bootstrap = broker(&make(lasting(Wish::client("broker")), Some(&ca)), None);
    let said = sentence(&bootstrap, &[&other], None);
    assert_says(&said, &[&bootstrap, "CN=broker", "issued by CN=ca", "ca.pem", "set kafka.tls.ca"]);
}

#[test]
fn an_expired_broker_is_told_with_its_date() {
    let ca = authority("ca");
    let expired = make(Wish { until_day: -1, ..Wish::client("broker") }, Some(&ca));
    let said = sentence(&broker(&expired, None), &[&ca], None);
    assert_says(&said, &["CN=broker", "expired on Dec 31", "renewed on the brokers"]);
}

#[test]
fn a_broker_with_another_name_is_told_with_the_names_it_has() {
    let ca = authority("ca");
    let bootstrap = broker(&make(lasting(Wish::client("broker")), Some(&ca)), None);
    let elsewhere = bootstrap.replace("localhost", "127.0.0.2");
    let listener = TcpListener::bind(&elsewhere).unwrap();
    let target = bootstrap.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let there = std::net::TcpStream::connect(&target).unwrap();
            let (mut a, mut b) = (stream.try_clone().unwrap(), there.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut a, &mut b));
            let (mut a, mut b) = (there, stream);
            thread::spawn(move || std::io::copy(&mut a, &mut b));
        }
    });
    let said = sentence(&elsewhere, &[&ca], None);
    assert_says(&said, &["DNS:localhost", "not for 127.0.0.2", "kafka.tls.verify_hostname"]);
}

#[test]
fn a_missing_client_certificate_is_told() {
    let ca = authority("ca");
    let bootstrap = broker(&make(lasting(Wish::client("broker")), Some(&ca)), Some(&ca));
    let said = sentence(&bootstrap, &[&ca], None);
    assert_says(&said, &[&bootstrap, "no client certificate", "kafka.tls.certificate"]);
}

#[test]
fn a_refused_client_certificate_is_told_with_its_issuer() {
    let (ca, other) = (authority("ca"), authority("other"));
    let bootstrap = broker(&make(lasting(Wish::client("broker")), Some(&ca)), Some(&ca));
    let stranger = make(lasting(Wish::client("producer")), Some(&other));
    let said = sentence(&bootstrap, &[&ca, &other], Some(&stranger));
    assert_says(&said, &[&bootstrap, "refused our certificate CN=producer", "issued by CN=other"]);
}

#[test]
fn a_plaintext_listener_is_told_from_a_bad_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bootstrap = format!("localhost:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let said = sentence(&bootstrap, &[&authority("ca")], None);
    assert_says(&said, &[&bootstrap, "does not speak TLS"]);
}
