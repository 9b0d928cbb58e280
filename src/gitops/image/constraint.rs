//! Versions and constraints on them, by the rules of Masterminds' semver 3.1, which Flux uses.
//!
//! They differ from Cargo's: a `v` in front, one to three numbers, `||`, `!=`, hyphen ranges, wildcards, and a
//! pre-release matches only a comparison that has one itself.

use std::cmp::Ordering;

/// A version. Missing numbers are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    pre: semver::Prerelease,
}

impl Version {
    /// Reads `1`, `v1.2`, `1.2.3-rc.1+meta`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (version, given) = parse_parts(text)?;
        // A wildcard is no version.
        (given.iter().all(|part| *part != Part::Any)).then_some(version)
    }

    /// Whether it is a pre-release.
    pub fn is_pre_release(&self) -> bool {
        !self.pre.is_empty()
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| self.pre.cmp(&other.pre))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Given,
    Any,
    Absent,
}

/// A version that may have wildcards or missing numbers, and which of its numbers were given.
fn parse_parts(text: &str) -> Option<(Version, [Part; 3])> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, meta) = text.split_once('+').map_or((text, None), |(text, meta)| (text, Some(meta)));
    if let Some(meta) = meta {
        semver::BuildMetadata::new(meta).ok().filter(|meta| !meta.is_empty())?;
    }
    let (text, pre) = text.split_once('-').map_or((text, None), |(text, pre)| (text, Some(pre)));
    let pre = match pre {
        Some(pre) => semver::Prerelease::new(pre).ok().filter(|pre| !pre.is_empty())?,
        None => semver::Prerelease::EMPTY,
    };
    let (mut numbers, mut given) = ([0; 3], [Part::Absent; 3]);
    let mut parts = text.split('.');
    for index in 0..3 {
        let Some(part) = parts.next() else { break };
        let (number, kind) = match part {
            "x" | "X" | "*" => (0, Part::Any),
            digits if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) => {
                (digits.parse().ok()?, Part::Given)
            }
            _ => return None,
        };
        if let (Some(place), Some(which)) = (numbers.get_mut(index), given.get_mut(index)) {
            *place = number;
            *which = kind;
        }
    }
    (parts.next().is_none() && given.first() != Some(&Part::Absent)).then_some((Version { numbers, pre }, given))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    version: Version,
    given: [Part; 3],
}

impl Comparison {
    fn has(&self, index: usize) -> bool {
        self.given.get(index) == Some(&Part::Given)
    }

    /// The first number that is open: 3 when all are given.
    fn open(&self) -> usize {
        (0..3).find(|&index| !self.has(index)).unwrap_or(3)
    }

    /// The first version behind all that share the first `kept` numbers.
    fn next_after(&self, kept: usize) -> [u64; 3] {
        let mut numbers = self.version.numbers;
        for (index, number) in numbers.iter_mut().enumerate() {
            match (index + 1).cmp(&kept) {
                Ordering::Equal => *number = number.saturating_add(1),
                Ordering::Greater => *number = 0,
                Ordering::Less => {}
            }
        }
        numbers
    }

    /// Whether a version shares the numbers that are given.
    fn shares(&self, version: &Version) -> bool {
        let open = self.open();
        version.numbers.iter().zip(&self.version.numbers).take(open).all(|(a, b)| a == b)
    }

    fn matches(&self, version: &Version) -> bool {
        // A pre-release is wanted only where one is written.
        if version.is_pre_release() && !self.version.is_pre_release() {
            return false;
        }
        let partial = self.open() < 3;
        match self.operator {
            Operator::Equal if partial => self.tilde(version),
            Operator::Equal => *version == self.version,
            Operator::NotEqual if partial => !self.shares(version),
            Operator::NotEqual => *version != self.version,
            Operator::Greater if self.open() == 0 => false,
            Operator::Greater if partial => version.numbers >= self.next_after(self.open()),
            Operator::Greater => *version > self.version,
            Operator::GreaterOrEqual => *version >= self.version,
            Operator::Less => *version < self.version,
            Operator::LessOrEqual if self.open() == 0 => true,
            Operator::LessOrEqual if partial => version.numbers < self.next_after(self.open()),
            Operator::LessOrEqual => *version <= self.version,
            Operator::Tilde => self.tilde(version),
            Operator::Caret => self.caret(version),
        }
    }

    /// `~1.2.3` is 1.2 from .3 on, `~1.2` is 1.2, `~1` is 1, `~*` anything.
    fn tilde(&self, version: &Version) -> bool {
        let kept = self.open().min(2);
        *version >= self.version && (kept == 0 || version.numbers < self.next_after(kept))
    }

    /// `^1.2.3` is 1 from there on; of a leading zero the next number counts.
    fn caret(&self, version: &Version) -> bool {
        let open = self.open();
        let leading = self.version.numbers.iter().take_while(|number| **number == 0).count();
        let kept = (leading + 1).min(open).min(3);
        *version >= self.version && (kept == 0 || version.numbers < self.next_after(kept))
    }
}

/// A constraint: one of several sets of comparisons has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    alternatives: Vec<Vec<Comparison>>,
}

