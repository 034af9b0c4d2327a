//! Tells Lambda why the cold start failed, so that the caller reads the sentence and not only an exit code.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The error type that callers see; it means: nothing was processed, the dispatcher's configuration is wrong.
pub const CONFIGURATION: &str = "Comboio.Configuration";

const DEADLINE: Duration = Duration::from_secs(1);

/// POSTs the sentence to the Runtime API at `api` (`host:port`); best effort, at most about three seconds.
///
/// # Errors
/// When the Runtime API cannot be reached or does not answer; the process ends with its exit code either way.
pub fn report(api: &str, sentence: &str) -> std::io::Result<()> {
    let body = serde_json::json!({"errorType": CONFIGURATION, "errorMessage": sentence, "stackTrace": []}).to_string();
    let address = api.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let head = format!(
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nhost: {api}\r\nconnection: close\r\n\
         content-type: application/json\r\nlambda-runtime-function-error-type: {CONFIGURATION}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes())?;
    stream.read(&mut [0; 64]).map(drop)
}
