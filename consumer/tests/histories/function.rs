//! The function of all members: does what is scripted, knows what it delivered, and looks at every call that it gets.

use crate::lasting;
use crate::log::{Kind, Record};
use crate::rules::ATTEMPTS;
use crate::step::{Does, Garble, Reply};
use crate::truth::{Shared, Truth};
use bytes::Bytes;
use consumer::invoke::{InvokeFailure, Invoker};
use domain::contract::{Listed, Request, Response};
use domain::failure::FailureClass;
use domain::fence::{Fence, Passed};
use domain::offset::Offset;
use domain::verdict::Verdict;
use std::collections::HashSet;

/// There is one log for each partition, and it is never made anew.
const LOG: &str = "one";

/// As one member calls it.
pub struct Function {
    pub truth: Shared,
    pub member: u64,
}

/// A call under way.
struct Call {
    tenure: usize,
    partition: usize,
    lane: u32,
    batch: String,
    /// The first offset of the lane that its owner was given.
    since: Offset,
    offsets: Vec<i64>,
    reply: Reply,
}

impl Invoker for Function {
    async fn invoke(&self, _: &str, payload: bytes::Bytes) -> Result<Bytes, InvokeFailure> {
        self.truth.breathe(self.member).await;
        let call = self.truth.see().begin(self.member, &Request::decode(&payload).unwrap());
        lasting(call.reply.after).await;
        let answer = self.truth.see().end(&call);
        // What runs goes on when its caller is killed; nobody hears of it.
        self.truth.breathe(self.member).await;
        answer
    }

    async fn check(&self, _: &str) -> Result<(), InvokeFailure> {
        Ok(())
    }
}

impl Truth {
    fn begin(&mut self, member: u64, request: &Request<'_>) -> Call {
        let (partition, lane) = (usize::try_from(request.partition).unwrap(), request.lane);
        let tenure = self.delivering(member, partition);
        let offsets: Vec<i64> = request.records().map(|record| record.offset.0).collect();
        self.look_at(tenure, request);
        self.trust_fence(partition, lane, &offsets);
        let calls = self.tenures[tenure].calls.entry(lane).or_default();
        *calls += 1;
        if *calls > 1 {
            self.blame(format!("lane {lane} of partition {partition} has two calls at once: {offsets:?}"));
        }
        let usual = Reply { does: Does::Deliver, after: self.setup.latency };
        let reply = self.script.pop_front().unwrap_or(usual);
        let since = Offset(request.since.unwrap());
        Call { tenure, partition, lane, batch: request.batch_id.to_string(), since, offsets, reply }
    }

    /// A dispatcher that keeps a fence would deliver none of these again.
    fn trust_fence(&mut self, partition: usize, lane: u32, offsets: &[i64]) {
        let Some(fence) = self.fences.get(&(partition, lane)) else { return };
        let held: Vec<i64> = offsets.iter().copied().filter(|offset| fence.holds(LOG, Offset(*offset))).collect();
        let unknown = |record: &Record| !record.delivered && record.letters == 0;
        let lost: Vec<i64> =
            held.iter().copied().filter(|offset| unknown(&self.logs[partition].records[offset])).collect();
        if !held.is_empty() {
            self.note("a fence holds a record that comes again");
        }
        if !lost.is_empty() {
            self.blame(format!(
                "the fence of lane {lane} of partition {partition} holds {lost:?}, which never arrived"
            ));
        }
    }

    fn raise_fence(&mut self, call: &Call, verdicts: &[(Offset, Verdict)]) {
        let open = verdicts.iter().find(|(_, verdict)| !matches!(verdict, Verdict::Delivered | Verdict::Duplicate));
        let end = call.offsets.last().map_or(0, |last| last + 1);
        let passed = Passed { log: LOG, since: call.since, open: open.map_or(Offset(end), |(offset, _)| *offset) };
        let lane = (call.partition, call.lane);
        if let Some(after) = Fence::after(self.fences.get(&lane), passed) {
            self.fences.insert(lane, after);
        }
    }

