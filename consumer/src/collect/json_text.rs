//! Sees quickly that a value is one JSON text: words of eight bytes at a time where bytes are many.
//!
//! In: a value. Out: true for a JSON text (RFC 8259) of moderate depth. Never: true for anything that serde_json refuses. A false
//! says nothing: then serde_json decides.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// True when `bytes` are certainly one JSON text in UTF-8.
pub(super) fn is_json_text(bytes: &[u8]) -> bool {
    let mut scan = Scan { bytes, at: 0, seen: 0 };
    scan.text().is_some() && (scan.seen & HIGHS == 0 || std::str::from_utf8(bytes).is_ok())
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// All bytes of strings or-ed: tells whether there is more than ASCII.
    seen: u64,
}

/// Which brackets are open: a bit each, 1 for an object, below a sentinel.
struct Open(u64);

impl Open {
    fn push(&mut self, object: u64) -> Option<()> {
        (self.0 >> 63 == 0).then(|| self.0 = self.0 << 1 | object)
    }

    fn pop(&mut self) {
        self.0 >>= 1;
    }

    fn is_object(&self) -> bool {
        self.0 & 1 == 1
    }

    fn is_none(&self) -> bool {
        self.0 == 1
    }
}

impl Scan<'_> {
    /// One value from end to end, without recursion. Each `None` says: not seen to be JSON.
    fn text(&mut self) -> Option<()> {
        let mut open = Open(1);
        let mut next = self.token()?;
        loop {
            match next {
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number(next)?,
                b'{' => {
                    open.push(1)?;
                    next = self.after_bracket()?;
                    if next != b'}' {
                        next = self.name(next)?;
                        continue;
                    }
                    self.close(&mut open);
                }
                b'[' => {
                    open.push(0)?;
                    next = self.after_bracket()?;
                    if next != b']' {
                        continue;
                    }
                    self.close(&mut open);
                }
                _ => self.literal()?,
            }
            match self.after_value(&mut open)? {
                Some(value) => next = value,
                None => return Some(()),
            }
        }
    }

    /// The first byte of the next value behind a value; `None` inside at the end of the text.
    #[inline(always)]
    fn after_value(&mut self, open: &mut Open) -> Option<Option<u8>> {
        while !open.is_none() {
            match (self.token()?, open.is_object()) {
                (b',', true) => {
                    let next = self.after_bracket()?;
                    return self.name(next).map(Some);
                }
                (b',', false) => return self.after_bracket().map(Some),
                (b'}', true) | (b']', false) => self.close(open),
                _ => return None,
            }
        }
        self.bytes[self.at..].iter().all(|byte| is_space(*byte)).then_some(None)
    }

    #[inline(always)]
    fn close(&mut self, open: &mut Open) {
        open.pop();
        self.at += 1;
    }

    /// Passes a bracket or a comma: the first byte of what follows.
    #[inline(always)]
    fn after_bracket(&mut self) -> Option<u8> {
        self.at += 1;
        self.token()
    }

    /// A member's name and its colon: the first byte of its value.
    #[inline(always)]
    fn name(&mut self, first: u8) -> Option<u8> {
        if first != b'"' {
            return None;
        }
        self.string()?;
        if self.token()? != b':' {
            return None;
        }
        self.at += 1;
        self.token()
    }

    #[inline(always)]
    fn literal(&mut self) -> Option<()> {
        let rest = &self.bytes[self.at..];
        let literal = [&b"true"[..], b"false", b"null"].into_iter().find(|literal| rest.starts_with(literal))?;
        self.at += literal.len();
        Some(())
    }

    #[inline(always)]
    fn number(&mut self, first: u8) -> Option<()> {
        let mut first = first;
        if first == b'-' {
            self.at += 1;
            first = self.peek()?;
        }
        if first == b'0' {
            self.at += 1
        } else {
            self.digits()?
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// At least one digit.
    #[inline(always)]
    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while let Some(word) = self.word() {
            let value = word ^ (ONES * u64::from(b'0'));
            // A byte above 9 gets its highest bit; a carry can only spoil bytes behind the first of those.
            let others = (value.wrapping_add(ONES * 0x76) | value) & HIGHS;
            if others != 0 {
                self.at += first_of(others);
                return (self.at > from).then_some(());
            }
            self.at += 8;
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    /// A string, from its quotation mark on.
    #[inline(always)]
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            self.plain();
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.escape()?,
                0..0x20 => return None,
                byte => {
                    self.seen |= u64::from(byte);
                    self.at += 1;
                }
            }
        }
    }

    /// Passes bytes of a string that mean themselves, as long as there are whole words.
    #[inline(always)]
    fn plain(&mut self) {
        while let Some(word) = self.word() {
            self.seen |= word;
            let zero = |word: u64| word.wrapping_sub(ONES) & !word;
            let quote = zero(word ^ (ONES * u64::from(b'"')));
            let slash = zero(word ^ (ONES * u64::from(b'\\')));
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            // A borrow can only spoil bytes behind the first that is found.
            let found = (quote | slash | control) & HIGHS;
            if found != 0 {
                self.at += first_of(found);
                return;
            }
            self.at += 8;
        }
    }

    #[cold]
    fn escape(&mut self) -> Option<()> {
        match *self.bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' if self.bytes.get(self.at + 2..self.at + 6)?.iter().all(u8::is_ascii_hexdigit) => self.at += 6,
            _ => return None,
        }
        Some(())
    }

    /// The next byte that is no space.
    #[inline(always)]
    fn token(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            if byte > b' ' {
                return Some(byte);
            }
            if !is_space(byte) {
                return None;
            }
            self.at += 1;
        }
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline(always)]
    fn word(&self) -> Option<u64> {
        self.bytes.get(self.at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The place of the first marked byte.
#[inline(always)]
fn first_of(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    use super::is_json_text;
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    fn is_json(bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
    }

    #[test]
    fn it_sees_every_kind_of_value_and_no_neighbour_of_one() {
        let good = [
            r#"{"v":1,"id":"x-1","lat":-23.5,"e":1E+10,"ok":[true,false,null,{},[]]}"#,
            " \t\r\n0 ",
            r#""\u00e9\\\"\/\b\f\n\r\t""#,
            "\"não, é ção €\"",
            "[[[[1,2],-0.5e-3]],\"a longer text of more than eight bytes\"]",
            "-0",
            "123456789012345678901234567890",
        ];
        good.iter().for_each(|text| assert!(is_json_text(text.as_bytes()), "{text}"));
        let bad = [
            "",
            " ",
            "{",
            "}",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "-",
            "--1",
            "1 2",
            "tru",
            "nul",
            "True",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a",
            "\"tab\there\"",
            "\"nul\0 in a longer text\"",
            "[1}",
            "{\"a\":1]",
            "1,",
            "\u{feff}1",
            "\u{a0}1",
            "123456789x",
            "\"\\",
        ];
        bad.iter().for_each(|text| assert!(!is_json_text(text.as_bytes()), "{text}"));
        assert!(!is_json_text(b"\"\xff\"") && !is_json_text(b"\"123456789\xc3\""));
    }

    #[test]
    fn what_is_too_deep_for_it_is_left_to_others() {
        let deep = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_json_text(deep(63).as_bytes()) && !is_json_text(deep(64).as_bytes()));
    }

    fn json() -> impl Strategy<Value = String> {
        let text = prop_oneof![any::<String>(), "[ -~]{0,20}", "[0-9]{1,12}"];
        let leaf = prop_oneof![
            text.prop_map(|text| serde_json::to_string(&text).unwrap()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>()
                .prop_filter("JSON has no others", |number| number.is_finite())
                .prop_map(|number| format!("{number:e}")),
            prop_oneof![Just("true"), Just("false"), Just("null")].prop_map(str::to_owned),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let many = proptest::collection::vec(inner, 0..4);
            let space = prop_oneof![Just(""), Just(" "), Just("\n\t")];
            (many, space, any::<bool>()).prop_map(|(values, space, object)| {
                let member = |value: String| if object { format!("\"k\"{space}:{space}{value}") } else { value };
                let all = values.into_iter().map(member).collect::<Vec<_>>().join(&format!("{space},{space}"));
                if object { format!("{{{space}{all}{space}}}") } else { format!("[{space}{all}{space}]") }
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Every JSON text is seen, and a byte that is changed, lost or added is judged as serde_json does.
        #[test]
        fn it_judges_as_serde_json_does(text in json(), at: prop::sample::Index, byte in prop_oneof![any::<u8>(), prop::sample::select(&b"\"\\{}[],:0-.eE tn"[..])], change in 0..3) {
            prop_assert!(is_json_text(text.as_bytes()), "{text}");
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            match change {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
            prop_assert_eq!(is_json_text(&bytes), is_json(&bytes), "{}", String::from_utf8_lossy(&bytes));
        }

        /// Whatever it is given.
        #[test]
        fn it_never_sees_json_where_there_is_none(bytes in proptest::collection::vec(prop::sample::select(&b"\"\\{}[],:01-.eE tru\xc3\xa9\x00"[..]), 0..24)) {
            prop_assert_eq!(is_json_text(&bytes), is_json(&bytes));
        }
    }
}
