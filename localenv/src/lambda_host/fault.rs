//! Faults on command: what goes wrong, to which function, how often and for how long.

use super::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One rule of the fault script. As JSON:
/// `{"function":"dispatcher","share":0.1,"count":5,"for_ms":2000,"fault":{"kind":"status","status":429}}`; only `fault` is needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Only this function; all when absent.
    #[serde(default)]
    pub function: Option<String>,
    /// Which share of the invocations it strikes, 0 to 1.
    #[serde(default = "all")]
    pub share: f64,
    /// How many times it strikes at most.
    #[serde(default)]
    pub count: Option<u64>,
    /// How long it stays, from when it was added.
    #[serde(default)]
    pub for_ms: Option<u64>,
    pub fault: Fault,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The invocation takes longer; it holds its process and its concurrency meanwhile, but its timeout is not touched.
    Latency {
        #[serde(default)]
        when: When,
        wait: Wait,
    },
    /// The service refuses; the function does not run. Missing parts are what AWS sends with that status.
    Status {
        status: u16,
        #[serde(default)]
        error_type: Option<String>,
        #[serde(default)]
        reason: Option<String>,
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    /// The connection is reset, before the function runs or when it has done its work.
    Reset {
        #[serde(default)]
        when: When,
    },
    /// The function does all its work, and is then said to have timed out; its process is killed.
    Timeout,
    /// The function does its work, and then its answer is this body, or the first half of the true one.
    Garbage {
        #[serde(default)]
        body: Option<String>,
    },
    /// The function does its work, and then its answer is that of another batch.
    OtherBatch,
    /// The function does its work, and then `delivered` is off by this much.
    Miscount {
        #[serde(default = "one")]
        by: i64,
    },
    /// A function error, without a run (`before`) or when the work is done (`after`).
    FunctionError {
        #[serde(default)]
        when: When,
        #[serde(default = "ordered")]
        error_type: String,
        #[serde(default)]
        message: String,
    },
}

/// On which side of the function's run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    #[default]
    Before,
    After,
}

/// How long: `{"fixed_ms":800}` or `{"min_ms":100,"max_ms":300}`, evenly spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Wait {
    Fixed { fixed_ms: u64 },
    Between { min_ms: u64, max_ms: u64 },
}

impl Wait {
    /// The wait that belongs to a dice roll of 0 to 1.
    pub fn roll(self, dice: f64) -> Duration {
        match self {
            Self::Fixed { fixed_ms } => Duration::from_millis(fixed_ms),
            Self::Between { min_ms, max_ms } => {
                let span = Duration::from_millis(max_ms.saturating_sub(min_ms));
                Duration::from_millis(min_ms) + span.mul_f64(dice.clamp(0.0, 1.0))
            }
        }
    }
}

impl Fault {
    /// The refusal that a `Status` fault orders.
    pub fn refusal(&self) -> Option<Refusal> {
        let Self::Status { status, error_type, reason, retry_after_s } = self else { return None };
        let usual = Refusal::of_status(*status);
        Some(Refusal {
            error_type: error_type.clone().unwrap_or(usual.error_type),
            reason: reason.clone().or(usual.reason),
            retry_after_s: retry_after_s.or(usual.retry_after_s),
            ..usual
        })
    }

    /// A fixed latency before the run.
    pub fn latency(wait: Duration) -> Self {
        Self::Latency { when: When::Before, wait: Wait::Fixed { fixed_ms: wait.as_millis() as u64 } }
    }

    /// A refusal with all that AWS usually sends with this status.
    pub fn status(status: u16) -> Self {
        Self::Status { status, error_type: None, reason: None, retry_after_s: None }
    }
}

impl Rule {
    /// Strikes every invocation of every function until it is cleared.
    pub fn always(fault: Fault) -> Self {
        Self { function: None, share: all(), count: None, for_ms: None, fault }
    }

    /// Strikes the next `count` invocations.
    pub fn times(count: u64, fault: Fault) -> Self {
        Self { count: Some(count), ..Self::always(fault) }
    }

    /// Only invocations of this function.
    pub fn only(self, function: &str) -> Self {
        Self { function: Some(function.into()), ..self }
    }

    /// Only this share of the invocations, 0 to 1.
    pub fn share(self, share: f64) -> Self {
        Self { share, ..self }
    }

    /// What is wrong with the rule, if anything.
    pub fn problem(&self) -> Option<String> {
        if !(0.0..=1.0).contains(&self.share) {
            return Some(format!("share {}: allowed is 0 to 1", self.share));
        }
        match &self.fault {
            Fault::Status { status, .. } if !(400..=599).contains(status) => {
                Some(format!("status {status}: allowed is 400 to 599"))
            }
            Fault::Latency { wait: Wait::Between { min_ms, max_ms }, .. } if min_ms > max_ms => {
                Some(format!("min_ms {min_ms} is over max_ms {max_ms}"))
            }
            _ => None,
        }
    }
}

fn all() -> f64 {
    1.0
}

fn one() -> i64 {
    1
}

fn ordered() -> String {
    "Function.Ordered".into()
}
