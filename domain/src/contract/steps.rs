//! A list of numbers as its first value and the differences that follow, with its exact length as text known at every step.

/// Numbers of one batch, kept whole; only their text form is differences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Steps {
    values: Vec<i64>,
    /// Length of `a,b,c`, the differences without brackets.
    text_len: usize,
}

impl Steps {
    pub(super) fn with_extent(values: usize) -> Self {
        Self { values: Vec::with_capacity(values), text_len: 0 }
    }

    pub(super) fn push(&mut self, value: i64) {
        self.text_len += self.growth(value);
        self.values.push(value);
    }

    /// How many bytes longer the differences' text would be with `value` added.
    pub(super) fn growth(&self, value: i64) -> usize {
        match self.values.last() {
            None => 0,
            Some(last) => usize::from(self.values.len() > 1) + digits(value.wrapping_sub(*last)),
        }
    }

    pub(super) fn values(&self) -> &[i64] {
        &self.values
    }

    pub(super) fn first(&self) -> i64 {
        self.values.first().copied().unwrap_or_default()
    }

    /// Length of the differences' text, without brackets.
    pub(super) fn text_len(&self) -> usize {
        self.text_len
    }

    /// Appends the differences, without brackets.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut int = itoa::Buffer::new();
        for (place, pair) in self.values.windows(2).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(int.format(pair[1].wrapping_sub(pair[0])).as_bytes());
        }
    }
}

/// The values that a first value and its differences stand for.
pub(super) fn restore(first: i64, steps: &[i64]) -> Vec<i64> {
    let mut value = first;
    let rest = steps.iter().map(|step| {
        value = value.wrapping_add(*step);
        value
    });
    std::iter::once(first).chain(rest).collect()
}

/// How many characters `value` has as text.
pub(super) fn digits(value: i64) -> usize {
    let sign = usize::from(value < 0);
    sign + value.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1)
}
