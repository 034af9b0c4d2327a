//! Events that are invalid on purpose: what breaks them, so that every guard behind Kafka has something to do.
//!
//! A wrong type, a missing field and a wrong version are the dispatcher's to reject; what is no UTF-8 JSON never reaches Lambda.

use crate::profile::InvalidKind;

/// Breaks the good event that stands in `buffer` from `start` on.
pub(super) fn spoil(kind: InvalidKind, buffer: &mut Vec<u8>, start: usize) {
    match kind {
        InvalidKind::WrongType => insert_after(buffer, start, b"\"speed\":", b"\"fast\",\"was\":"),
        InvalidKind::MissingField => rename(buffer, start, b"\"truck_id\"", b"\"truck_no\""),
        InvalidKind::WrongVersion => rename(buffer, start, b"\"v\":1,", b"\"v\":9,"),
        InvalidKind::CutJson => buffer.truncate(start + (buffer.len() - start) * 2 / 3),
        InvalidKind::NotUtf8 => {
            if let Some(place) = find(buffer, start, b"\"id\":\"") {
                buffer[place + 6] = 0xff;
            }
        }
    }
}

fn find(buffer: &[u8], start: usize, what: &[u8]) -> Option<usize> {
    buffer[start..].windows(what.len()).position(|window| window == what).map(|place| start + place)
}

fn insert_after(buffer: &mut Vec<u8>, start: usize, what: &[u8], more: &[u8]) {
    if let Some(place) = find(buffer, start, what) {
        let at = place + what.len();
        buffer.splice(at..at, more.iter().copied());
    }
}

fn rename(buffer: &mut [u8], start: usize, from: &[u8], to: &[u8]) {
    if let Some(place) = find(buffer, start, from) {
        buffer[place..place + to.len()].copy_from_slice(to);
    }
}

#[cfg(test)]
mod tests {
    use super::spoil;
    use crate::profile::InvalidKind;

    const GOOD: &[u8] = br#"{"v":1,"id":"r-BR04217-300-1","codigo":300,"truck_id":"BR04217","seq":1,"ts":1763701200123,"lat":-23.5,"lon":-46.6,"speed":82.4,"fuel":61.2,"odo":182733.2}"#;

    #[test]
    fn every_fault_is_found_by_the_check_and_for_its_reason() {
        assert!(domain::event::check(GOOD).is_ok());
        for (kind, reason) in InvalidKind::ALL.into_iter().zip(["schema", "schema", "version", "not-json", "not-json"])
        {
            let mut buffer = b"before".to_vec();
            buffer.extend_from_slice(GOOD);
            spoil(kind, &mut buffer, 6);
            assert_eq!(domain::event::check(&buffer[6..]).map_err(|e| e.reason()).err(), Some(reason), "{kind:?}");
            assert!(buffer.starts_with(b"before"));
        }
    }
}
