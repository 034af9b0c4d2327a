//! Objects: JSON that is read into named fields must be an object.
//!
//! serde's derived readers take an array for a struct as well, field by field in their order; nobody who writes JSON means that.

use serde::de::{Deserialize, Error, IgnoredAny};

/// Reads one JSON object.
///
/// # Errors
/// What serde_json says; an array is an error of data, like a field of the wrong type.
pub fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> serde_json::Result<T> {
    refuse_array(bytes)?;
    serde_json::from_slice(bytes)
}

/// # Errors
/// `bytes` are a JSON array, or begin like one and are no JSON.
pub fn refuse_array(bytes: &[u8]) -> serde_json::Result<()> {
    if bytes.trim_ascii_start().first() != Some(&b'[') {
        return Ok(());
    }
    serde_json::from_slice::<IgnoredAny>(bytes)?;
    Err(Error::custom("it is an array, expected an object"))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Pair {
        a: u32,
        b: String,
    }

    #[test]
    fn an_object_is_read_and_an_array_is_none() {
        assert_eq!(read::<Pair>(b" {\"a\":1,\"b\":\"x\"}").unwrap(), Pair { a: 1, b: "x".into() });
        let array = read::<Pair>(b" \n[1,\"x\"]").unwrap_err();
        assert!(array.is_data() && array.to_string().contains("expected an object"), "{array}");
        assert!(read::<Pair>(b"[1,").unwrap_err().is_eof());
    }
}
