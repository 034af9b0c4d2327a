//! Where a delivery came from: `topic/partition/first-last`, the batch id that the dispatcher passes on.

/// A batch's coordinates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinates {
    pub topic: String,
    pub partition: i32,
    pub first: i64,
    pub last: i64,
}

/// Reads a batch id; `None` when it is not of that form.
pub fn coordinates(batch_id: &str) -> Option<Coordinates> {
    let mut parts = batch_id.rsplitn(3, '/');
    let (first, last) = parts.next()?.split_once('-')?;
    let partition = parts.next()?.parse().ok()?;
    let topic = parts.next().filter(|topic| !topic.is_empty())?.to_owned();
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(Coordinates { topic, partition, first, last })
}

#[cfg(test)]
mod tests {
    use super::{Coordinates, coordinates};

    #[test]
    fn a_batch_id_is_taken_apart() {
        let want = Coordinates { topic: "mt-c400".into(), partition: 3, first: 1200, last: 1699 };
        assert_eq!(coordinates("mt-c400/3/1200-1699"), Some(want));
        for bad in ["", "a/b/1-2", "/1/1-2", "a/1/2-1", "a/1/x-2", "a/1"] {
            assert_eq!(coordinates(bad), None, "{bad}");
        }
    }
}
