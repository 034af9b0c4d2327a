//! The lines of a body: each checked as an event, the good ones packed for the flow, the bad ones told with their number.
//!
//! A line ends with `\n` or `\r\n`; empty lines are nothing, but count.

use super::answer::{BadLine, Refusal};
use super::config::RequestLimits;
use crate::chunk::Text;
use crate::parcel::Parceled;
use domain::event::CheckedEvent;
use hyper::StatusCode;

/// How much of a sentence about a bad line is kept: it may quote the line.
const LONGEST_DETAIL: usize = 200;

/// What a body holds.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub bytes: Vec<u8>,
    pub events: Vec<Parceled>,
    /// The bytes of all values together.
    pub value_bytes: usize,
    pub bad: Vec<BadLine>,
}

/// Checks every line.
///
/// # Errors
/// A line is too long or there are too many: the request is refused as a whole.
pub(super) fn check(body: &[u8], limits: RequestLimits) -> Result<Checked, Refusal> {
    let mut checked = Checked { bytes: Vec::with_capacity(body.len() + body.len() / 4), ..Checked::default() };
    for (line, number) in body.split(|byte| *byte == b'\n').zip(1..) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > limits.line {
            return Err(too_long(number, line.len(), limits.line));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if checked.events.len() + checked.bad.len() == limits.events {
            return Err(too_many(number, limits.events));
        }
        match domain::event::check(line) {
            Ok(event) => checked.pack(&event, line),
            Err(invalid) => {
                let detail = invalid.to_string().chars().take(LONGEST_DETAIL).collect();
                checked.bad.push(BadLine { line: number, reason: invalid.reason(), detail });
            }
        }
    }
    Ok(checked)
}

impl Checked {
    fn pack(&mut self, event: &CheckedEvent<'_>, line: &[u8]) {
        let mut write = |text: &[u8]| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(text);
            Text::since(start, &self.bytes)
        };
        let (id, truck) = (write(event.id.as_bytes()), write(event.truck_id.as_bytes()));
        let value = write(line);
        self.value_bytes += line.len();
        self.events.push(Parceled { id, truck, value, codigo: event.codigo, ts: event.ts });
    }
}

fn too_long(line: u64, bytes: usize, most: usize) -> Refusal {
    let error = format!("line {line} has {bytes} bytes, allowed are {most} (ingest.max_line): nothing was taken");
    Refusal { line: Some(line), ..Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "line-too-large", error) }
}

fn too_many(line: u64, most: usize) -> Refusal {
    let error =
        format!("more than {most} events (ingest.max_events): nothing was taken, send them in several requests");
    Refusal { line: Some(line), ..Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-events", error) }
}

#[cfg(test)]
mod tests {
    use super::{RequestLimits, check};

    const LIMITS: RequestLimits = RequestLimits { body: 10_000, line: 300, events: 4 };

    fn event(seq: u64) -> String {
        format!(
            r#"{{"v":1,"id":"r-BR1-400-{seq}","codigo":400,"truck_id":"BR1","seq":{seq},"ts":7,"lat":-23.5,"lon":-46.6,"speed":8.4,"fuel":6.2,"odo":2.2}}"#
        )
    }

    #[test]
    fn good_lines_are_packed_byte_for_byte_and_bad_ones_keep_their_number() {
        let escaped = event(3).replace("\"r-BR1", r#""\u0072-BR1"#);
        let body = format!("{}\r\n\n{{\n{escaped}\n  \n{}", event(1), event(2).replace("\"v\":1", "\"v\":9"));
        let checked = check(body.as_bytes(), LIMITS).unwrap();
        let texts: Vec<(&[u8], &[u8])> =
            checked.events.iter().map(|event| (event.id.of(&checked.bytes), event.value.of(&checked.bytes))).collect();
        let (first, third) = (event(1), escaped);
        assert_eq!(texts, [(&b"r-BR1-400-1"[..], first.as_bytes()), (b"r-BR1-400-3", third.as_bytes())]);
        assert_eq!(checked.value_bytes, first.len() + third.len());
        let bad: Vec<(u64, &str)> = checked.bad.iter().map(|bad| (bad.line, bad.reason)).collect();
        assert_eq!(bad, [(3, "not-json"), (6, "version")]);
    }

    #[test]
    fn what_is_too_much_refuses_the_whole_request_and_says_where() {
        let long = format!("{}\n{}", event(1), "x".repeat(301));
        let refusal = check(long.as_bytes(), LIMITS).unwrap_err();
        assert_eq!((refusal.reason, refusal.line), ("line-too-large", Some(2)));
        let many = [event(1), "bad".into(), event(2), event(3), event(4)].join("\n");
        let refusal = check(many.as_bytes(), LIMITS).unwrap_err();
        assert_eq!((refusal.reason, refusal.line), ("too-many-events", Some(5)));
        assert!(
            check(format!("{}\n\n", [event(1), event(2), event(3), event(4)].join("\n")).as_bytes(), LIMITS).is_ok()
        );
        assert!(check(b"", LIMITS).unwrap().events.is_empty());
    }

    #[test]
    fn a_detail_does_not_give_the_line_back() {
        let line = event(1).replace("\"BR1\",\"seq\"", &format!("\"{}\",\"seq\"", "é".repeat(40)));
        let line = line.replace("7,\"lat\"", &format!("\"{}\",\"lat\"", "y".repeat(100)));
        let checked = check(line.as_bytes(), RequestLimits { line: 1_000, ..LIMITS }).unwrap();
        assert!(checked.bad[0].detail.chars().count() <= 200, "{:?}", checked.bad);
    }
}
