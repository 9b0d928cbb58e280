//! Versions and constraints on them, by the rules of Masterminds' semver 3.1, which Flux uses.
//!
//! They differ from Cargo's: a `v` in front, one to three numbers, `||`, `!=`, hyphen ranges, wildcards, and a
//! pre-release matches only a comparison that has one itself.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::Regex;

/// A version. Missing numbers are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    pre: semver::Prerelease,
}

impl Version {
    /// Reads `1`, `v1.2`, `1.2.3-rc.1+meta`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, meta) = text.split_once('+').map_or((text, None), |(text, meta)| (text, Some(meta)));
        if let Some(meta) = meta {
            semver::BuildMetadata::new(meta).ok().filter(|meta| !meta.is_empty())?;
        }
        let (text, pre) = text.split_once('-').map_or((text, None), |(text, pre)| (text, Some(pre)));
        let mut numbers = [0; 3];
        let mut places = numbers.iter_mut();
        for part in text.split('.') {
            *places.next()? = number(part)?;
        }
        Some(Self { numbers, pre: pre.map_or(Some(semver::Prerelease::EMPTY), pre_release)? })
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

fn number(text: &str) -> Option<u64> {
    text.chars().all(|c| c.is_ascii_digit()).then(|| text.parse().ok())?
}

fn pre_release(text: &str) -> Option<semver::Prerelease> {
    semver::Prerelease::new(text).ok().filter(|pre| !pre.is_empty())
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
    /// Which number is the first that is missing or a wildcard: 3 when all are given.
    open: usize,
}

impl Comparison {
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
        let open = self.open;
        version.numbers.iter().zip(&self.version.numbers).take(open).all(|(a, b)| a == b)
    }

    fn matches(&self, version: &Version) -> bool {
        let open = self.open;
        // A pre-release is wanted only where one is written. Being another version than a whole one asks for none.
        let whole_and_not = self.operator == Operator::NotEqual && (open == 3);
        if version.is_pre_release() && !self.version.is_pre_release() && !whole_and_not {
            return false;
        }
        // A wildcard alone stands for 0.0.0, except where it is a range.
        let partial = (1..3).contains(&open);
        match self.operator {
            Operator::Equal if open < 3 => self.tilde(version),
            Operator::Equal => *version == self.version,
            Operator::NotEqual if partial => !self.shares(version) || (open == 2 && version.pre != self.version.pre),
            Operator::NotEqual => *version != self.version,
            Operator::Greater if partial => version.numbers >= self.next_after(open),
            Operator::Greater => *version > self.version,
            Operator::GreaterOrEqual => *version >= self.version,
            Operator::Less => *version < self.version,
            Operator::LessOrEqual if partial => version.numbers < self.next_after(open),
            Operator::LessOrEqual if open == 0 => version.numbers < [0, 1, 0],
            Operator::LessOrEqual => *version <= self.version,
            Operator::Tilde => self.tilde(version),
            Operator::Caret => self.caret(version),
        }
    }

    /// `~1.2.3` is 1.2 from .3 on, `~1.2` is 1.2, `~1` is 1. `~*` and, of all versions, `~0.0.0` are anything.
    fn tilde(&self, version: &Version) -> bool {
        let open = self.open;
        let anything = open == 0 || (open == 3 && self.version.numbers == [0, 0, 0]);
        *version >= self.version && (anything || version.numbers < self.next_after(open.min(2)))
    }

    /// `^1.2.3` is 1 from there on; of a leading zero the next number counts.
    fn caret(&self, version: &Version) -> bool {
        if *version < self.version {
            return false;
        }
        let (wanted, found) = (self.version.numbers, version.numbers);
        match self.open {
            1 => found[0] == wanted[0],
            _ if wanted[0] > 0 => found[0] == wanted[0],
            open if wanted[1] > 0 || open == 2 => found[..2] == wanted[..2],
            // Here the number in the middle may be any.
            _ => found[0] == 0 && found[2] == wanted[2],
        }
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
        let alternatives: Option<Vec<_>> = without_ranges(text).split("||").map(comparisons).collect();
        Some(Self { alternatives: alternatives? })
    }

