//! How a machine deployment moves from old machine sets to a new one, and which machines go first.

use jiff::Timestamp;
use serde_json::Value;

/// What a rolling update may do, in machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many more machines there may be than wanted.
    pub surge: i64,
    /// How many of the wanted ones may be missing.
    pub unavailable: i64,
}

impl Limits {
    /// Numbers or percentages of the replicas: a surge is rounded up, unavailability down. Both 0 would not move: then
    /// one machine may be missing.
    pub fn resolve(replicas: i64, surge: &Value, unavailable: &Value) -> Self {
        let mut limits = Self {
            surge: amount(surge, replicas, true).unwrap_or(1),
            unavailable: amount(unavailable, replicas, false).unwrap_or(0),
        };
        if limits.surge == 0 && limits.unavailable == 0 {
            limits.unavailable = 1;
        }
        limits
    }
}

/// A number, or a percentage of the replicas.
pub(super) fn amount(value: &Value, replicas: i64, up: bool) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number.max(0));
    }
    let text = value.as_str()?;
    let Some(percent) = text.strip_suffix('%') else { return text.parse().ok().map(|number: i64| number.max(0)) };
    let product = percent.trim().parse::<i64>().ok()?.max(0).checked_mul(replicas.max(0))?;
    Some(if up { product.saturating_add(99) / 100 } else { product / 100 })
}

/// A machine set as far as a rollout looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Set {
    /// How many machines it is asked for.
    pub wanted: i64,
    /// How many it has.
    pub there: i64,
    /// How many of those are available.
    pub available: i64,
}

/// The sizes to ask for next: of the new set, and of the old ones in their order (the oldest first).
pub fn rolling_update(replicas: i64, limits: Limits, new: Set, old: &[Set]) -> (i64, Vec<i64>) {
    let wanted_old: i64 = old.iter().map(|set| set.wanted).sum();
    let most = replicas.saturating_add(limits.surge);
    let total = new.wanted + wanted_old;
    let size = if new.wanted >= replicas { replicas } else { replicas.min(new.wanted + (most - total).max(0)) };
    let least = (replicas - limits.unavailable).max(0);
    let missing = (size - new.available.min(size)).max(0);
    let mut budget = (size + wanted_old - least - missing).max(0);
    let mut sizes: Vec<i64> = old.iter().map(|set| set.wanted).collect();
    // machines that serve nobody go first
    for (size, set) in sizes.iter_mut().zip(old) {
        let idle = (set.wanted - set.available).clamp(0, budget);
        *size -= idle;
        budget -= idle;
    }
    let available = new.available + old.iter().map(|set| set.available.min(set.wanted)).sum::<i64>();
    budget = budget.min((available - least).max(0));
    for size in &mut sizes {
        let fewer = (*size).clamp(0, budget);
        *size -= fewer;
        budget -= fewer;
    }
    (size, sizes)
}

/// The size of the new set when machines are replaced by hand: as many as are not in old sets.
pub fn on_delete(replicas: i64, new: Set, old: &[Set]) -> (i64, Vec<i64>) {
    // an old machine that was deleted by hand is not made again
    let sizes: Vec<i64> = old.iter().map(|set| set.wanted.min(set.there)).collect();
    let size = (replicas - sizes.iter().sum::<i64>()).max(0);
    if size < new.wanted && replicas > new.wanted {
        return (new.wanted, sizes);
    }
    (size, sizes)
}

/// Which machines go first when a set has too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Any.
    #[default]
    Random,
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

impl Order {
    /// The order of a name.
    pub fn of(name: &str) -> Self {
        match name {
            "Newest" => Self::Newest,
            "Oldest" => Self::Oldest,
            _ => Self::Random,
        }
    }
}

/// A machine as far as its deletion is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<'m> {
    /// Its name.
    pub name: &'m str,
    /// It is going already.
    pub deleting: bool,
    /// Somebody asked for it to go first.
    pub marked: bool,
    /// It is being updated in place.
    pub updating: bool,
    /// It has a node and is well.
    pub healthy: bool,
    /// When it was made.
    pub made: Timestamp,
}

impl Candidate<'_> {
    fn urgency(&self) -> u8 {
        match self {
            Self { deleting: true, .. } => 100,
            Self { marked: true, .. } => 80,
            Self { updating: true, .. } => 75,
            Self { healthy: false, .. } => 50,
            _ => 0,
        }
    }
}

/// Machines in the order in which they go; equal ones by name, so that it is always the same.
pub fn deletion_order<'m>(mut machines: Vec<Candidate<'m>>, order: Order) -> Vec<Candidate<'m>> {
    machines.sort_by(|left, right| {
        let by_age = match order {
            Order::Random => std::cmp::Ordering::Equal,
            Order::Newest => right.made.cmp(&left.made),
            Order::Oldest => left.made.cmp(&right.made),
        };
        right.urgency().cmp(&left.urgency()).then(by_age).then(left.name.cmp(right.name))
    });
    machines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn machines_go_in_order() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let machine = |name, made| Candidate {
            name,
            deleting: false,
            marked: false,
            updating: false,
            healthy: true,
            made: at(made),
        };
        let machines = vec![
            machine("b", 3),
            machine("a", 2),
            Candidate { healthy: false, ..machine("sick", 1) },
            Candidate { marked: true, ..machine("marked", 5) },
            Candidate { deleting: true, ..machine("going", 9) },
        ];
        let names = |order| {
            let ordered = deletion_order(machines.clone(), order);
            ordered.iter().map(|machine| machine.name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(Order::Random), "going marked sick a b");
        assert_eq!(names(Order::Newest), "going marked sick b a");
        assert_eq!(names(Order::of("Oldest")), "going marked sick a b");
    }

    #[test]
    fn by_hand_a_machine_is_replaced_when_it_is_gone() {
        let old = Set { wanted: 3, there: 3, available: 3 };
        assert_eq!(on_delete(3, Set::default(), &[old]), (0, vec![3]));
        let old = Set { there: 2, ..old };
        assert_eq!(on_delete(3, Set::default(), &[old]), (1, vec![2]));
    }

    proptest! {
        /// From any state a rollout keeps its promises and ends.
        #[test]
        fn a_rollout_ends(replicas in 0..30_i64, surge in 0..12_i64, unavailable in 0..12_i64, start in 0..40_i64) {
            let limits = Limits::resolve(replicas, &surge.into(), &unavailable.into());
            let (mut new, mut old) = (Set::default(), Set { wanted: start, there: start, available: start });
            for _ in 0..200 {
                let (size, sizes) = rolling_update(replicas, limits, new, &[old]);
                prop_assert!(size <= replicas && size >= 0 && sizes[0] >= 0);
                prop_assert!(size + sizes[0] <= (replicas + limits.surge).max(start));
                let available = new.available.min(size) + old.available.min(sizes[0]);
                let before = new.available + old.available;
                prop_assert!(available >= (replicas - limits.unavailable).min(before));
                new = Set { wanted: size, there: size, available: size };
                old = Set { wanted: sizes[0], there: sizes[0], available: sizes[0] };
            }
            prop_assert_eq!((new.wanted, old.wanted), (replicas, 0));
        }
    }
}
