//! What is configured for a topic: how heavy it weighs against the others, which function takes its batches, and where its records wait.

/// One consumed topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPlan {
    pub name: String,
    /// Its share of what is short: 1 to [`crate::share::MOST_WEIGHT`].
    pub weight: u32,
    /// The dispatcher's name or ARN.
    pub function: String,
    /// Its retry topics. They are read too, and count as the topic itself: one share of what is short, one function.
    pub retries: Vec<String>,
}

impl TopicPlan {
    /// A topic that puts nothing off.
    pub fn new(name: impl Into<String>, weight: u32, function: impl Into<String>) -> Self {
        Self { name: name.into(), weight, function: function.into(), retries: Vec::new() }
    }

    /// The topic and its retry topics.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.retries.iter().map(String::as_str))
    }

    /// Whether this is what holds for `topic`.
    pub fn speaks_of(&self, topic: &str) -> bool {
        self.names().any(|name| name == topic)
    }
}

/// Everything that is read: the topics, then their retry topics.
pub fn read_topics(plans: &[TopicPlan]) -> Vec<String> {
    let topics = plans.iter().map(|plan| &plan.name);
    topics.chain(plans.iter().flat_map(|plan| &plan.retries)).cloned().collect()
}

/// The functions of all topics, each once, in the order of the topics.
pub fn functions(plans: &[TopicPlan]) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for plan in plans {
        if !all.contains(&plan.function.as_str()) {
            all.push(&plan.function);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{TopicPlan, functions, read_topics};

    #[test]
    fn a_function_of_several_topics_is_named_once() {
        let topics = [("a", "f"), ("b", "g"), ("c", "f")].map(|(name, function)| TopicPlan::new(name, 1, function));
        assert_eq!(functions(&topics), ["f", "g"]);
    }

    #[test]
    fn a_retry_topic_has_the_plan_of_its_topic_and_a_stranger_has_none() {
        let mut plans = [TopicPlan::new("a", 1, "f"), TopicPlan::new("b", 2, "g")];
        plans[1].retries = vec!["b.retry.5s".into(), "b.retry.5m".into()];
        let place = |topic| plans.iter().position(|plan| plan.speaks_of(topic));
        let places = ["a", "b", "b.retry.5m", "a.retry.5s", "c", ""].map(place);
        assert_eq!(places, [Some(0), Some(1), Some(1), None, None, None]);
        assert_eq!(read_topics(&plans), ["a", "b", "b.retry.5s", "b.retry.5m"]);
    }
}