    /// Whether a version fits.
    pub fn matches(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|all| all.iter().all(|comparison| comparison.matches(version)))
    }
}

/// The grammar, loose as it is: what it lets through and nobody means has to be read the same way too.
struct Grammar {
    range: Regex,
    all: Regex,
    one: Regex,
}

const BLANK: &str = r"[\t\n\x0c\r ]";

static GRAMMAR: LazyLock<Option<Grammar>> = LazyLock::new(|| {
    let (version, comparison) = (version("(?:"), comparison_pattern("(?:"));
    Some(Grammar {
        range: Regex::new(&format!("{BLANK}*({version}){BLANK}+-{BLANK}+({version}){BLANK}*")).ok()?,
        all: Regex::new(&format!("^(?:{BLANK}*{comparison}{BLANK}*,?)+$")).ok()?,
        one: Regex::new(&comparison_pattern("(")).ok()?,
    })
});

/// A version with wildcards; `group` opens the groups of its numbers and its pre-release.
fn version(group: &str) -> String {
    let number = "[0-9|xX*]+";
    let words = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*";
    format!(r"v?{group}{number}){group}\.{number})?{group}\.{number})?{group}-{words})?(?:\+{words})?")
}

fn comparison_pattern(group: &str) -> String {
    let operators = OPERATORS.map(|(mark, _)| regex::escape(mark)).join("|");
    format!("{group}{operators}){BLANK}*{}", version(group))
}

/// Longer marks first, so that none is taken for the beginning of another.
const OPERATORS: [(&str, Operator); 12] = [
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("!=", Operator::NotEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::Equal),
];

fn comparisons(text: &str) -> Option<Vec<Comparison>> {
    let grammar = GRAMMAR.as_ref()?;
    if !grammar.all.is_match(text) {
        return None;
    }
    grammar.one.captures_iter(text).map(|found| comparison(&found)).collect()
}

fn comparison(found: &regex::Captures<'_>) -> Option<Comparison> {
    let group = |at| found.get(at).map_or("", |part| part.as_str());
    let (_, operator) = OPERATORS.iter().find(|(mark, _)| *mark == group(1))?;
    let given = [group(2), group(3), group(4)].map(|part| part.strip_prefix('.').unwrap_or(part));
    let open = given.iter().position(|part| matches!(*part, "" | "x" | "X" | "*")).unwrap_or(3);
    let mut numbers = [0; 3];
    for (place, part) in numbers.iter_mut().zip(given).take(open) {
        *place = number(part)?;
    }
    let pre = group(5).strip_prefix('-').filter(|_| open > 0);
    let pre = pre.map_or(Some(semver::Prerelease::EMPTY), pre_release)?;
    Some(Comparison { operator: *operator, version: Version { numbers, pre }, open })
}

/// `1.2 - 2.3` as `>= 1.2, <= 2.3`.
fn without_ranges(text: &str) -> String {
    let Some(grammar) = GRAMMAR.as_ref() else { return text.to_owned() };
    grammar.range.replace_all(text, ">= $1, <= $2").into_owned()
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
            ("1.0,", "1.0.0"),
            ("~0.0.0", "7.1.2"),
            ("!=1.2.3", "1.2.4-rc1"),
            ("^0.0.3", "0.7.3"),
            (">=1<2", "1.9.0"),
        ];
        for (constraint, version) in yes {
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
            ("!=1.2", "1.3.0-rc1"),
            ("^*", "1.0.0"),
        ];
        for (constraint, version) in no {
            assert!(!fits(constraint, version), "{constraint} {version}");
        }
        for wrong in ["not-a-constraint", "", "1.2.3.4", ">", "1.0,,", ",1", "==1", "a || 1"] {
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
