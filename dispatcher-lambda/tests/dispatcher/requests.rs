//! Events and requests, made by the consumer's own code.

use domain::contract::{BatchHead, Judgement, OpenBatch, Push, Response, judge};
use domain::offset::Offset;

/// A valid event of `truck` with its id's `seq`.
pub fn event(truck: &str, seq: u64) -> String {
    format!(
        r#"{{"v":1,"id":"t1-{truck}-300-{seq}","codigo":300,"truck_id":"{truck}","seq":{seq},"ts":1763701200123,"lat":-23.55052,"lon":-46.63331,"speed":82.4,"fuel":61.2,"odo":182733.2}}"#
    )
}

/// A batch of `values` at offsets 100, 101, ...
pub fn batch(values: &[String]) -> OpenBatch {
    let head = BatchHead {
        group: "cg".into(),
        topic: "mt-c400".into(),
        partition: 3,
        lane: 0,
        lanes: 1,
        epoch: 0,
        log: None,
        since: None,
    };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for (place, value) in (0_i64..).zip(values) {
        assert_eq!(batch.push(Offset(100 + place), 1_763_701_200_123, value.as_bytes()), Push::Taken);
    }
    batch
}

/// The consumer's reading of the response; fails when it does not add up.
pub fn judged(batch: &OpenBatch, response: &Response) -> Judgement {
    judge(batch, &serde_json::to_vec(response).unwrap()).unwrap()
}

/// `offset:reason` of each listed record.
pub fn listed(list: &[domain::contract::Listed]) -> Vec<String> {
    list.iter().map(|listed| format!("{}:{}", listed.offset, listed.reason)).collect()
}