    /// Everything that may be sent is what this owner polled and has not finished, byte for byte, on its lane.
    fn look_at(&mut self, tenure: usize, request: &Request<'_>) {
        let (owner, now, mut broken) = (&self.tenures[tenure], self.now(), Vec::new());
        let partition = owner.partition;
        if owner.over.is_some_and(|over| over < now) {
            broken.push(format!("a call begins for partition {partition}, which is gone since {:?}", owner.over));
        }
        for sent in request.records() {
            let offset = sent.offset.0;
            let Some(record) = self.logs[partition].records.get(&offset).filter(|_| offset < owner.position) else {
                broken.push(format!("{offset} of partition {partition} is sent and was never polled"));
                continue;
            };
            if record.value != sent.value.as_bytes() || owner.lane(offset, record) != request.lane {
                broken.push(format!("{offset} of partition {partition} is sent with another value or on another lane"));
            }
            if owner.is_condemned(offset, record) && request.records().count() == 1 {
                broken.push(format!("{offset} of partition {partition} has failed often enough and is called again"));
            }
            if owner.finished(offset) || owner.is_aside(offset, record) {
                broken.push(format!("{offset} of partition {partition} is finished and is sent again"));
            }
        }
        self.broken.extend(broken);
    }

    fn end(&mut self, call: &Call) -> Result<Bytes, InvokeFailure> {
        *self.tenures[call.tenure].calls.get_mut(&call.lane).unwrap() -= 1;
        if self.tenures[call.tenure].over.is_some() {
            self.note("an answer comes too late");
        }
        if self.dead.contains(&self.tenures[call.tenure].member) {
            self.note("a call outlives its process");
        }
        let fail = |class| Err(InvokeFailure::new(class, "scripted"));
        let poison = call.offsets.iter().position(|offset| self.kind(call, *offset) == Kind::Poison);
        match (&call.reply.does, poison) {
            (Does::Throttle, _) => fail(FailureClass::Throttled),
            (Does::Forbid, _) => fail(FailureClass::Ours),
            (Does::Lose { ran: false }, _) => fail(FailureClass::Transient),
            (Does::Garble { how, ran: false }, _) => Ok(garbled(call, *how)),
            (Does::TooLarge, _) if call.offsets.len() > 1 => fail(FailureClass::TooLarge),
            (_, Some(first)) => self.break_down(call, first, false, false),
            (Does::Fail { delivered }, None) => self.break_down(call, *delivered, true, false),
            (Does::TimeOut { ran }, None) => self.break_down(call, usize::from(*ran) * call.offsets.len(), true, true),
            (Does::Lose { ran: true }, None) => {
                self.run(call, 0);
                fail(FailureClass::Transient)
            }
            (Does::Garble { how, ran: true }, None) => {
                self.run(call, 0);
                Ok(garbled(call, *how))
            }
            (Does::Retry(bits), None) => Ok(self.answer(call, *bits)),
            (Does::Deliver | Does::TooLarge, None) => Ok(self.answer(call, 0)),
        }
    }

    /// The function fails as a whole after it has delivered the first records.
    fn break_down(&mut self, call: &Call, first: usize, accident: bool, late: bool) -> Result<Bytes, InvokeFailure> {
        for offset in call.offsets.iter().take(first) {
            if self.kind(call, *offset) == Kind::Good {
                self.deliver(call.partition, *offset);
            }
        }
        for offset in &call.offsets {
            if self.fail(call, *offset, accident) == ATTEMPTS {
                self.note("a record fails for the last time");
            }
        }
        let failure = InvokeFailure::new(FailureClass::FunctionError, "scripted");
        Err(InvokeFailure { timed_out: late, ..failure })
    }

