//! Which of several producers this one is: `"2/3"` is the second of three.
//!
//! The trucks are dealt out one by one, so each has its share of them, no truck is on two instances, and whatever is counted
//! per truck adds up to the whole.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The number of an instance, from 1, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instance {
    number: u32,
    of: u32,
}

/// A text that names no instance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no instance: allowed is number/count with a number from 1 to count and a count up to {MOST}, for example \"2/3\""
)]
pub struct BadInstance(String);

const MOST: u32 = 1_000;

impl Default for Instance {
    fn default() -> Self {
        Self { number: 1, of: 1 }
    }
}

impl Instance {
    /// # Errors
    /// A number that is not 1 to `of`, or too many instances.
    pub fn new(number: u32, of: u32) -> Result<Self, BadInstance> {
        let fits = (1..=MOST).contains(&of) && (1..=of).contains(&number);
        if fits { Ok(Self { number, of }) } else { Err(BadInstance(format!("{number}/{of}"))) }
    }

    /// From 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many instances there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// There is no other.
    pub fn is_alone(self) -> bool {
        self.of == 1
    }

    /// Whether truck number `truck` is this instance's.
    #[inline]
    pub fn owns(self, truck: u32) -> bool {
        self.of == 1 || truck % self.of == self.number - 1
    }

    /// Whether a truck is this instance's that is known by a hash of its id alone.
    pub fn owns_hash(self, hash: u64) -> bool {
        hash % u64::from(self.of) == u64::from(self.number - 1)
    }

    /// How many of `trucks` are this instance's.
    pub fn trucks(self, trucks: u32) -> u32 {
        (trucks + self.of - self.number) / self.of
    }

    /// The place of one of its trucks among them, from 0.
    #[inline]
    pub fn place(self, truck: u32) -> u32 {
        if self.of == 1 { truck } else { truck / self.of }
    }

    /// The number of the truck at a place.
    pub fn truck(self, place: u32) -> u32 {
        place * self.of + self.number - 1
    }

    /// This instance's part of `whole`; the parts of all instances add up to it exactly.
    pub fn part(self, whole: u64) -> u64 {
        let up_to = |number: u32| (u128::from(whole) * u128::from(number) / u128::from(self.of)) as u64;
        up_to(self.number) - up_to(self.number - 1)
    }
}

impl FromStr for Instance {
    type Err = BadInstance;

    fn from_str(text: &str) -> Result<Self, BadInstance> {
        let bad = || BadInstance(text.to_owned());
        let (number, of) = text.split_once('/').ok_or_else(bad)?;
        let whole = |part: &str| part.trim().parse::<u32>().map_err(|_| bad());
        Self::new(whole(number)?, whole(of)?).map_err(|_| bad())
    }
}

impl TryFrom<String> for Instance {
    type Error = BadInstance;

    fn try_from(text: String) -> Result<Self, BadInstance> {
        text.parse()
    }
}

impl From<Instance> for String {
    fn from(instance: Instance) -> Self {
        instance.to_string()
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::Instance;

    #[test]
    fn every_truck_has_one_instance_and_every_part_is_counted_once() {
        for of in 1..=7 {
            let instances: Vec<Instance> = (1..=of).map(|number| Instance::new(number, of).unwrap()).collect();
            for trucks in 0..40 {
                for truck in 0..trucks {
                    let owners: Vec<&Instance> = instances.iter().filter(|one| one.owns(truck)).collect();
                    assert_eq!(owners.len(), 1, "truck {truck} of {trucks}, {of} instances");
                    assert_eq!(owners[0].truck(owners[0].place(truck)), truck);
                    assert!(owners[0].place(truck) < owners[0].trucks(trucks));
                }
                assert_eq!(instances.iter().map(|one| one.trucks(trucks)).sum::<u32>(), trucks);
            }
            for whole in [0, 1, 10_000_019, u64::MAX] {
                assert_eq!(instances.iter().map(|one| one.part(whole)).sum::<u64>(), whole);
            }
            assert!((0..100).all(|hash| instances.iter().filter(|one| one.owns_hash(hash)).count() == 1));
        }
    }

    #[test]
    fn a_text_is_an_instance_or_says_what_is_allowed() {
        assert_eq!("2/3".parse(), Instance::new(2, 3));
        assert_eq!(Instance::new(2, 3).unwrap().to_string(), "2/3");
        for text in ["", "2", "0/3", "4/3", "1/0", "1/1001", "-1/3", "a/b", "1/2/3", "1.0/2"] {
            let error = text.parse::<Instance>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")) && error.contains("2/3"), "{error}");
        }
    }
}
