//! Names and jitter that look random and follow from a seed.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// The characters of random endings: none that form words.
const SAFE: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// The longest name that is also a label's value.
const LONGEST: usize = 63;

/// FNV-1a over some texts, mixed.
pub(super) fn hash(seed: u64, parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

/// Some safe characters that a number gives.
pub(super) fn letters(mut number: u64, count: usize) -> String {
    let mut text = String::with_capacity(count);
    for _ in 0..count {
        text.extend(SAFE.get((number % 27) as usize).map(|byte| char::from(*byte)));
        number /= 27;
    }
    text
}

/// How long something takes: its duration and up to `jitter` times as much again, always the same for the same thing.
pub(super) fn jittered(duration: Duration, jitter: f64, seed: u64, parts: &[&str]) -> Duration {
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 100.0) } else { 0.0 };
    let part = f64::from((hash(seed, parts) >> 40) as u32) / f64::from(1_u32 << 24);
    let millis = duration.mul_f64(jitter * part).as_millis();
    duration + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// Gives out names; remembers them, so that none comes twice.
#[derive(Debug, Clone, Default)]
pub struct Names {
    seed: u64,
    /// How many names of a beginning were given.
    counts: HashMap<String, u64>,
    given: HashSet<(Box<str>, String)>,
}

impl Names {
    /// Names that follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// A name that begins with `prefix-` and ends in five characters, in a namespace, and is not taken.
    pub(super) fn next(&mut self, namespace: &str, prefix: &str, taken: impl Fn(&str) -> bool) -> String {
        let room = LONGEST - 6;
        let end = (0..=room.min(prefix.len())).rev().find(|end| prefix.is_char_boundary(*end)).unwrap_or(0);
        let short = prefix.get(..end).unwrap_or_default();
        let count = self.counts.entry(format!("{namespace}/{prefix}")).or_default();
        // a name is taken at most as often as there are objects; the bound is for the reader's peace of mind
        for _ in 0..1_000_000 {
            *count += 1;
            let number = hash(self.seed, &[namespace, prefix, &count.to_string()]);
            let name = format!("{short}-{}", letters(number, 5));
            if !taken(&name) && self.given.insert((namespace.into(), name.clone())) {
                return name;
            }
        }
        format!("{short}-{count}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_seed_gives_the_same_names() {
        let some = |seed| {
            let mut names = Names::new(seed);
            (0..3).map(|_| names.next("default", "demo-md-0", |_| false)).collect::<Vec<_>>()
        };
        assert_eq!(some(1), some(1));
        assert_ne!(some(1), some(2));
        let mut names = Names::new(1);
        let first = some(1)[0].clone();
        assert_eq!(names.next("default", "demo-md-0", |name| name == first), some(1)[1]);
    }

    proptest! {
        #[test]
        fn jitter_stays_in_bounds(name in "[a-z]{1,8}", jitter in 0.0..1.0_f64, seconds in 0_u64..100) {
            let base = Duration::from_secs(seconds);
            let taken = jittered(base, jitter, 3, &[&name]);
            prop_assert!(taken >= base && taken <= base + base.mul_f64(jitter) + Duration::from_millis(1));
        }

        #[test]
        fn names_are_labels(prefix in "[a-z\u{e9}]{0,80}") {
            let name = Names::new(0).next("n", &prefix, |_| false);
            prop_assert!(name.len() <= LONGEST && name.starts_with(|c: char| c.is_alphabetic() || c == '-'));
        }
    }
}