    /// One more function error for a record; gives how many there were.
    fn fail(&mut self, call: &Call, offset: i64, accident: bool) -> u32 {
        let (now, owner) = (self.now(), &mut self.tenures[call.tenure]);
        let alone = call.offsets.len() == 1;
        let record = self.logs[call.partition].records.get_mut(&offset).unwrap();
        let answered = self.answered.get(&owner.member).copied();
        let before = record.failed.replace((call.tenure, now)).filter(|(whose, _)| *whose == call.tenure);
        let before = before.map(|(_, at)| at);
        record.accidents += u32::from(accident);
        // Of what another owner saw, and of the same moment, nobody knows which came first.
        record.proofs += u32::from(before.is_none_or(|before| answered.is_some_and(|answered| answered >= before)));
        let certain = before.zip(answered).is_some_and(|(before, answered)| before < answered && answered < now);
        let failures = owner.failed(offset, record, certain || !alone);
        // Without accidents the function never passes for one that fails at random.
        let proved = owner.proved(offset, certain);
        if self.setup.calm && alone && certain && proved && owner.certain(offset, record) >= ATTEMPTS {
            owner.condemned.insert(offset);
        }
        failures
    }

    /// The answer arrives; its verdicts count for the owner.
    fn answer(&mut self, call: &Call, again: u8) -> Bytes {
        let (verdicts, now) = (self.run(call, again), self.now());
        if verdicts.iter().any(|(_, verdict)| !matches!(verdict, Verdict::Retry { .. })) {
            self.answered.insert(self.tenures[call.tenure].member, now);
        }
        for (Offset(offset), verdict) in &verdicts {
            let owner = &mut self.tenures[call.tenure];
            owner.acquitted(*offset, &self.logs[call.partition].records[offset]);
            if matches!(verdict, Verdict::Delivered | Verdict::Duplicate) {
                owner.answered.insert(*offset);
            }
        }
        Bytes::from(serde_json::to_vec(&Response::from_verdicts(&call.batch, verdicts)).unwrap())
    }

    fn run(&mut self, call: &Call, again: u8) -> Vec<(Offset, Verdict)> {
        let (mut verdicts, mut held) = (Vec::new(), HashSet::new());
        for (nth, offset) in call.offsets.iter().enumerate() {
            let key = self.logs[call.partition].records[offset].key.clone();
            let waits = again >> (nth % 8) & 1 == 1 || key.as_ref().is_some_and(|key| held.contains(key));
            let verdict = if self.kind(call, *offset) == Kind::Rejected {
                Verdict::Rejected { reason: "schema".into(), detail: "no".into() }
            } else if waits {
                held.extend(key);
                Verdict::Retry { reason: "busy".into(), detail: "later".into() }
            } else {
                self.deliver(call.partition, *offset)
            };
            verdicts.push((Offset(*offset), verdict));
        }
        self.raise_fence(call, &verdicts);
        verdicts
    }

    fn deliver(&mut self, partition: usize, offset: i64) -> Verdict {
        if self.logs[partition].records[&offset].delivered {
            self.note("a record is delivered again");
            return if self.setup.dedupe { Verdict::Duplicate } else { Verdict::Delivered };
        }
        if let Some(earlier) = self.logs[partition].overtaken(offset) {
            self.blame(format!("{offset} of partition {partition} is delivered before {earlier} of the same key"));
        }
        self.logs[partition].records.get_mut(&offset).unwrap().delivered = true;
        Verdict::Delivered
    }

    fn kind(&self, call: &Call, offset: i64) -> Kind {
        self.logs[call.partition].records[&offset].kind
    }
}

/// What is no answer to this call.
fn garbled(call: &Call, how: Garble) -> Bytes {
    let all = call.offsets.iter().map(|offset| (Offset(*offset), Verdict::Delivered));
    let mut response = Response::from_verdicts(&call.batch, all);
    match how {
        Garble::Noise => return Bytes::from_static(b"<html>bad gateway</html>"),
        Garble::OtherBatch => response.batch_id.push('1'),
        Garble::OtherCount => response.delivered += 1,
        Garble::OtherVersion => response.version += 1,
        Garble::OtherOffset => {
            response.delivered -= 1;
            let detail = String::new();
            response.rejected.push(Listed { offset: Offset(i64::MAX), reason: "schema".into(), detail });
        }
    }
    Bytes::from(serde_json::to_vec(&response).unwrap())
}
