//! Carries out one invocation: faults before, room, a sandbox, faults after.
//!
//! *In*: a call. *Out*: its answer. *Never*: touches HTTP, or ends with its caller: it runs to its end as in AWS, whoever has gone away.

use super::answer::{Answer, FunctionError};
use super::fault::Fault;
use super::fault_book::Plan;
use super::fleet::Fleet;
use super::function::arn;
use super::refusal::{MAX_REQUEST_BYTES, Refusal};
use super::sandbox::{Broken, Ending, Event, Report, Sandbox};
use super::spoil::{Circumstances, after_running, instead_of_running};
use super::stats::ProcessEvent;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::sleep;

/// What a caller asks for.
#[derive(Debug)]
pub struct Call {
    pub request_id: String,
    pub qualifier: Option<String>,
    pub trace_id: String,
    pub payload: Bytes,
    pub dry_run: bool,
}

/// A run's answer, and its sandbox if that can be used again.
struct Ran {
    answer: Answer,
    sandbox: Option<Sandbox>,
}

/// Carries `call` out.
pub async fn carry_out(fleet: &Fleet, call: Call, plan: Plan, init_limit: Duration) -> Answer {
    if let Some(refusal) = refusal(&call) {
        return Answer::Refused(refusal);
    }
    if call.dry_run {
        return Answer::WouldRun;
    }
    if let Some(answer) = plan.fault.as_ref().and_then(instead_of_running) {
        sleep(plan.before + plan.after).await;
        return answer;
    }
    let room = match fleet.room() {
        Ok(room) => room,
        Err(refusal) => return Answer::Refused(refusal),
    };
    let answer = run_with_faults(fleet, call, &plan, init_limit).await;
    drop(room);
    answer
}

fn refusal(call: &Call) -> Option<Refusal> {
    if call.payload.len() > MAX_REQUEST_BYTES {
        return Some(Refusal::too_large());
    }
    if call.payload.is_empty() {
        return None;
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(&call.payload).err().map(|error| Refusal::content(&error))
}

async fn run_with_faults(fleet: &Fleet, call: Call, plan: &Plan, init_limit: Duration) -> Answer {
    wait(plan.before).await;
    let request_id = call.request_id.clone();
    let Ran { answer, sandbox } = run(fleet, event(fleet, call), init_limit).await;
    wait(plan.after).await;
    let previous = fleet.remember(&answer);
    let timeout = fleet.function.timeout;
    let around = Circumstances { request_id: &request_id, timeout, previous: previous.as_ref() };
    if let Some(sandbox) = sandbox {
        if plan.fault == Some(Fault::Timeout) {
            fleet.counters.process(ProcessEvent::Killed);
        } else {
            fleet.put_back(sandbox);
        }
    }
    match &plan.fault {
        Some(fault) => after_running(fault, answer, &around),
        None => answer,
    }
}

async fn wait(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

fn event(fleet: &Fleet, call: Call) -> Event {
    let payload = if call.payload.is_empty() { Bytes::from_static(b"{}") } else { call.payload };
    Event {
        request_id: call.request_id,
        arn: arn(&fleet.function.name, call.qualifier.as_deref()),
        trace_id: call.trace_id,
        payload,
        timeout: fleet.function.timeout,
    }
}

/// Runs the event in one sandbox; in another one if the first had ended before it took the event.
async fn run(fleet: &Fleet, mut event: Event, init_limit: Duration) -> Ran {
    let request_id = event.request_id.clone();
    loop {
        let sandbox = match fleet.take().await {
            Ok(sandbox) => sandbox,
            Err(error) => return failed(FunctionError::no_entrypoint(&request_id, &format!("{error:#}"))),
        };
        let ending = sandbox.run(event, init_limit, |init| fleet.counters.executed(init)).await;
        match ending {
            Ending::NeverTaken(back) => {
                fleet.counters.process(ProcessEvent::Exited);
                event = back;
            }
            Ending::Reported(report) => return Ran { answer: reported(report), sandbox: Some(sandbox) },
            Ending::Broken(how) => return failed(broken(fleet, &request_id, how, init_limit)),
        }
    }
}

fn reported(report: Report) -> Answer {
    match report {
        Report::Response(body) => Answer::Success(body),
        Report::ResponseTooLarge => Answer::FunctionError(FunctionError::response_too_large()),
        Report::Error(body) => Answer::FunctionError(FunctionError::reported(body)),
    }
}

fn broken(fleet: &Fleet, request_id: &str, broken: Broken, init_limit: Duration) -> FunctionError {
    let (event, error) = match broken {
        Broken::TimedOut => (ProcessEvent::Killed, FunctionError::timed_out(request_id, fleet.function.timeout)),
        Broken::InitTimedOut => (ProcessEvent::Killed, FunctionError::timed_out(request_id, init_limit)),
        Broken::InitFailed(Some(said), _) => (ProcessEvent::Exited, FunctionError::reported(said)),
        Broken::Exited(how) | Broken::InitFailed(None, how) => {
            (ProcessEvent::Exited, FunctionError::exited(request_id, how.as_deref()))
        }
    };
    fleet.counters.process(event);
    error
}

fn failed(error: FunctionError) -> Ran {
    Ran { answer: Answer::FunctionError(error), sandbox: None }
}
