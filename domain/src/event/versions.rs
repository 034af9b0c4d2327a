//! Which versions of the event are known at a place: one of them, or both during a migration.

use std::fmt;

/// A set of versions that is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// schemas/telemetry-event.v1.json.
    V1,
    /// schemas/telemetry-event.v2.json.
    V2,
    Both,
}

/// Why numbers are no set of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoVersions {
    #[error("without a version no event is taken, allowed is 1, 2 or both")]
    Empty,
    #[error("version {0} does not exist, allowed is 1, 2 or both")]
    Unknown(u32),
    #[error("version {0} stands twice, allowed is 1, 2 or both")]
    Twice(u32),
}

impl Versions {
    pub fn contains(self, version: u64) -> bool {
        self.numbers().iter().any(|known| u64::from(*known) == version)
    }

    fn numbers(self) -> &'static [u32] {
        match self {
            Self::V1 => &[1],
            Self::V2 => &[2],
            Self::Both => &[1, 2],
        }
    }
}

impl TryFrom<&[u32]> for Versions {
    type Error = NoVersions;

    fn try_from(numbers: &[u32]) -> Result<Self, NoVersions> {
        for (place, number) in numbers.iter().enumerate() {
            if !Self::Both.contains(u64::from(*number)) {
                return Err(NoVersions::Unknown(*number));
            }
            if numbers.iter().take(place).any(|earlier| earlier == number) {
                return Err(NoVersions::Twice(*number));
            }
        }
        match (numbers.contains(&1), numbers.contains(&2)) {
            (true, true) => Ok(Self::Both),
            (true, false) => Ok(Self::V1),
            (false, true) => Ok(Self::V2),
            (false, false) => Err(NoVersions::Empty),
        }
    }
}

/// As it stands in a refusal: `1`, or `1 or 2`.
impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "1",
            Self::V2 => "2",
            Self::Both => "1 or 2",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{NoVersions, Versions};

    #[test]
    fn numbers_are_a_set_or_one_sentence() {
        let cases: [(&[u32], _); 9] = [
            (&[1], Ok(Versions::V1)),
            (&[2], Ok(Versions::V2)),
            (&[1, 2], Ok(Versions::Both)),
            (&[2, 1], Ok(Versions::Both)),
            (&[], Err(NoVersions::Empty)),
            (&[0], Err(NoVersions::Unknown(0))),
            (&[1, 2, 3], Err(NoVersions::Unknown(3))),
            (&[2, 2], Err(NoVersions::Twice(2))),
            (&[1, 2, 1], Err(NoVersions::Twice(1))),
        ];
        for (numbers, want) in cases {
            assert_eq!(Versions::try_from(numbers), want, "{numbers:?}");
        }
    }
}
