//! From when until when a certificate holds.

use std::time::Duration;

use time::OffsetDateTime;

const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Both ends of a certificate's life; certificates know whole seconds only.
pub struct Validity {
    pub from: OffsetDateTime,
    pub until: OffsetDateTime,
}

impl Validity {
    /// A year. It begins an hour ago, for the sake of clocks that are late.
    pub fn long() -> Self {
        Self::lasting(YEAR)
    }

    /// `lifetime` from now.
    pub fn lasting(lifetime: Duration) -> Self {
        let now = OffsetDateTime::now_utc();
        Self { from: now - HOUR, until: now + lifetime }
    }

    /// Over for an hour.
    pub fn past() -> Self {
        let now = OffsetDateTime::now_utc();
        Self { from: now - YEAR, until: now - HOUR }
    }
}
