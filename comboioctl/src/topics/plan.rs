//! What would have to change for the topics to be as declared. Pure: what is there is an argument.

use super::file::Declared;
use crate::table;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// A topic as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    pub partitions: i32,
    pub replication: i32,
    /// Effective settings by Kafka's names.
    pub config: BTreeMap<String, String>,
}

/// One step per declared topic, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub topic: String,
    #[serde(flatten)]
    pub action: Action,
    /// What differs and is not changed from here, one sentence each.
    pub differs: Vec<String>,
}

/// What `apply --apply` would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    Create {
        partitions: i32,
        replication: i32,
    },
    Grow {
        from: i32,
        to: i32,
    },
    Same {
        partitions: i32,
    },
    /// Kafka cannot take partitions away.
    CannotShrink {
        from: i32,
        to: i32,
    },
}

impl Plan {
    /// Compares what is declared with what is there.
    pub fn of(declared: &[Declared], present: &BTreeMap<String, Present>) -> Self {
        Self { steps: declared.iter().map(|topic| step(topic, present.get(&topic.name))).collect() }
    }

    /// Whether applying would change anything.
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::Create { .. } | Action::Grow { .. }))
    }

    /// Whether anything is not as declared.
    pub fn is_finding(&self) -> bool {
        self.steps.iter().any(|step| !matches!(step.action, Action::Same { .. }) || !step.differs.is_empty())
    }

    fn grows(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::Grow { .. }))
    }
}

fn step(declared: &Declared, present: Option<&Present>) -> Step {
    let topic = declared.name.clone();
    let Declared { partitions, replication, .. } = *declared;
    let Some(present) = present else {
        return Step { topic, action: Action::Create { partitions, replication }, differs: Vec::new() };
    };
    let from = present.partitions;
    let action = match partitions.cmp(&from) {
        std::cmp::Ordering::Greater => Action::Grow { from, to: partitions },
        std::cmp::Ordering::Equal => Action::Same { partitions },
        std::cmp::Ordering::Less => Action::CannotShrink { from, to: partitions },
    };
    Step { topic, action, differs: differences(declared, present) }
}

fn differences(declared: &Declared, present: &Present) -> Vec<String> {
    let mut differs = Vec::new();
    if declared.replication != present.replication {
        differs.push(format!("replication is {} and not {}", present.replication, declared.replication));
    }
    for (name, wanted) in &declared.config {
        match present.config.get(name) {
            Some(found) if found == wanted => {}
            Some(found) => differs.push(format!("{name} is {found} and not {wanted}")),
            None => differs.push(format!("{name} is not a topic setting that Kafka shows, wanted is {wanted}")),
        }
    }
    differs
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { partitions, replication } => {
                write!(f, "create with {partitions} partitions, replication {replication}")
            }
            Self::Grow { from, to } => write!(f, "grow from {from} to {to} partitions"),
            Self::Same { partitions } => write!(f, "same ({partitions} partitions)"),
            Self::CannotShrink { from, to } => {
                write!(
                    f,
                    "cannot shrink from {from} to {to} partitions: make a new topic and move, or correct the file"
                )
            }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = Vec::new();
        for step in &self.steps {
            rows.push(vec![step.topic.clone(), step.action.to_string()]);
            rows.extend(
                step.differs.iter().map(|differs| vec![String::new(), format!("differs: {differs} (left alone)")]),
            );
        }
        f.write_str(&table::columns(&["topic", "plan"], &rows))?;
        if self.grows() {
            writeln!(
                f,
                "\nNew partitions move keys: order per key holds over the change only if the topic is empty or drained."
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(name: &str, partitions: i32) -> Declared {
        Declared { name: name.to_owned(), partitions, replication: 3, config: BTreeMap::new() }
    }

    fn there(partitions: i32) -> Present {
        Present { partitions, replication: 3, config: BTreeMap::new() }
    }

    fn plan(wanted: &[Declared], present: &[(&str, Present)]) -> Plan {
        Plan::of(wanted, &present.iter().map(|(name, shape)| ((*name).to_owned(), shape.clone())).collect())
    }

    #[test]
    fn each_topic_gets_its_step_in_the_order_of_the_file() {
        let wanted = [declared("new", 4), declared("more", 24), declared("same", 8), declared("less", 2)];
        let plan = plan(&wanted, &[("more", there(12)), ("same", there(8)), ("less", there(6))]);
        let actions: Vec<_> = plan.steps.iter().map(|step| step.action).collect();
        assert_eq!(
            actions,
            [
                Action::Create { partitions: 4, replication: 3 },
                Action::Grow { from: 12, to: 24 },
                Action::Same { partitions: 8 },
                Action::CannotShrink { from: 6, to: 2 },
            ]
        );
        assert!(plan.has_changes() && plan.is_finding());
    }

    #[test]
    fn what_is_as_declared_is_no_finding() {
        let plan = plan(&[declared("a", 8)], &[("a", there(8)), ("not-ours", there(1))]);
        assert!(!plan.has_changes() && !plan.is_finding());
    }

    #[test]
    fn a_shrink_is_a_finding_but_no_change() {
        let plan = plan(&[declared("a", 4)], &[("a", there(8))]);
        assert!(!plan.has_changes() && plan.is_finding());
        assert!(plan.to_string().contains("cannot shrink from 8 to 4"), "{plan}");
    }

    #[test]
    fn settings_that_differ_are_shown_and_left_alone() {
        let mut wanted = declared("a", 8);
        wanted.replication = 2;
        wanted.config.insert("retention.ms".to_owned(), "1000".to_owned());
        wanted.config.insert("cleanup.policy".to_owned(), "delete".to_owned());
        let mut shape = there(8);
        shape.config.insert("retention.ms".to_owned(), "2000".to_owned());
        shape.config.insert("cleanup.policy".to_owned(), "delete".to_owned());
        let plan = plan(&[wanted], &[("a", shape)]);
        assert_eq!(plan.steps[0].differs, ["replication is 3 and not 2", "retention.ms is 2000 and not 1000"]);
        assert!(plan.is_finding() && !plan.has_changes());
    }

    #[test]
    fn growing_says_what_it_does_to_order() {
        let text = plan(&[declared("a", 9)], &[("a", there(8))]).to_string();
        assert!(text.contains("grow from 8 to 9 partitions") && text.contains("order per key"), "{text}");
    }

    #[test]
    fn json_names_the_action() {
        let json = serde_json::to_value(plan(&[declared("a", 9)], &[("a", there(8))])).unwrap();
        assert_eq!(json["steps"][0]["action"], "grow");
        assert_eq!((&json["steps"][0]["from"], &json["steps"][0]["to"]), (&8.into(), &9.into()));
    }
}
