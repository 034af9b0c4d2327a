//! The HTTP destination over TLS: delivered when the authority is the right one, never when it is not.

use crate::requests::{batch, event, judged};
use dispatcher_lambda::config::Config;
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dispatcher::Dispatcher;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// Answers one connection with 204; returns its URL and the PEM of its (self-signed) certificate.
fn server() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let secret = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], secret).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket);
        let (mut seen, mut chunk) = (Vec::new(), [0; 4096]);
        while !seen.ends_with(b"}\n") {
            match stream.read(&mut chunk) {
                Ok(count) if count > 0 => seen.extend_from_slice(&chunk[..count]),
                _ => return,
            }
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
    });
    (url, certificate.pem())
}

async fn deliver(url: &str, authority: &str) -> (u64, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority).unwrap();
    let text = format!(
        "[destinations.collector.http]\nurl = \"{url}\"\nca = \"{}\"\n[deliver]\nattempts = 1\n",
        file.path().display()
    );
    let config = Config::from_variables([("COMBOIO_CONFIG".to_owned(), text)].into_iter()).unwrap();
    let batch = batch(&[event("BR00001", 1)]);
    let deadline = Deadline::after(Duration::from_secs(10));
    let response = Dispatcher::new(config).dispatch(&batch.request(1, None), deadline).await.unwrap();
    let judgement = judged(&batch, &response);
    (judgement.delivered, judgement.retry.first().map(|listed| listed.detail.clone()).unwrap_or_default())
}

#[tokio::test]
async fn the_right_authority_delivers_and_another_one_does_not() {
    let (url, authority) = server();
    assert_eq!(deliver(&url, &authority).await, (1, String::new()));
    let (url, _) = server();
    let (delivered, detail) = deliver(&url, &authority).await;
    assert_eq!(delivered, 0);
    assert!(detail.contains("certificate"), "{detail}");
}
