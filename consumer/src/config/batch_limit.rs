//! How the batch limit follows the function: `batch.adaptive`, `batch.least`, and the budget of one invocation.

use super::Raw;
use crate::batch_limit::SizeSettings;
use runtime::config::{ConfigError, Settings};

/// Without a latency budget a call may take this part of the function's own time-out: growing on ends before a time-out does it.
const PART_OF_TIMEOUT: u32 = 2;

/// The default of `batch.least` gives way to a smaller `batch.records`; one that somebody wrote does not.
pub(super) fn validate(settings: &Settings, raw: &Raw) -> Result<SizeSettings, ConfigError> {
    let (least, most) = (raw.batch.least, raw.batch.records);
    if least == 0 || (least > most && settings.is_written("batch.least")) {
        return Err(settings.refuse("batch.least", format!("allowed is 1 to {most} (batch.records)")));
    }
    let wanted = raw.concurrency.latency_budget.get();
    let budget = if wanted.is_zero() { raw.function.timeout.get() / PART_OF_TIMEOUT } else { wanted };
    Ok(SizeSettings { adaptive: raw.batch.adaptive, least: least.min(most) as usize, most: most as usize, budget })
}
