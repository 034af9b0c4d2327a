//! Tokens and certificates: who gets in, who does not.

use crate::client::Client;
use crate::stage::Stage;
use crate::{event, lines};
use localenv::authority::{Authority, Identity};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

type Encrypted = StreamOwned<ClientConnection, TcpStream>;

fn client(address: SocketAddr, ca: &Path, identity: Option<&Identity>) -> Client<Encrypted> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let config = match identity {
        Some(identity) => {
            let chain = CertificateDer::pem_file_iter(&identity.certificate).unwrap().map(Result::unwrap).collect();
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&identity.key).unwrap()).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    Client { stream: StreamOwned::new(connection, stream), headers: String::new() }
}

/// True when the server lets the client speak at all.
fn gets_in(mut client: Client<Encrypted>) -> bool {
    let request = "GET /v1/openapi.json HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut answer = Vec::new();
    let sent = client.stream.write_all(request.as_bytes()).and_then(|()| client.stream.read_to_end(&mut answer));
    sent.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

#[test]
fn only_clients_with_a_certificate_of_the_authority_get_in() {
    let stage = Stage::new();
    let authority = Authority::create(&stage.path("")).unwrap();
    let server = authority.issue_server("server").unwrap();
    let (ca, sender, old) =
        (authority.ca(), authority.issue("sender").unwrap(), authority.issue_expired("old").unwrap());
    std::fs::create_dir(stage.path("foreign")).unwrap();
    let foreign = Authority::create(&stage.path("foreign")).unwrap().issue("sender").unwrap();
    let tls = format!("[ingest.tls]\ncertificate = {server:?}\nkey = {server:?}\nclient_ca = {ca:?}\n");
    let mut producer = stage.start("", &tls);
    let address = stage.address(&mut producer);
    let mut good = client(address, &ca, Some(&sender));
    for seq in 1..=3 {
        assert_eq!(good.post(&lines(&[event("BR1", 400, seq)])).status, 202);
    }
    assert!(gets_in(client(address, &ca, Some(&sender))));
    assert!(!gets_in(client(address, &ca, None)), "without a certificate");
    assert!(!gets_in(client(address, &ca, Some(&foreign))), "of another authority");
    assert!(!gets_in(client(address, &ca, Some(&old))), "expired");
    let mut plain = Client::to(address);
    plain.begin("GET", "/v1/openapi.json", 0);
    let mut answer = Vec::new();
    // A reset is as good as an end.
    let _ = plain.stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "without TLS");
    assert_eq!(good.post(&lines(&[event("BR1", 400, 4)])).status, 202);
    assert_eq!(stage.stop(&mut producer).acknowledged, 4);
    assert!(stage.log().contains("tls handshake refused") && !stage.log().contains("PRIVATE KEY"), "{}", stage.log());
}

#[test]
fn with_optional_certificates_the_token_decides() {
    const TOKEN: &str = "a-token-of-enough-characters";
    let stage = Stage::new();
    let authority = Authority::create(&stage.path("")).unwrap();
    let (server, ca) = (authority.issue_server("server").unwrap(), authority.ca());
    let sender = authority.issue("sender").unwrap();
    std::fs::write(stage.path("token"), TOKEN).unwrap();
    let tls = format!(
        "[ingest.tls]\ncertificate = {server:?}\nkey = {server:?}\nclient_ca = {ca:?}\nclient_required = false\n"
    );
    let mut producer = stage.start(&format!("token_file = {:?}", stage.path("token")), &tls);
    let address = stage.address(&mut producer);
    for (identity, token, status) in [
        (None, TOKEN, 202),
        (Some(&sender), TOKEN, 202),
        (Some(&sender), "a-token-of-enough-characterS", 401),
        (None, "a-token-of-enough-character", 401),
    ] {
        let mut client = client(address, &ca, identity);
        client.headers = format!("authorization: Bearer {token}\r\n");
        let reply = client.post(&lines(&[event("BR1", 400, 1)]));
        assert_eq!(reply.status, status, "{token}");
    }
    assert_eq!(client(address, &ca, Some(&sender)).post("").status, 401);
    stage.stop(&mut producer);
    assert!(!stage.log().contains(TOKEN), "the token is in the log");
}
