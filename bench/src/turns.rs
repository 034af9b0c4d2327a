//! Whose turn it is: in every round everybody, and nobody always before another.

/// Nobody is always the first, and nobody always comes after the same one: what a run leaves behind (pages to write, replicas
/// to follow) weighs on the next.
pub fn order<R: Copy>(rivals: &[R], round: u32) -> Vec<R> {
    let mut order = rivals.to_vec();
    let by = (round as usize).saturating_sub(1) / 2 % order.len().max(1);
    order.rotate_left(by);
    // Two rounds mirror each other.
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::order;

    const RIVALS: [char; 6] = ['a', 'b', 'c', 'd', 'e', 'f'];

    #[test]
    fn over_the_rounds_everybody_runs_and_nobody_is_always_before_another() {
        let orders: Vec<_> = (1..=6).map(|round| order(&RIVALS, round)).collect();
        for order in &orders {
            assert!(RIVALS.iter().all(|rival| order.contains(rival)) && order.len() == RIVALS.len());
        }
        for (a, b) in RIVALS.iter().flat_map(|a| RIVALS.iter().map(move |b| (a, b))).filter(|(a, b)| a != b) {
            let place = |order: &[char], rival| order.iter().position(|other| other == rival);
            let first = orders.iter().filter(|order| place(order, a) < place(order, b)).count();
            assert_eq!(first, 3, "{a} is before {b} in {first} of 6 rounds");
        }
    }
}
