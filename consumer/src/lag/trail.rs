//! One partition in one generation: what was polled, what Kafka said, and what follows for the lag.

use super::gaps::Gaps;
use super::log_end::LogEnd;
use super::samples::Samples;
use super::{Committed, Found, Lag, Look, Lost, Why};

/// A record that the log showed only so lately is about to be polled; nobody need ask for it.
const SOON_MS: i64 = 1_000;

/// So many looks in a row at which nothing came although the offset is gone: what was read ahead would have come.
const LEAP: u8 = 4;

/// Without a look for so long nobody knows what came since.
const BLIND_MS: i64 = 10_000;

/// See the head of [`super`].
#[derive(Debug, Default)]
pub struct Trail {
    /// When the partition was assigned.
    began_ms: Option<i64>,
    /// What the group had committed then.
    committed: Option<Committed>,
    /// Without a usable offset reading begins at the end of the log.
    from_end: bool,
    /// A record of this generation was polled.
    read: bool,
    /// Where this generation began to read; `None` while unknown.
    start: Option<i64>,
    /// The next offset to be polled.
    position: Option<i64>,
    /// Polled records: offset and broker timestamp.
    polled: Samples,
    /// Looks: end of the log, and when it was asked.
    ends: Samples,
    log: Option<Look>,
    found: Option<Answer>,
    gaps: Gaps,
    /// So many looks in a row showed that the record at this position was deleted.
    overtaken: Option<(i64, u8)>,
    log_end: LogEnd,
    /// Reading goes on at the end of the log as it is then, wherever that is.
    jumps: bool,
    skip: Option<Skip>,
    lost: u64,
}

/// Records that were skipped, which is told with the next look; without `from` since the beginning of the log.
#[derive(Debug, Clone, Copy)]
struct Skip {
    from: Option<i64>,
    to: i64,
}

/// What Kafka said of the first record from `from` on, in a log that then ended at `end`.
#[derive(Debug, Clone, Copy)]
struct Answer {
    from: i64,
    end: i64,
    found: Found,
}

impl Trail {
    /// Without a usable offset reading begins at the end of the log, or where it begins.
    pub fn new(from_end: bool) -> Self {
        Self { from_end, ..Self::default() }
    }

    /// The partition was assigned at `now_ms`; called before its first record is polled.
    pub fn begin(&mut self, committed: Committed, now_ms: i64) {
        self.began_ms = Some(now_ms);
        self.committed = Some(committed);
        if let Committed::Next(next) = committed {
            (self.start, self.position) = (Some(next), Some(next));
        }
    }

    /// Where reading begins although nothing was committed; false when that is known.
    pub fn settle(&mut self, offset: i64) -> bool {
        let unknown = self.place().is_none();
        if unknown {
            self.committed = Some(Committed::Next(offset));
            (self.start, self.position) = (Some(offset), Some(offset));
        }
        unknown
    }

    /// A record arrived. A timestamp of 0 or below is none.
    pub fn received(&mut self, offset: i64, timestamp_ms: i64) {
        if let Some(due) = self.position.filter(|due| offset > *due) {
            if self.jumps {
                self.skip = Some(Skip { from: self.skip.map_or(Some(due), |skip| skip.from), to: offset });
            } else {
                self.gaps.note(due, offset);
            }
        }
        self.jumps = false;
        self.start.get_or_insert(offset);
        self.position = Some(offset + 1);
        self.read = true;
        if timestamp_ms > 0 {
            self.polled.note(offset, timestamp_ms);
        }
    }

