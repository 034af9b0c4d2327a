//! Text and numbers as a page shows them.

use std::fmt;

/// Text from outside, with everything escaped that HTML could take for markup.
pub(super) struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => fmt::Write::write_char(f, c)?,
            }
        }
        Ok(())
    }
}

/// A number with as many digits as it takes to read it: `13,000`, `12.5`, `0.042`.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".into();
    }
    let digits = match value.abs() {
        0.0 => 0,
        size if size < 1.0 => 3,
        size if size < 100.0 => 2,
        size if size < 1_000.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    fraction.map_or_else(|| grouped(whole), |fraction| format!("{}.{fraction}", grouped(whole)))
}

/// A count: `780,000`.
pub(super) fn count(value: u64) -> String {
    grouped(&value.to_string())
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Escaped, count, number};

    #[test]
    fn numbers_read_well_and_markup_is_harmless() {
        let shown = [0.0, 0.042, 12.5, 999.96, 13_000.4, 1_234_567.0, -1_200.0, f64::NAN].map(number);
        assert_eq!(shown, ["0", "0.042", "12.5", "1,000", "13,000", "1,234,567", "-1,200", "-"]);
        assert_eq!(count(780_000), "780,000");
        assert_eq!(Escaped("<b a=\"1\">'&").to_string(), "&lt;b a=&quot;1&quot;&gt;&#39;&amp;");
    }
}
