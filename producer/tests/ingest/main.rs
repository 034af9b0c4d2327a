//! Ingest: the HTTP server in this process and in the real binary, always held against schemas/ingest.openapi.json.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod client;
mod desk;
mod document;
mod examples;
mod frozen_disk;
mod full_disk;
mod full_spool;
mod heads;
mod journey;
mod real_disk;
mod removed_spool;
mod sender;
mod stage;
mod tls;

/// A valid event of one truck.
pub fn event(truck: &str, codigo: u32, seq: u64) -> String {
    format!(
        r#"{{"v":1,"id":"r-{truck}-{codigo}-{seq}","codigo":{codigo},"truck_id":"{truck}","seq":{seq},"ts":1763701200123,"lat":-23.5,"lon":-46.6,"speed":8.4,"fuel":6.2,"odo":2.2}}"#
    )
}

/// Lines as a body.
pub fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}
