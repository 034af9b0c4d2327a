//! Events that are too large on purpose: valid in every other way.

/// Pads the good event that stands in `buffer` from `start` on with a field that nobody knows, to `bytes` in all.
pub(super) fn pad(buffer: &mut Vec<u8>, start: usize, bytes: usize) {
    const BEFORE: &[u8] = b",\"padding\":\"";
    const AFTER: &[u8] = b"\"}";
    buffer.pop_if(|last| *last == b'}');
    buffer.extend_from_slice(BEFORE);
    let padded = (start + bytes.saturating_sub(AFTER.len())).max(buffer.len());
    buffer.resize(padded, b'x');
    buffer.extend_from_slice(AFTER);
}

#[cfg(test)]
mod tests {
    use super::pad;

    #[test]
    fn an_oversize_event_has_its_size_and_is_valid() {
        let good = br#"{"v":1,"id":"r-BR04217-300-1","codigo":300,"truck_id":"BR04217","seq":1,"ts":1763701200123,"lat":-23.5,"lon":-46.6,"speed":82.4,"fuel":61.2,"odo":182733.2}"#;
        let mut buffer = b"before".to_vec();
        buffer.extend_from_slice(good);
        pad(&mut buffer, 6, 1_100_000);
        assert_eq!(buffer.len(), 6 + 1_100_000);
        assert_eq!(domain::event::check(&buffer[6..]).map(|event| event.seq), Ok(1));
    }
}
