//! What is configured for a topic: how heavy it weighs against the others, and which function takes its batches.

/// One consumed topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPlan {
    pub name: String,
    /// Its share of what is short: 1 to [`crate::share::MOST_WEIGHT`].
    pub weight: u32,
    /// The dispatcher's name or ARN.
    pub function: String,
}

impl TopicPlan {
    pub fn new(name: impl Into<String>, weight: u32, function: impl Into<String>) -> Self {
        Self { name: name.into(), weight, function: function.into() }
    }
}

/// The functions of all topics, each once, in the order of the topics.
pub fn functions(topics: &[TopicPlan]) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for topic in topics {
        if !all.contains(&topic.function.as_str()) {
            all.push(&topic.function);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{TopicPlan, functions};

    #[test]
    fn a_function_of_several_topics_is_named_once() {
        let topics = [("a", "f"), ("b", "g"), ("c", "f")].map(|(name, function)| TopicPlan::new(name, 1, function));
        assert_eq!(functions(&topics), ["f", "g"]);
    }
}
