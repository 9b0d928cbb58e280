//! How much traffic the canary gets next.

use super::spec::Analysis;

/// All traffic.
pub const TOTAL: i64 = 100;

/// How a release goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// More and more weight.
    Weighted,
    /// Some requests, for a number of checks.
    AbTesting,
    /// None, for a number of checks, then all.
    BlueGreen,
}

impl Strategy {
    /// The strategy that an analysis comes to.
    pub fn of(analysis: &Analysis) -> Self {
        match (analysis.iterations > 0, analysis.matches.is_empty()) {
            (true, false) => Self::AbTesting,
            (true, true) => Self::BlueGreen,
            (false, _) => Self::Weighted,
        }
    }

    /// As metrics name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weighted => "canary",
            Self::AbTesting => "ab-testing",
            Self::BlueGreen => "blue-green",
        }
    }
}

/// The weight at which the release is promoted.
pub fn max(analysis: &Analysis) -> i64 {
    match analysis.step_weights.last() {
        Some(last) => TOTAL.min(*last),
        None if analysis.max_weight > 0 => analysis.max_weight,
        None => TOTAL,
    }
}

/// By how much the weight grows from `weight` on; 0 when no step is given.
pub fn next_step(analysis: &Analysis, weight: i64) -> i64 {
    let steps = &analysis.step_weights;
    let Some(first) = steps.first().filter(|_| analysis.step_weight <= 0) else { return analysis.step_weight };
    let rest = TOTAL - weight;
    if rest == 0 {
        return 1;
    }
    let wanted = if weight == 0 {
        Some(*first)
    } else {
        steps.windows(2).find(|pair| pair[0] == weight).map(|pair| pair[1] - weight)
    };
    wanted.map_or(rest, |step| rest.min(step))
}

/// The weights of primary and canary after a step.
pub fn stepped(primary: i64, canary: i64, step: i64) -> (i64, i64) {
    (primary.saturating_sub(step).max(0), canary.saturating_add(step).min(TOTAL))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(steps: &[i64]) -> Analysis {
        Analysis { step_weights: steps.to_vec(), ..Analysis::default() }
    }

    #[test]
    fn lists_of_steps_are_followed() {
        for (list, weight, wanted) in [
            (&[1, 2, 10, 80][..], 0, 1),
            (&[1, 2, 10, 80], 2, 8),
            (&[1, 2, 10, 80], 80, 20),
            (&[1, 2, 10, 80], 50, 50),
            (&[10, 150], 10, 90),
            (&[10, 150], 100, 1),
            (&[], 0, 0),
        ] {
            assert_eq!(next_step(&steps(list), weight), wanted, "{list:?} at {weight}");
        }
        assert_eq!(next_step(&Analysis { step_weight: 15, ..steps(&[1]) }, 0), 15);
    }

    #[test]
    fn the_last_step_is_the_most() {
        assert_eq!(max(&Analysis::default()), 100);
        assert_eq!(max(&Analysis { max_weight: 80, ..steps(&[10, 30]) }), 30);
        assert_eq!(max(&steps(&[10, 130])), 100);
    }

    proptest! {
        #[test]
        fn a_good_list_reaches_its_end(mut list in proptest::collection::vec(1..=100_i64, 1..20)) {
            list.sort_unstable();
            list.dedup();
            let analysis = steps(&list);
            let (mut primary, mut canary) = (100, 0);
            let mut seen = Vec::new();
            while canary < max(&analysis) {
                (primary, canary) = stepped(primary, canary, next_step(&analysis, canary));
                seen.push(canary);
                prop_assert_eq!(primary + canary, 100);
            }
            prop_assert_eq!(seen, list);
        }
    }
}
