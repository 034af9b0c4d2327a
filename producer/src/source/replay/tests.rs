//! Replay: bytes untouched, bad lines told by file and line, rate kept, memory bounded.

use super::super::{Fill, Source};
use super::{Replay, files};
use crate::chunk::{Chunk, NO_SERIES, Room};
use std::path::PathBuf;
use std::time::Duration;

const ROOM: Room = Room { events: 100, bytes: 1 << 20 };

fn event(id: &str, more: &str) -> String {
    format!(
        r#"{{ "v":1,"id":"{id}","codigo":300,"truck_id":"BR1","seq":1,"ts":1763701200123,"lat":-23.5,"lon":-46.6,"speed":82.4,"fuel":61.2,"odo":182733.2{more}}}"#
    )
}

fn write(dir: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn all(replay: &mut Replay) -> (Vec<Vec<u8>>, Vec<(u64, &'static str)>) {
    let (mut values, mut bad, mut chunk) = (Vec::new(), Vec::new(), Chunk::default());
    loop {
        chunk.clear();
        let fill = replay.fill(Duration::ZERO, ROOM, &mut chunk).unwrap();
        values.extend(chunk.items().iter().map(|item| chunk.text(item.value).to_vec()));
        bad.extend(replay.bad_lines().into_iter().map(|line| (line.line, line.reason)));
        if fill == Fill::End {
            return (values, bad);
        }
    }
}

#[test]
fn values_go_out_as_written_and_bad_lines_are_told_while_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let first = event("r-BR1-300-1", r#","driver":{"name":"ação"}"#);
    let last = event("r-BR1-300-3", "");
    let mut content = format!("{first}\r\n\n{{\"v\":1\n").into_bytes();
    content.extend_from_slice(b"\xff\xfe\n");
    content.extend_from_slice(event("r-BR1-300-2", "").replace("82.4", "\"fast\"").as_bytes());
    content.extend_from_slice(b"\n");
    content.extend_from_slice(&vec![b'x'; 3 << 20]);
    content.extend_from_slice(format!("\n{last}").as_bytes());
    let path = write(&dir, "a.ndjson", &content);
    let (values, bad) = all(&mut Replay::new(files(&path).unwrap(), None));
    assert_eq!(values, [first.into_bytes(), last.into_bytes()]);
    assert_eq!(bad, [(3, "not-json"), (4, "not-json"), (5, "schema"), (6, "too-long")]);
}

#[test]
fn a_byte_order_mark_belongs_to_no_line() {
    let dir = tempfile::tempdir().unwrap();
    let first = event("r-BR1-300-1", "");
    write(&dir, "a.ndjson", format!("\u{feff}{first}\n").as_bytes());
    write(&dir, "b.ndjson", format!("\u{feff}\n\u{feff}{first}\n").as_bytes());
    let (values, bad) = all(&mut Replay::new(files(dir.path()).unwrap(), None));
    assert_eq!(values, [first.into_bytes()]);
    assert_eq!(bad, [(2, "not-json")], "in the middle of a file it is no mark");
}

#[test]
fn a_file_of_bad_lines_ends_and_lets_the_pipeline_have_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "bad.ndjson", "nothing\n".repeat(1_000).as_bytes());
    let mut replay = Replay::new(vec![path], None);
    let mut chunk = Chunk::default();
    assert_eq!(replay.fill(Duration::ZERO, ROOM, &mut chunk).unwrap(), Fill::Wait(Duration::ZERO));
    assert_eq!(replay.bad_lines().len(), 100);
    assert_eq!(all(&mut replay).1.len(), 900);
}

#[test]
fn series_come_from_the_ids() {
    let dir = tempfile::tempdir().unwrap();
    let ids = ["r-BR1-300-7", "r-BR2-300-1", "r-BR1-300-8", "free text", "r-BR1-300-0"];
    let path = write(&dir, "a.ndjson", ids.map(|id| event(id, "")).join("\n").as_bytes());
    let mut replay = Replay::new(vec![path], None);
    let mut chunk = Chunk::default();
    replay.fill(Duration::ZERO, ROOM, &mut chunk).unwrap();
    let places: Vec<_> = chunk.items().iter().map(|item| (item.series, item.seq)).collect();
    assert_eq!(places, [(0, 7), (1, 1), (0, 8), (NO_SERIES, 0), (NO_SERIES, 0)]);
    assert_eq!(replay.series(1).map(|name| name.truck_id), Some("BR2".into()));
    assert_eq!(replay.series(NO_SERIES), None);
}

#[test]
fn a_rate_makes_events_due_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "a.ndjson", [event("r-BR1-300-1", ""), event("r-BR1-300-2", "")].join("\n").as_bytes());
    let mut replay = Replay::new(vec![path], Some(10.0));
    let mut chunk = Chunk::default();
    assert_eq!(replay.fill(Duration::ZERO, ROOM, &mut chunk).unwrap(), Fill::Taken);
    assert_eq!(chunk.len(), 1);
    chunk.clear();
    let next = Duration::from_millis(100);
    assert_eq!(replay.fill(Duration::from_millis(99), ROOM, &mut chunk).unwrap(), Fill::Wait(next));
    assert_eq!(replay.fill(next, ROOM, &mut chunk).unwrap(), Fill::Taken);
    chunk.clear();
    assert_eq!(replay.fill(Duration::from_secs(9), ROOM, &mut chunk).unwrap(), Fill::End);
    assert_eq!(replay.planned(Duration::from_secs(9)), Some(2));
}

#[test]
fn a_directory_means_its_ndjson_files_by_name() {
    let dir = tempfile::tempdir().unwrap();
    assert!(files(dir.path()).unwrap_err().to_string().contains("no *.ndjson file"));
    let (b, a) = (write(&dir, "b.ndjson", b""), write(&dir, "a.ndjson", b""));
    write(&dir, "note.txt", b"x");
    assert_eq!(files(dir.path()).unwrap(), [a, b]);
    assert!(files(&dir.path().join("none")).unwrap_err().to_string().contains("cannot be read"));
}