impl Constraint {
    /// Reads `>=1.2 <2, !=1.5 || ^3`; `None` when it is no constraint.
    pub fn parse(text: &str) -> Option<Self> {
        let alternatives: Option<Vec<_>> = text.split("||").map(comparisons).collect();
        Some(Self { alternatives: alternatives? })
    }

    /// Whether a version fits.
    pub fn matches(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|all| all.iter().all(|comparison| comparison.matches(version)))
    }
}

fn comparisons(text: &str) -> Option<Vec<Comparison>> {
    let text = hyphen_ranges(text);
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (operator, after) = operator(rest);
        let after = after.trim_start();
        let end = after.find(|c: char| c.is_whitespace() || ",<>=!~^".contains(c)).unwrap_or(after.len());
        let (version, given) = parse_parts(after.get(..end)?)?;
        found.push(Comparison { operator, version, given });
        rest = after.get(end..)?.trim_start();
        if let Some(behind) = rest.strip_prefix(',') {
            rest = behind.trim_start();
            if rest.is_empty() {
                return None;
            }
        }
    }
    Some(found)
}

fn operator(text: &str) -> (Operator, &str) {
    const OPERATORS: [(&str, Operator); 12] = [
        (">=", Operator::GreaterOrEqual),
        ("=>", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("=<", Operator::LessOrEqual),
        ("!=", Operator::NotEqual),
        ("~>", Operator::Tilde),
        ("==", Operator::Equal),
        ("=", Operator::Equal),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("~", Operator::Tilde),
        ("^", Operator::Caret),
    ];
    let found = OPERATORS.iter().find_map(|(mark, operator)| Some((*operator, text.strip_prefix(mark)?)));
    found.unwrap_or((Operator::Equal, text))
}

/// `1.2 - 2.3` as `>=1.2 <=2.3`.
fn hyphen_ranges(text: &str) -> String {
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    while let Some(at) = words.iter().position(|word| word == "-") {
        let (Some(from), Some(to)) = (at.checked_sub(1).and_then(|at| words.get(at)), words.get(at + 1)) else { break };
        let range = format!(">={from} <={to}");
        words.splice(at - 1..=at + 1, [range]);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(constraint: &str, version: &str) -> bool {
        Constraint::parse(constraint).unwrap().matches(&Version::parse(version).unwrap())
    }

    #[test]
    fn constraints_are_masterminds() {
        let yes = [
            ("*", "1.0.0"),
            ("1.2", "1.2.5"),
            ("1.2.x", "1.2.9"),
            (">1.2", "1.3.0"),
            ("<=1.2", "1.2.5"),
            ("~1", "1.9.0"),
            ("^0.2.3", "0.2.9"),
            ("^0.0.3", "0.0.3"),
            ("^0", "0.9.0"),
            ("^1.2.3", "1.9.0"),
            ("1.0 - 2.0", "2.0.7"),
            (">=1 <2 || 3.x", "3.1.0"),
            (">=1.0.0-0", "2.0.0-beta"),
            ("!=1.2.3", "1.2.4"),
            ("!=1.2", "1.3.0"),
            ("~> 1.2.3", "1.2.4"),
            ("=>1.2", "1.2.0"),
            (">= 1.0, < 2", "1.5.0"),
            ("", "0.0.1"),
        ];
        for (constraint, version) in yes.into_iter().filter(|(constraint, _)| !constraint.is_empty()) {
            assert!(fits(constraint, version), "{constraint} {version}");
        }
        let no = [
            ("1.2", "1.3.0"),
            (">1.2", "1.2.5"),
            ("<=1.2", "1.3.0"),
            ("^0.2.3", "0.3.0"),
            ("^0.0.3", "0.0.4"),
            ("^1.2.3", "2.0.0"),
            ("*", "1.0.0-rc1"),
            ("~1.0.5", "1.0.6-rc1"),
            ("!=1.2", "1.2.9"),
            ("1.0 - 2.0", "2.1.0"),
            ("<1.2", "1.2.0"),
        ];
        for (constraint, version) in no {
            assert!(!fits(constraint, version), "{constraint} {version}");
        }
        for wrong in ["not-a-constraint", "", "1.2.3.4", ">", "1.0,", "a || 1"] {
            assert_eq!(Constraint::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn versions_are_read() {
        for text in ["1", "v1.0", "1.2.3-rc.1+meta", "0.0.0"] {
            assert!(Version::parse(text).is_some(), "{text}");
        }
        for text in ["", "V1.0", "1.2.3.4", "1.x", "latest", "1.", "-1", "1.2.3-"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        assert!(Version::parse("1.0.0-rc1").unwrap() < Version::parse("1.0").unwrap());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".{0,30}") {
            let _ = Constraint::parse(&text);
            let _ = Version::parse(&text);
        }

        #[test]
        fn a_version_fits_what_it_is_between(major in 0_u64..50, minor in 0_u64..50, patch in 0_u64..50) {
            let version = format!("{major}.{minor}.{patch}");
            for constraint in [format!("={version}"), format!("~{version}"), format!("^{version}"), format!(">={major}.{minor}"), format!("{major}.x")] {
                prop_assert!(fits(&constraint, &version), "{} {}", constraint, version);
            }
        }
    }
}
