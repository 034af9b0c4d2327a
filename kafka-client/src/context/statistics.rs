//! The few fields of librdkafka's statistics that anybody uses; the rest is skipped, not parsed.
//!
//! Source of the fields: STATISTICS.md of librdkafka 2.12. Times there are in microseconds.

use serde::Deserialize;
use std::collections::BTreeMap;

/// One report of one client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Records in the client's queue: to be sent, or sent and not yet acknowledged.
    pub queue_records: u64,
    /// Their bytes.
    pub queue_bytes: u64,
    /// One entry per broker that is known by its number, by name.
    pub brokers: Vec<BrokerStatistics>,
    /// One entry per partition, by topic and number.
    pub partitions: Vec<PartitionStatistics>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BrokerStatistics {
    /// `host:port/number`.
    pub name: String,
    pub up: bool,
    /// Requests that wait to be sent.
    pub outbuf_requests: u64,
    /// Bytes that this connection has brought.
    pub received_bytes: u64,
    /// Round trip, 99th percentile, microseconds.
    pub rtt_p99_us: u64,
    /// Wait between enqueueing and sending a request, 99th percentile, microseconds: grows when TLS or compression
    /// cannot keep up.
    pub outbuf_latency_p99_us: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartitionStatistics {
    pub topic: String,
    pub partition: i32,
    /// Producer: records in its queue. Consumer: records read ahead.
    pub queue_records: u64,
    /// Consumer: `active`, `offset-query`, ... ; `none` on a producer.
    pub fetch_state: String,
    /// Consumer: end offset minus committed offset, in records; `None` while unknown.
    pub lag_records: Option<u64>,
    /// Consumer: the next offset that a reader of committed records would reach; `None` before the first fetch.
    pub end_offset: Option<i64>,
    /// Consumer: the group's committed offset as this client knows it; `None` when there is none.
    pub committed_offset: Option<i64>,
}

impl Statistics {
    pub(super) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice::<Wire>(json).map(Self::from_wire)
    }

    fn from_wire(wire: Wire) -> Self {
        let known = wire.brokers.into_iter().filter(|(_, broker)| broker.nodeid >= 0);
        let partitions = wire.topics.into_iter().flat_map(|(topic, entry)| {
            // Partition -1 is librdkafka's shelf for records without a partition.
            let real = entry.partitions.into_values().filter(|partition| partition.partition >= 0);
            real.map(move |partition| partition.into_statistics(topic.clone()))
        });
        Self {
            queue_records: wire.msg_cnt,
            queue_bytes: wire.msg_size,
            brokers: known.map(|(name, broker)| broker.into_statistics(name)).collect(),
            partitions: partitions.collect(),
        }
    }

    /// The records that lie behind the group, where it is known.
    pub fn lag_records(&self) -> u64 {
        self.partitions.iter().filter_map(|partition| partition.lag_records).sum()
    }
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Wire {
    msg_cnt: u64,
    msg_size: u64,
    brokers: BTreeMap<String, WireBroker>,
    topics: BTreeMap<String, WireTopic>,
}

#[derive(Deserialize)]
struct WireBroker {
    #[serde(default)]
    nodeid: i64,
    #[serde(default)]
    state: String,
    #[serde(default)]
    outbuf_cnt: u64,
    #[serde(default)]
    rxbytes: u64,
    #[serde(default)]
    rtt: WireWindow,
    #[serde(default)]
    outbuf_latency: WireWindow,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireWindow {
    p99: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireTopic {
    partitions: BTreeMap<String, WirePartition>,
}

#[derive(Deserialize)]
struct WirePartition {
    partition: i32,
    #[serde(default)]
    msgq_cnt: u64,
    #[serde(default)]
    xmit_msgq_cnt: u64,
    #[serde(default)]
    fetchq_cnt: u64,
    #[serde(default)]
    fetch_state: String,
    #[serde(default = "unknown")]
    consumer_lag: i64,
    #[serde(default = "unknown")]
    ls_offset: i64,
    #[serde(default = "unknown")]
    committed_offset: i64,
}

fn unknown() -> i64 {
    -1
}

impl WireBroker {
    fn into_statistics(self, name: String) -> BrokerStatistics {
        BrokerStatistics {
            name,
            up: self.state == "UP",
            outbuf_requests: self.outbuf_cnt,
            received_bytes: self.rxbytes,
            rtt_p99_us: self.rtt.p99,
            outbuf_latency_p99_us: self.outbuf_latency.p99,
        }
    }
}

impl WirePartition {
    fn into_statistics(self, topic: String) -> PartitionStatistics {
        PartitionStatistics {
            topic,
            partition: self.partition,
            queue_records: self.msgq_cnt + self.xmit_msgq_cnt + self.fetchq_cnt,
            fetch_state: self.fetch_state,
            lag_records: u64::try_from(self.consumer_lag).ok(),
            end_offset: Some(self.ls_offset).filter(|offset| *offset >= 0),
            committed_offset: Some(self.committed_offset).filter(|offset| *offset >= 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"name":"c","type":"producer","msg_cnt":7,"msg_size":1400,"brokers":{
        "ssl://b:9094/1":{"name":"x","nodeid":1,"state":"UP","outbuf_cnt":2,"rxbytes":96,"rtt":{"p99":1500,"avg":9},"outbuf_latency":{"p99":40}},
        "ssl://b:9094/bootstrap":{"nodeid":-1,"state":"DOWN"}},
        "topics":{"mt-c400":{"topic":"mt-c400","partitions":{
            "0":{"partition":0,"msgq_cnt":3,"xmit_msgq_cnt":1,"fetchq_cnt":0,"fetch_state":"active","consumer_lag":12},
            "1":{"partition":1,"fetchq_cnt":5,"fetch_state":"active","consumer_lag":-1},
            "-1":{"partition":-1,"msgq_cnt":99,"fetch_state":"none","consumer_lag":-1}}}}}"#;

    #[test]
    fn the_used_fields_are_taken_and_the_rest_is_skipped() {
        let statistics = Statistics::parse(REPORT.as_bytes()).expect("valid");
        assert_eq!((statistics.queue_records, statistics.queue_bytes), (7, 1400));
        assert_eq!(statistics.brokers.len(), 1, "the bootstrap entry is no broker");
        assert_eq!((statistics.brokers[0].rtt_p99_us, statistics.brokers[0].outbuf_latency_p99_us), (1500, 40));
        assert!(statistics.brokers[0].up && statistics.brokers[0].received_bytes == 96);
    }

    #[test]
    fn lag_that_is_not_known_is_not_zero() {
        let statistics = Statistics::parse(REPORT.as_bytes()).expect("valid");
        let lags: Vec<_> =
            statistics.partitions.iter().map(|p| (p.partition, p.lag_records, p.queue_records)).collect();
        assert_eq!(lags, [(0, Some(12), 4), (1, None, 5)]);
        assert_eq!(statistics.lag_records(), 12);
    }

    #[test]
    fn an_unknown_shape_is_an_error_and_an_empty_one_is_not() {
        assert!(Statistics::parse(b"{\"topics\":[]}").is_err());
        assert_eq!(Statistics::parse(b"{}").expect("valid"), Statistics::default());
    }
}
