//! Grants in librdkafka's words.

use rdkafka::bindings::rd_kafka_AclOperation_t as AclOperation;
use rdkafka::bindings::rd_kafka_ResourcePatternType_t as Pattern;
use rdkafka::bindings::rd_kafka_ResourceType_t as Kind;

use crate::broker::grant::{Grant, Operation, Resource};

/// One ACL entry without its principal; it always allows, from any host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub pattern: Pattern,
    pub name: String,
    pub operation: AclOperation,
}

/// One entry per resource and operation.
pub fn entries(grants: &[Grant]) -> Vec<Entry> {
    let of_grant = |grant: &Grant| {
        let (kind, pattern, name) = target(&grant.resource);
        let entry =
            |operation: &Operation| Entry { kind, pattern, name: name.to_owned(), operation: named(*operation) };
        grant.operations.iter().map(entry).collect::<Vec<_>>()
    };
    grants.iter().flat_map(of_grant).collect()
}

fn target(resource: &Resource) -> (Kind, Pattern, &str) {
    let (topic, group) = (Kind::RD_KAFKA_RESOURCE_TOPIC, Kind::RD_KAFKA_RESOURCE_GROUP);
    let (whole, prefix) = (Pattern::RD_KAFKA_RESOURCE_PATTERN_LITERAL, Pattern::RD_KAFKA_RESOURCE_PATTERN_PREFIXED);
    match resource {
        Resource::Topic(name) => (topic, whole, name),
        Resource::TopicPrefix(name) => (topic, prefix, name),
        Resource::Group(name) => (group, whole, name),
        Resource::GroupPrefix(name) => (group, prefix, name),
    }
}

fn named(operation: Operation) -> AclOperation {
    match operation {
        Operation::Read => AclOperation::RD_KAFKA_ACL_OPERATION_READ,
        Operation::Write => AclOperation::RD_KAFKA_ACL_OPERATION_WRITE,
        Operation::Create => AclOperation::RD_KAFKA_ACL_OPERATION_CREATE,
        Operation::Alter => AclOperation::RD_KAFKA_ACL_OPERATION_ALTER,
        Operation::Describe => AclOperation::RD_KAFKA_ACL_OPERATION_DESCRIBE,
        Operation::DescribeConfigs => AclOperation::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_is_an_entry() {
        let made = entries(&[Grant::produce("t"), Grant::on(Resource::GroupPrefix("g-".into()), &[Operation::Read])]);
        let short: Vec<_> = made.iter().map(|entry| (entry.name.as_str(), entry.operation)).collect();
        assert_eq!(
            short,
            [
                ("t", AclOperation::RD_KAFKA_ACL_OPERATION_WRITE),
                ("t", AclOperation::RD_KAFKA_ACL_OPERATION_DESCRIBE),
                ("g-", AclOperation::RD_KAFKA_ACL_OPERATION_READ)
            ]
        );
        assert_eq!(made[0].pattern, Pattern::RD_KAFKA_RESOURCE_PATTERN_LITERAL);
        assert_eq!(made[2].pattern, Pattern::RD_KAFKA_RESOURCE_PATTERN_PREFIXED);
        assert_eq!(made[2].kind, Kind::RD_KAFKA_RESOURCE_GROUP);
    }
}
