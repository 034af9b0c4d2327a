//! Medians and ranges of a few measurements.

use serde::Serialize;

/// Several measurements of one thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// All zero without measurements.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else { return Self::default() };
        Self { median: middle(&sorted), least: *least, most: *most }
    }

    /// `median (least - most)`.
    pub fn range(&self, digits: usize) -> String {
        let Self { median, least, most } = self;
        format!("{median:.digits$} ({least:.digits$} - {most:.digits$})")
    }

    /// Of `ours[i] / theirs[i]`: both were measured one right after the other, so what the machine did to both cancels out.
    pub fn of_ratios(ours: &[f64], theirs: &[f64]) -> Self {
        let ratios: Vec<f64> = ours.iter().zip(theirs).filter(|(_, b)| **b > 0.0).map(|(a, b)| a / b).collect();
        Self::of(&ratios)
    }
}

/// The mean of the two in the middle when the count is even.
fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(Spread::of(&[]), Spread::default());
        assert_eq!(Spread::of(&[3.0, 1.0, 90.0]), Spread { median: 3.0, least: 1.0, most: 90.0 });
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 90.0]).median, 3.0);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // A machine that became twice as slow in the second round changes no ratio.
        let ratios = Spread::of_ratios(&[9.0, 18.0, 10.0], &[10.0, 20.0, 10.0]);
        assert_eq!(ratios, Spread { median: 0.9, least: 0.9, most: 1.0 });
        assert_eq!(Spread::of_ratios(&[1.0], &[0.0]), Spread::default());
    }
}
