//! What may go wrong between a client and AWS, and how often.

use serde_json::{Value, json};
use std::time::Duration;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// AWS refuses with this code and HTTP status; the request does not reach the service.
    Refuse(&'static str, u16),
    /// The connection is reset before the request reaches the service.
    Reset,
    /// The service does what it is asked; its answer breaks off after a third.
    Cut,
    /// The request reaches the service late.
    Late(Duration),
}

/// Which requests meet it: those of one service, one in so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// As AWS writes it in its signatures: `sqs`, `sns`, `dynamodb`, `s3`, `lambda`; `*` is every request.
    pub service: &'static str,
    pub fault: Fault,
    /// 1 is every request. The first of the rules that strikes takes the request.
    pub one_in: u32,
}

impl Rule {
    /// As microburst takes it.
    pub(super) fn json(&self) -> Value {
        let mut rule = match self.fault {
            Fault::Refuse(code, status) => json!({"error": {"code": code, "status": status}}),
            Fault::Reset => json!({"reset": true}),
            Fault::Cut => json!({"response": {"abort_frac": 0.3}}),
            Fault::Late(by) => json!({"latency": u64::try_from(by.as_millis()).unwrap_or(u64::MAX)}),
        };
        rule["service"] = json!(self.service);
        rule["sequence"] = json!({"fail": 1, "pass": self.one_in.saturating_sub(1)});
        rule
    }
}