    /// Kafka was asked how its log stands. Gives what retention deleted before it was read; each record of it once.
    pub fn looked(&mut self, look: Look, paused: bool) -> Vec<Lost> {
        self.ends.note(look.end, look.at_ms);
        self.log_end.look(look.end, self.place());
        self.log = Some(look);
        let Some(position) = self.position.or_else(|| self.first(look)) else { return Vec::new() };
        self.position = Some(position);
        self.start.get_or_insert(position);
        let mut lost = self.gaps.judge(look.low, self.from_end);
        if let Some(Skip { from, to }) = self.skip.take() {
            lost.push(Lost { from: from.unwrap_or(look.low).min(to), to, why: Why::Skipped });
            lost.retain(|lost| lost.to > lost.from);
        }
        // What was read ahead may still come. Of a partition paused by hand, or from an empty log, nothing does.
        let overtaken = look.low > position;
        let before = self.overtaken.filter(|(at, _)| *at == position).map_or(0, |(_, looks)| looks);
        if overtaken && before > 0 && (paused || look.low == look.end) {
            lost.push(Lost { from: position, to: look.low, why: Why::Deleted });
            self.position = Some(look.low);
            self.jumps = self.from_end;
        }
        self.overtaken = overtaken.then_some((position, before.saturating_add(1)));
        self.lost += lost.iter().map(|lost| lost.records()).sum::<u64>();
        lost
    }

    /// The same where reading goes on at the end when the offset is gone, which the client has done by then without a record that shows it: all that
    /// is there is skipped, and the next offset is the end that the look showed.
    pub fn leap(&mut self, look: Look) -> Vec<Lost> {
        let Some((from, _)) = self.overtaken.filter(|(_, looks)| *looks >= LEAP) else { return Vec::new() };
        let deleted = Lost { from, to: look.low, why: Why::Deleted };
        let skipped = Lost { from: look.low, to: look.end, why: Why::Skipped };
        self.lost += deleted.records() + skipped.records();
        (self.position, self.overtaken) = (Some(look.end), None);
        vec![deleted, skipped]
    }

    /// The offset of an unfinished record that was not polled, and whose time is not known. `next` is the first unfinished
    /// record that was polled, or one past the last.
    pub fn wanted(&self, next: Option<i64>, now_ms: i64) -> Option<i64> {
        let unread = self.unread_behind(next)?;
        let soon = self.ends.at(unread).is_some_and(|at_ms| now_ms - at_ms < SOON_MS);
        (!soon && self.answer(unread).is_none()).then_some(unread)
    }

    /// Kafka was asked for the first record from `from` on.
    pub fn found(&mut self, from: i64, found: Found) {
        let end = self.log.map_or(from, |log| log.end);
        self.found = Some(Answer { from, end, found });
    }

    /// The lag at `now_ms`. `next` as in [`Self::wanted`]; `committed` and `end` as far as others know more than this.
    pub fn lag(&self, next: Option<i64>, committed: Option<i64>, end: Option<i64>, now_ms: i64) -> Lag {
        let blind_ms = self.log.map(|log| now_ms - log.at_ms).filter(|span| *span >= BLIND_MS);
        let age_ms = self.oldest_ms(next).map_or(0, |since| (now_ms - since).max(0)).max(blind_ms.unwrap_or(0));
        // A commit beyond what was read is of a log that is no more.
        let committed = committed.filter(|next| self.position.is_none_or(|position| *next <= position));
        let from = committed.max(self.start).max(self.log.map(|log| log.low));
        let end = end.max(self.log.map(|log| log.end)).max(self.position);
        let end = if end.is_some() && end <= self.bare_up_to() { self.unread() } else { end };
        let records = from.zip(end).and_then(|(from, end)| u64::try_from(end - from).ok()).unwrap_or(0);
        Lag { records, seconds: age_ms as f64 / 1_000.0, lost: self.lost }
    }

    /// Everything below `next` is finished.
    pub fn forget(&mut self, next: Option<i64>) {
        if let Some(next) = next {
            self.polled.forget(next);
        }
        if let Some(unread) = self.unread() {
            self.ends.forget(unread);
        }
    }

