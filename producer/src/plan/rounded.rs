//! Numbers of a plan without the last digits, which are noise of the sums that they come from.

use serde::Serializer;

/// Digits that are kept: enough for bytes of a long run.
const DIGITS: usize = 12;

/// For `serialize_with`, which hands a reference over.
pub(super) fn rounded<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(round(*value))
}

fn round(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn noise_goes_and_what_is_meant_stays() {
        assert_eq!((round(2500.000000000001), round(1.0000000000000004)), (2500.0, 1.0));
        assert_eq!((round(123456789012.0), round(0.1 + 0.2), round(0.0)), (123456789012.0, 0.3, 0.0));
        assert_eq!(round(1.0 / 3.0), 0.333333333333);
    }
}
