//! A function that answers by script and remembers its calls.

use super::lasting;
use bytes::Bytes;
use consumer::invoke::{InvokeFailure, Invoker};
use domain::contract::{Request, Response};
use domain::failure::FailureClass;
use domain::offset::Offset;
use domain::verdict::Verdict;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the function does with one call; `Deliver` when the script is at its end.
#[derive(Debug, Clone)]
pub enum Answer {
    Deliver,
    Fail(FailureClass),
    Reject(Vec<i64>),
    Retry(Vec<i64>),
    Malformed,
    Panic,
    TimeOut,
    Throttle(Duration),
}

/// One call as the function saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub function: String,
    pub partition: i32,
    pub lane: u32,
    pub offsets: Vec<i64>,
    pub attempt: u32,
    pub traceparent: Option<String>,
}

/// Calls that failed because of records at fault, by record.
pub type Harm = HashMap<(i32, i64), u32>;

#[derive(Default)]
struct Script {
    /// The function fails as a whole at these records.
    poison: HashSet<(i32, i64)>,
    always_fails: bool,
    /// Fails at so many calls of a hundred, whatever they send.
    fails_at_some: u32,
    /// Where chance stands.
    chance: u64,
    harm: Harm,
    answers: VecDeque<Answer>,
    latency: Duration,
    /// What it does when the script is at its end.
    standing: Option<Answer>,
    /// The same for single functions, before everything else.
    functions: HashMap<String, Answer>,
    /// Calls with more records are not answered in time, which is so long.
    most: Option<(usize, Duration)>,
    /// Every call is throttled, and told to come again after so long.
    again_after: Option<Duration>,
    /// More calls at once are throttled.
    room: Option<usize>,
    calls: Vec<Call>,
    running: HashMap<(i32, u32), usize>,
    overlaps: usize,
}

/// A function that does what the script says; clones are the same function.
#[derive(Clone, Default)]
pub struct FakeLambda(Arc<Mutex<Script>>);

impl FakeLambda {
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.0.lock().unwrap().answers.extend(answers);
    }

    /// From now on the function fails at this record.
    pub fn poison(&self, partition: i32, offset: i64) {
        self.0.lock().unwrap().poison.insert((partition, offset));
    }

    /// Takes all records again.
    pub fn heal(&self) {
        self.0.lock().unwrap().poison.clear();
    }

    /// Whether it fails whatever it gets.
    pub fn always_fails(&self, always: bool) {
        self.0.lock().unwrap().always_fails = always;
    }

    /// At how many calls of a hundred it fails, whatever it gets.
    pub fn fails_at_some(&self, share: u32) {
        self.0.lock().unwrap().fails_at_some = share;
    }

    pub fn harm(&self) -> Harm {
        self.0.lock().unwrap().harm.clone()
    }

    pub fn latency(&self, latency: Duration) {
        self.0.lock().unwrap().latency = latency;
    }

    /// Does the same to every call that is not scripted; `None` delivers again.
    pub fn standing(&self, answer: Option<Answer>) {
        self.0.lock().unwrap().standing = answer;
    }

    /// Does the same to every call of one function; `None` treats it like the others again.
    pub fn standing_of(&self, function: &str, answer: Option<Answer>) {
        let functions = &mut self.0.lock().unwrap().functions;
        match answer {
            Some(answer) => _ = functions.insert(function.to_owned(), answer),
            None => _ = functions.remove(function),
        }
    }

    /// From now on calls with more records end with the function's timeout.
    pub fn times_out_above(&self, most: Option<(usize, Duration)>) {
        self.0.lock().unwrap().most = most;
    }

    /// Throttles everything, and says how long to wait.
    pub fn throttle_for(&self, span: Option<Duration>) {
        self.0.lock().unwrap().again_after = span;
    }

    /// Throttles, at once, whatever is more than so many calls at a time.
    pub fn room(&self, calls: Option<usize>) {
        self.0.lock().unwrap().room = calls;
    }

    pub fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().calls.clone()
    }

    /// How often a lane had two calls at once.
    pub fn overlaps(&self) -> usize {
        self.0.lock().unwrap().overlaps
    }

    fn begin(&self, request: &Request<'_>, call: Call) -> (Answer, Duration) {
        let mut script = self.0.lock().unwrap();
        let own = script.functions.get(&call.function).cloned();
        let at_fault: Vec<_> = call.offsets.iter().map(|offset| (call.partition, *offset)).collect();
        let records = call.offsets.len();
        script.calls.push(call);
        let running = script.running.entry((request.partition, request.lane)).or_default();
        *running += 1;
        let overlap = *running > 1;
        script.overlaps += usize::from(overlap);
        let at_fault: Vec<_> = at_fault.into_iter().filter(|record| script.poison.contains(record)).collect();
        at_fault.iter().for_each(|record| *script.harm.entry(*record).or_default() += 1);
        script.chance = script.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unlucky = (script.chance >> 33) % 100 < u64::from(script.fails_at_some);
        if script.always_fails || unlucky || !at_fault.is_empty() {
            return (Answer::Fail(FailureClass::FunctionError), script.latency);
        }
        let under_way: usize = script.running.values().sum();
        if script.room.is_some_and(|room| under_way > room) {
            return (Answer::Fail(FailureClass::Throttled), Duration::from_millis(5));
        }
        if let Some(span) = script.again_after {
            return (Answer::Throttle(span), script.latency);
        }
        if let Some(answer) = own {
            return (answer, script.latency);
        }
        if let Some((_, timeout)) = script.most.filter(|(most, _)| records > *most) {
            return (Answer::TimeOut, timeout);
        }
        let standing = script.standing.clone().unwrap_or(Answer::Deliver);
        (script.answers.pop_front().unwrap_or(standing), script.latency)
    }
}

