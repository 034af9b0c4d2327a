//! Why a run proves nothing, one sentence each.

use super::Report;

impl Report {
    /// A few of the lost events; the JSON report names more.
    fn first_lost(&self) -> String {
        self.lost_examples.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn dead_letters(&self) -> String {
        let repeated = match self.dead_letters_repeated {
            0 => String::new(),
            count => format!(", {count} of them repeated"),
        };
        format!("{} ({} dead letters{repeated})", self.rejected, self.dead_lettered)
    }

    /// What explains repeats, in words.
    pub(super) fn explained(&self) -> String {
        match self.accident.as_str() {
            "" => "nothing in this story explains any".to_owned(),
            accident => format!("{accident} explains up to {}", self.duplicates_bound),
        }
    }

    pub(super) fn reasons(&self) -> Vec<String> {
        let mut broken: Vec<String> = self.chronicle.broken().collect();
        let mut unless = |good: bool, sentence: String| {
            if !good {
                broken.push(sentence);
            }
        };
        unless(self.offered > 0, "nothing was offered".into());
        unless(
            self.offered == self.delivered + self.rejected,
            format!("offered {} is not delivered {} + rejected {}", self.offered, self.delivered, self.rejected),
        );
        unless(self.lost == 0, format!("{} events lost, the first: {}", self.lost, self.first_lost()));
        unless(self.unsent == 0, format!("{} events were offered and never acknowledged", self.unsent));
        unless(self.unknown == 0, format!("{} events arrived that were never offered", self.unknown));
        unless(self.order_violations == 0, format!("{} events arrived out of order", self.order_violations));
        unless(
            self.fate_violations == 0,
            format!("{} events did not meet the fate they were made for", self.fate_violations),
        );
        unless(
            self.dead_letters_repeated == self.dead_letters_explained,
            format!(
                "{} dead letters repeated, of which {} are explained",
                self.dead_letters_repeated, self.dead_letters_explained
            ),
        );
        unless(
            self.duplicates_delivered <= self.duplicates_bound && self.duplicates_elsewhere == 0,
            format!(
                "{} duplicates delivered, {} of them not of what the story may repeat; {}",
                self.duplicates_delivered,
                self.duplicates_elsewhere,
                self.explained()
            ),
        );
        broken
    }
}
