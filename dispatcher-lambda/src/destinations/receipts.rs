//! What a service says of each entry of a request becomes one outcome. Only what it says it holds is delivered.

use super::{Failure, Outcome};
use domain::failure::FailureClass;

/// The name of an entry in a request: its index.
pub fn name(index: usize) -> String {
    index.to_string()
}

/// Reads the answer to a request of `count` entries: the names that the service holds, and those that it refused.
/// An entry that is named twice is as bad as its worst name, and one that is not named at all may come again.
pub fn outcome<'a>(
    count: usize,
    held: impl Iterator<Item = &'a str>,
    refused: impl Iterator<Item = (&'a str, Failure)>,
) -> Outcome {
    let silent = || Failure::new(FailureClass::Transient, "the service did not say what became of it");
    let mut said: Vec<Option<Failure>> = (0..count).map(|_| Some(silent())).collect();
    for index in held.filter_map(|name| name.parse::<usize>().ok()) {
        if let Some(said) = said.get_mut(index) {
            *said = None;
        }
    }
    for (name, failure) in refused {
        if let Some(said) = name.parse::<usize>().ok().and_then(|index| said.get_mut(index)) {
            *said = Some(failure);
        }
    }
    let failed: Vec<(usize, Failure)> =
        said.into_iter().enumerate().filter_map(|(index, said)| Some((index, said?))).collect();
    if failed.is_empty() { Outcome::Delivered } else { Outcome::Partial(failed) }
}

#[cfg(test)]
mod tests {
    use super::outcome;
    use crate::destinations::{Failure, Outcome};
    use domain::failure::FailureClass::{self, Rejected, Throttled, Transient};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn read(count: usize, held: &[&str], refused: &[(&str, FailureClass)]) -> Vec<(usize, FailureClass)> {
        let refused = refused.iter().map(|(name, class)| (*name, Failure::new(*class, "why")));
        match outcome(count, held.iter().copied(), refused) {
            Outcome::Partial(failed) => failed.into_iter().map(|(index, failure)| (index, failure.class)).collect(),
            other => {
                assert_eq!(other, Outcome::Delivered);
                Vec::new()
            }
        }
    }

    #[test]
    fn only_what_is_said_to_be_held_is_delivered() {
        assert_eq!(read(2, &["1", "0"], &[]), []);
        assert_eq!(read(3, &["0", "2"], &[("1", Rejected)]), [(1, Rejected)]);
        assert_eq!(read(2, &["0"], &[]), [(1, Transient)], "not named");
        assert_eq!(read(2, &[], &[]), [(0, Transient), (1, Transient)], "an empty answer");
        assert_eq!(read(1, &["0"], &[("0", Throttled)]), [(0, Throttled)], "named twice");
        assert_eq!(read(1, &["0", "7", "x", ""], &[("9", Throttled)]), [], "names of nobody");
    }

    proptest! {
        #[test]
        fn every_entry_gets_exactly_one_result(
            count in 1_usize..12,
            held in vec("[0-9]{1,2}|x|", 0..20),
            refused in vec("[0-9]{1,2}|x|", 0..20),
        ) {
            let refusals = refused.iter().map(|name| (name.as_str(), Failure::new(Throttled, "x")));
            let failed = match outcome(count, held.iter().map(String::as_str), refusals) {
                Outcome::Delivered => Vec::new(),
                Outcome::Partial(failed) => failed.into_iter().map(|(index, _)| index).collect(),
                Outcome::Failed(_) => (0..count).collect(),
            };
            let once: HashSet<usize> = failed.iter().copied().collect();
            prop_assert_eq!(once.len(), failed.len());
            let names = |list: &[String]| list.iter().filter_map(|name| name.parse().ok()).collect::<HashSet<usize>>();
            for index in 0..count {
                let delivered = names(&held).contains(&index) && !names(&refused).contains(&index);
                prop_assert_eq!(once.contains(&index), !delivered);
            }
        }
    }
}
