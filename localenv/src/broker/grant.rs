//! Who may do what: the ACLs that Comboio's services need, in its own words.

/// What an operation is done to. The name `*` stands for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// One topic.
    Topic(String),
    /// All topics whose names begin so.
    TopicPrefix(String),
    /// One consumer group.
    Group(String),
    /// All consumer groups whose names begin so.
    GroupPrefix(String),
}

/// What may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Fetch records of a topic; join and commit in a group.
    Read,
    /// Produce to a topic.
    Write,
    /// Create the topic.
    Create,
    /// Add partitions.
    Alter,
    /// See that it exists, its partitions and offsets.
    Describe,
    /// See its settings.
    DescribeConfigs,
}

/// Operations allowed on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// On what.
    pub resource: Resource,
    /// What.
    pub operations: Vec<Operation>,
}

impl Grant {
    /// To produce to a topic: Write and Describe.
    #[must_use]
    pub fn produce(topic: &str) -> Self {
        Self::on(Resource::Topic(topic.to_owned()), &[Operation::Write, Operation::Describe])
    }

    /// To consume a topic: Read and Describe. The group needs [`Grant::group`] too.
    #[must_use]
    pub fn consume(topic: &str) -> Self {
        Self::on(Resource::Topic(topic.to_owned()), &[Operation::Read, Operation::Describe])
    }

    /// To be a member of a group and commit in it: Read.
    #[must_use]
    pub fn group(group: &str) -> Self {
        Self::on(Resource::Group(group.to_owned()), &[Operation::Read])
    }

    /// Any other grant.
    #[must_use]
    pub fn on(resource: Resource, operations: &[Operation]) -> Self {
        Self { resource, operations: operations.to_vec() }
    }
}
