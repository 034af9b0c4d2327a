//! The letters of records that cannot be delivered: value from the request, key and headers from what was kept.

use crate::assignment::{LaneId, TopicPartition};
use crate::batch::Unfit;
use crate::dead_letter::{DeadLetter, PutOff};
use crate::invoke::InvokeFailure;
use crate::record::{Kept, OwnedRecord};
use domain::contract::{Listed, OpenBatch};
use domain::failure::FailureClass;
use domain::offset::Offset;
use std::sync::Arc;

/// Where the records of a delivery come from.
pub(super) struct Origin {
    pub(super) lane: LaneId,
    /// The first and the last record of its request; `None` when nothing of it may enter one.
    pub(super) ends: Option<(Offset, Offset)>,
    pub(super) kept: Arc<Kept>,
}

/// Letters of records that never entered a request.
pub(super) fn of_unfit(unfit: Vec<Unfit>) -> Vec<DeadLetter> {
    let letter = |Unfit { record, reason, detail }| DeadLetter {
        record,
        attempts: 0,
        class: FailureClass::Rejected,
        reason: reason.to_owned(),
        detail,
        put_off: None,
    };
    unfit.into_iter().map(letter).collect()
}

impl Origin {
    pub(super) fn at(&self) -> &TopicPartition {
        &self.lane.held.at
    }

    /// Letters of records with the verdict rejected.
    pub(super) fn rejected(&self, records: &OpenBatch, listed: Vec<Listed>, attempts: u32) -> Vec<DeadLetter> {
        self.listed(records, listed, &|record, reason, detail| {
            let class = FailureClass::Rejected;
            DeadLetter { record, attempts, class, reason, detail, put_off: None }
        })
    }

    /// Letters of records with the verdict retry, that are put off; or set aside because they were put off often enough.
    pub(super) fn retried(
        &self,
        records: &OpenBatch,
        listed: Vec<Listed>,
        attempts: u32,
        put_off: Option<&PutOff>,
    ) -> Vec<DeadLetter> {
        self.listed(records, listed, &|record, reason, detail| {
            let class = FailureClass::Transient;
            DeadLetter { record, attempts, class, reason, detail, put_off: put_off.cloned() }
        })
    }

    fn listed(
        &self,
        records: &OpenBatch,
        listed: Vec<Listed>,
        letter: &dyn Fn(OwnedRecord, String, String) -> DeadLetter,
    ) -> Vec<DeadLetter> {
        let letter = |Listed { offset, reason, detail }| Some(letter(self.record(records, offset)?, reason, detail));
        listed.into_iter().filter_map(letter).collect()
    }

    /// The letter of the one record of `records`, which fails by itself.
    pub(super) fn alone(&self, records: &OpenBatch, failure: &InvokeFailure, attempts: u32) -> Vec<DeadLetter> {
        let letter = |record| DeadLetter {
            record,
            attempts,
            class: failure.class,
            reason: failure.class.to_string(),
            detail: failure.detail.clone(),
            put_off: None,
        };
        records.offsets().filter_map(|offset| self.record(records, offset)).map(letter).collect()
    }

    /// The record at `offset` as Kafka had it.
    fn record(&self, records: &OpenBatch, offset: Offset) -> Option<OwnedRecord> {
        let position = records.position(offset)?;
        let (key, headers) = self.kept.find(offset)?;
        Some(OwnedRecord {
            at: self.at().clone(),
            offset,
            timestamp: records.timestamps().get(position).copied().unwrap_or_default(),
            key: key.map(<[u8]>::to_vec),
            value: records.value(position).map(<[u8]>::to_vec),
            headers: headers.clone(),
        })
    }
}