    /// Where reading stands; `None` when nothing was committed and nothing was polled yet.
    pub fn position(&self) -> Option<i64> {
        let nothing = matches!(self.committed, Some(Committed::Nothing)) && !self.read;
        self.position.filter(|_| !nothing)
    }

    /// The same, as far as it is certain: what was committed, or one past the last record that was polled.
    pub fn place(&self) -> Option<i64> {
        let known = self.read || matches!(self.committed, Some(Committed::Next(_)));
        self.position.filter(|_| known)
    }

    /// Whether a record at `offset` lies before what was read or committed.
    pub fn goes_back(&self, offset: i64) -> bool {
        self.position.is_some_and(|position| offset < position) && self.place().is_some()
    }

    /// Whether the last look showed a log that ends before that.
    pub fn is_in_doubt(&self) -> bool {
        self.log_end.is_in_doubt()
    }

    /// Where Kafka's client goes on in a log that ends before what was read or committed; `None` while it does not.
    pub fn anew(&self) -> Option<i64> {
        let log = self.log.filter(|_| self.log_end.is_short())?;
        Some(if self.from_end { log.end } else { log.low })
    }

    /// The trail of a partition that goes on in another log at `to`, before where it stood.
    pub fn back(&self, to: i64, now_ms: i64) -> Self {
        let mut back = Self::new(self.from_end);
        back.begin(Committed::Next(to), now_ms);
        if self.from_end {
            (back.jumps, back.skip) = (true, Some(Skip { from: None, to }));
        }
        back
    }

    /// The trail of a partition that begins with the first record of another topic of its name, whatever the configured start.
    pub fn of_another_topic(&self, now_ms: i64) -> Self {
        let mut new = Self::new(self.from_end);
        new.begin(Committed::Next(0), now_ms);
        new
    }

    /// Where reading begins without a commit; `None` while that is not known.
    fn first(&self, look: Look) -> Option<i64> {
        match self.committed? {
            Committed::Nothing if self.from_end => Some(look.end),
            _ => Some(look.low),
        }
    }

    /// When the oldest unfinished record came; `None` when there is none.
    fn oldest_ms(&self, next: Option<i64>) -> Option<i64> {
        let Some(position) = self.position else { return self.began_ms };
        if let Some(next) = next.filter(|next| *next < position) {
            return self.polled.at(next).or(self.began_ms);
        }
        if self.log.is_none() && self.polled.last().is_none() {
            return self.began_ms;
        }
        let unread = self.unread_behind(next)?;
        match self.answer(unread) {
            Some(Found::Nothing) => None,
            Some(Found::Record { timestamp_ms }) => Some(timestamp_ms),
            None => match self.ends.at(unread) {
                Some(at_ms) => Some(at_ms.max(self.polled.last().unwrap_or(at_ms))),
                None => self.polled.last().or(self.began_ms),
            },
        }
    }

    /// The first offset that was neither polled nor deleted.
    fn unread(&self) -> Option<i64> {
        self.position.max(self.log.map(|log| log.low))
    }

    /// The same, when everything polled is finished and the log goes on there.
    fn unread_behind(&self, next: Option<i64>) -> Option<i64> {
        let busy = next.zip(self.position).is_some_and(|(next, position)| next < position);
        self.unread().filter(|unread| !busy && self.log.is_some_and(|log| log.end > *unread))
    }

    /// Up to where no record stands behind those that were polled, although the log goes on: markers of transactions, and what was aborted.
    fn bare_up_to(&self) -> Option<i64> {
        let bare = self.answer(self.unread()?)? == Found::Nothing;
        self.found.filter(|_| bare).map(|answer| answer.end)
    }

    fn answer(&self, unread: i64) -> Option<Found> {
        let answer = self.found.filter(|answer| answer.from == unread)?;
        // What came since may be a record.
        let grown = answer.found == Found::Nothing && self.log.is_some_and(|log| log.end > answer.end);
        (!grown).then_some(answer.found)
    }
}

#[cfg(test)]
mod tests;
