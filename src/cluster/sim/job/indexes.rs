//! Sets of completion indexes, written as `0-3,7`.

use std::collections::BTreeMap;

/// A set of indexes, kept as ranges: the first and the last of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Indexes {
    ranges: BTreeMap<i64, i64>,
}

impl Indexes {
    /// Reads what [`std::fmt::Display`] writes; indexes from `end` on, and what is no range, do not count.
    pub(super) fn parse(text: &str, end: i64) -> Self {
        let mut indexes = Self::default();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.trim().parse::<i64>(), last.trim().parse::<i64>()) {
                indexes.insert_range(first.max(0), last.min(end - 1));
            }
        }
        indexes
    }

    /// Adds an index.
    pub(super) fn insert(&mut self, index: i64) {
        self.insert_range(index, index);
    }

    fn insert_range(&mut self, mut first: i64, mut last: i64) {
        if first > last {
            return;
        }
        // Ranges that touch the new one become part of it.
        let touching = self.ranges.range(..=last.saturating_add(1)).filter(|(_, end)| **end >= first.saturating_sub(1));
        for (start, end) in touching.map(|(start, end)| (*start, *end)).collect::<Vec<_>>() {
            self.ranges.remove(&start);
            first = first.min(start);
            last = last.max(end);
        }
        self.ranges.insert(first, last);
    }

    /// Whether an index is in the set.
    pub(super) fn contains(&self, index: i64) -> bool {
        self.ranges.range(..=index).next_back().is_some_and(|(_, last)| *last >= index)
    }

    /// How many indexes there are.
    pub(super) fn len(&self) -> i64 {
        self.ranges.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// How many of these indexes are in another set too.
    pub(super) fn common(&self, other: &Self) -> i64 {
        let overlap = |(first, last): (&i64, &i64)| {
            let others = other.ranges.iter();
            others.map(|(start, end)| (last.min(end) - first.max(start) + 1).max(0)).sum::<i64>()
        };
        self.ranges.iter().map(overlap).sum()
    }
}

impl std::fmt::Display for Indexes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, (first, last)) in self.ranges.iter().enumerate() {
            if number > 0 {
                out.write_str(",")?;
            }
            match last - first {
                0 => write!(out, "{first}")?,
                1 => write!(out, "{first},{last}")?,
                _ => write!(out, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_written_short() {
        let cases = [("", ""), ("0", "0"), ("0,1", "0,1"), ("0,1,2", "0-2"), ("5,1-3,4", "1-5"), ("7-9,2", "2,7-9")];
        for (text, expected) in cases {
            assert_eq!(Indexes::parse(text, 10).to_string(), expected, "{text}");
        }
        assert_eq!(Indexes::parse("x,3-1,-4,8-20", 10).to_string(), "8,9");
        assert_eq!(Indexes::parse("0-4,8", 10).common(&Indexes::parse("3-8", 10)), 3);
        assert_eq!(Indexes::parse("0-2000000000", i64::MAX).len(), 2_000_000_001);
    }

    proptest! {
        #[test]
        fn it_is_a_set(numbers in proptest::collection::vec(0..30i64, 0..40)) {
            let mut indexes = Indexes::default();
            numbers.iter().for_each(|number| indexes.insert(*number));
            for number in 0..30 {
                prop_assert_eq!(indexes.contains(number), numbers.contains(&number));
            }
            let unique: std::collections::BTreeSet<_> = numbers.into_iter().collect();
            prop_assert_eq!(indexes.len(), unique.len() as i64);
            prop_assert_eq!(Indexes::parse(&indexes.to_string(), 30), indexes);
        }
    }
}