impl Invoker for FakeLambda {
    async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeFailure> {
        let request = Request::decode(&payload).unwrap();
        let offsets: Vec<i64> = request.records().map(|record| record.offset.0).collect();
        let lane = (request.partition, request.lane);
        let call = Call {
            function: function.to_owned(),
            partition: lane.0,
            lane: lane.1,
            offsets: offsets.clone(),
            attempt: request.attempt,
            traceparent: request.traceparent.as_deref().map(str::to_owned),
        };
        let (answer, latency) = self.begin(&request, call);
        lasting(latency).await;
        *self.0.lock().unwrap().running.get_mut(&lane).unwrap() -= 1;
        let verdict = |offset: i64| match &answer {
            Answer::Reject(list) if list.contains(&offset) => {
                Verdict::Rejected { reason: "schema".into(), detail: "no".into() }
            }
            Answer::Retry(list) if list.contains(&offset) => {
                Verdict::Retry { reason: "busy".into(), detail: "later".into() }
            }
            _ => Verdict::Delivered,
        };
        match answer {
            Answer::Fail(class) => return Err(InvokeFailure::new(class, "scripted")),
            Answer::Throttle(span) => {
                let failure = InvokeFailure::new(FailureClass::Throttled, "scripted");
                return Err(InvokeFailure { retry_after: Some(span), ..failure });
            }
            Answer::TimeOut => {
                let failure = InvokeFailure::new(FailureClass::FunctionError, "Task timed out");
                return Err(InvokeFailure { timed_out: true, ..failure });
            }
            Answer::Malformed => return Ok(Bytes::from_static(b"{\"version\":1}")),
            Answer::Panic => panic!("scripted"),
            Answer::Deliver | Answer::Reject(_) | Answer::Retry(_) => {}
        }
        let verdicts = offsets.iter().map(|offset| (Offset(*offset), verdict(*offset)));
        Ok(Bytes::from(serde_json::to_vec(&Response::from_verdicts(&request.batch_id, verdicts)).unwrap()))
    }

    async fn check(&self, _: &str) -> Result<(), InvokeFailure> {
        Ok(())
    }
}
