//! A pen that writes text and numbers from the left into room that is there already.
//!
//! Numbers are written eight digits at a time: their characters are made side by side in one register and stored at once. What
//! is too many of them is written over by what follows.

/// Eight digits hold every number below this.
const EIGHT_DIGITS: u64 = 100_000_000;
/// The most bytes that a pen writes beyond the end of a number.
pub(crate) const BEYOND: usize = 8;

/// See the module.
pub(crate) struct Pen<'a> {
    room: &'a mut [u8],
    at: usize,
}

impl<'a> Pen<'a> {
    pub fn new(room: &'a mut [u8]) -> Self {
        Self { room, at: 0 }
    }

    /// How many bytes were written.
    pub fn written(&self) -> usize {
        self.at
    }

    #[inline]
    pub fn literal<const N: usize>(&mut self, text: &[u8; N]) {
        self.room[self.at..self.at + N].copy_from_slice(text);
        self.at += N;
    }

    /// Names have 8 to 16 characters as a rule: that is their first eight and their last eight.
    #[inline]
    pub fn name(&mut self, name: &str) {
        let (name, end) = (name.as_bytes(), self.at + name.len());
        match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            (Some(first), Some(last)) if name.len() <= 16 => {
                self.room[self.at..self.at + 8].copy_from_slice(first);
                self.room[end - 8..end].copy_from_slice(last);
            }
            _ => self.room[self.at..end].copy_from_slice(name),
        }
        self.at = end;
    }

    #[inline]
    pub fn number(&mut self, number: u64) {
        if number < EIGHT_DIGITS {
            let digits = eight_digits(number);
            // At least one digit.
            let zeros = (digits | 1 << 56).trailing_zeros() / 8;
            self.last_digits(digits, zeros);
        } else {
            self.long_number(number);
        }
    }

    fn long_number(&mut self, number: u64) {
        self.number(number / EIGHT_DIGITS);
        self.last_digits(eight_digits(number % EIGHT_DIGITS), 0);
    }

    #[inline]
    pub fn signed(&mut self, number: i64) {
        if number < 0 {
            self.literal(b"-");
        }
        self.number(number.unsigned_abs());
    }

    /// Writes `number / 10^PLACES` with exactly that many digits behind the point; at most eight.
    #[inline]
    pub fn fixed<const PLACES: u32>(&mut self, number: i64) {
        if number < 0 {
            self.literal(b"-");
        }
        let unit = const { 10u64.pow(PLACES) };
        let number = number.unsigned_abs();
        self.number(number / unit);
        self.literal(b".");
        self.last_digits(eight_digits(number % unit), 8 - PLACES);
    }

    /// Eight digits without the first `left_out`.
    #[inline]
    fn last_digits(&mut self, digits: u64, left_out: u32) {
        const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
        let characters = (digits + ZEROS) >> (8 * left_out);
        self.room[self.at..self.at + 8].copy_from_slice(&characters.to_le_bytes());
        self.at += 8 - left_out as usize;
    }
}

/// The digits of a number below [`EIGHT_DIGITS`], a byte each, the first one in the lowest byte: halves of four digits, quarters of
/// two, then single ones, all of a kind at once. The divisions by 100 and 10 are multiplications that are exact for so few
/// digits.
#[inline]
fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | (number % 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - tens * 10) << 8
}

#[cfg(test)]
mod tests {
    use super::{BEYOND, Pen};

    fn written(write: impl FnOnce(&mut Pen<'_>)) -> String {
        let mut room = [b'?'; 64];
        let mut pen = Pen::new(&mut room);
        write(&mut pen);
        let end = pen.written();
        assert!(room[end + BEYOND..].iter().all(|byte| *byte == b'?'), "wrote too far");
        String::from_utf8_lossy(&room[..end]).into_owned()
    }

    #[test]
    fn numbers_of_every_length_are_those_of_the_standard_library() {
        let around = |power: u32| [10u64.pow(power) - 1, 10u64.pow(power), 10u64.pow(power) + 1];
        let numbers = (0..20).flat_map(around).chain((0..20_000).step_by(7)).chain([u64::MAX, 99_999_999, 12_345_678]);
        for number in numbers {
            assert_eq!(written(|pen| pen.number(number)), number.to_string());
        }
        for number in [0, -1, 1_763_701_200_123, i64::MIN, i64::MAX] {
            assert_eq!(written(|pen| pen.signed(number)), number.to_string());
        }
    }

    #[test]
    fn fixed_point_keeps_leading_zeros_and_the_sign_below_one() {
        for (number, want) in [(-5, "-0.00005"), (0, "0.00000"), (-9_000_000, "-90.00000"), (10_000_001, "100.00001")] {
            assert_eq!(written(|pen| pen.fixed::<5>(number)), want);
        }
        for (number, want) in [(0, "0.0"), (9, "0.9"), (105, "10.5"), (i64::MAX, "922337203685477580.7")] {
            assert_eq!(written(|pen| pen.fixed::<1>(number)), want);
        }
    }

    #[test]
    fn names_of_every_length_stand_as_they_are() {
        let name = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for length in 0..=name.len() {
            assert_eq!(written(|pen| pen.name(&name[..length])), name[..length]);
        }
    }
}
