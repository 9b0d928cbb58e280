//! Which tags of an image are wanted, and which of them is the newest.

use std::cmp::Ordering;
use std::fmt;

use jiff::Timestamp;
use regex::Regex;

use super::constraint::{Constraint, Version};
use super::search;

/// The filter of containers that have none.
pub const ALL: &str = "glob:*";

/// A tag of an image, and when the image was built; unknown when the registry does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The tag.
    pub tag: String,
    /// When it was built.
    pub created: Option<Timestamp>,
}

/// A filter of tags. A broken one matches as Flux's does and is refused by [`Pattern::check`].
#[derive(Debug, Clone)]
pub enum Pattern {
    /// The whole tag, where `*` is anything; newest first.
    Glob(String),
    /// A version that fits; highest first. Without a constraint any version does.
    Semver(String, Option<Constraint>),
    /// A search; newest first. Without an expression anything matches.
    Regexp(String, Option<Box<Regex>>),
}

/// A filter that nobody should write down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid tag pattern: \"{0}\"")]
pub struct InvalidPattern(pub String);

impl Pattern {
    /// Reads `glob:…`, `semver:…`, `regexp:…` or `regex:…`; anything else is a glob.
    pub fn new(text: &str) -> Self {
        if let Some(constraint) = text.strip_prefix("semver:") {
            return Self::Semver(constraint.to_owned(), Constraint::parse(constraint));
        }
        if let Some(text) = text.strip_prefix("regexp:").or_else(|| text.strip_prefix("regex:")) {
            return Self::Regexp(text.to_owned(), search::compile(text).map(Box::new));
        }
        Self::Glob(text.strip_prefix("glob:").unwrap_or(text).to_owned())
    }

    /// Whether it can be written down.
    ///
    /// # Errors
    /// When the constraint or expression is broken.
    pub fn check(&self) -> Result<(), InvalidPattern> {
        match self {
            Self::Semver(_, None) | Self::Regexp(_, None) => Err(InvalidPattern(self.to_string())),
            _ => Ok(()),
        }
    }

    /// Whether a tag is wanted.
    pub fn matches(&self, tag: &str) -> bool {
        match self {
            Self::Glob(pattern) => glob(pattern, tag),
            Self::Semver(_, constraint) => Version::parse(tag)
                .is_some_and(|version| constraint.as_ref().is_none_or(|constraint| constraint.matches(&version))),
            Self::Regexp(_, search) => search.as_ref().is_none_or(|search| search.is_match(tag)),
        }
    }

    /// Whether it can only choose among images whose time is known.
    pub fn needs_time(&self) -> bool {
        !matches!(self, Self::Semver(..))
    }

    /// Whether it asks for the tag `latest`, which is never meant otherwise.
    pub fn wants_latest(&self) -> bool {
        matches!(self, Self::Glob(pattern) if pattern == "latest")
    }

    /// Whether a tag can be chosen: wanted, and not `latest` unless that is asked for.
    pub fn accepts(&self, tag: &str) -> bool {
        (self.wants_latest() || !tag.eq_ignore_ascii_case("latest")) && self.matches(tag)
    }

    /// Sorts tags, the one to choose first.
    pub fn sort(&self, tags: &mut [Tag]) {
        tags.sort_by(|a, b| self.compare(a, b));
    }

    /// Which of two tags comes first when the best is looked for.
    pub fn compare(&self, a: &Tag, b: &Tag) -> Ordering {
        if self.needs_time() {
            // No time is before all time; a tie goes by name.
            return b.created.cmp(&a.created).then_with(|| a.tag.cmp(&b.tag));
        }
        match (Version::parse(&a.tag), Version::parse(&b.tag)) {
            (Some(a_version), Some(b_version)) => b_version.cmp(&a_version).then_with(|| b.tag.cmp(&a.tag)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.tag.cmp(&b.tag),
        }
    }
}

/// The way to write a filter that everybody agrees on.
impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glob(pattern) => write!(out, "glob:{pattern}"),
            Self::Semver(constraint, _) => write!(out, "semver:{constraint}"),
            Self::Regexp(search, _) => write!(out, "regexp:{search}"),
        }
    }
}

/// Whether a whole text fits a pattern in which `*` alone is special.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn globs_know_stars_alone() {
        assert!(glob("1.*.3", "1.2.3") && glob("*", "") && glob("a*b*c", "a--b--c") && glob("x", "x"));
        assert!(!glob("1.*.3", "11.2.3") && !glob("a?", "ab") && !glob("a*a", "a") && !glob("", "x"));
    }

    fn sorted(pattern: &str, tags: &[&str]) -> Vec<String> {
        let mut tags: Vec<_> = tags.iter().map(|tag| Tag { tag: (*tag).to_owned(), created: None }).collect();
        Pattern::new(pattern).sort(&mut tags);
        tags.into_iter().map(|tag| tag.tag).collect()
    }

    #[test]
    fn versions_come_highest_first() {
        assert_eq!(
            sorted("semver:*", &["aaa", "1.2.30", "v1", "bbb", "1.10", "3", "1.10.0"]),
            ["3", "1.10.0", "1.10", "1.2.30", "v1", "aaa", "bbb"]
        );
    }

    #[test]
    fn latest_has_to_be_asked_for() {
        assert!(Pattern::new("latest").accepts("latest"));
        assert!(!Pattern::new("glob:*").accepts("Latest"));
        assert_eq!(Pattern::new("regex:(").check(), Err(InvalidPattern("regexp:(".to_owned())));
    }

    proptest! {
        #[test]
        fn a_text_fits_itself_and_everything(text in "[a-z0-9.-]{0,12}", head in "[a-z]{0,3}", tail in "[a-z]{0,3}") {
            prop_assert!(glob(&text, &text));
            let whole = format!("{head}{text}{tail}");
            let pattern = format!("{head}*{tail}");
            prop_assert!(glob(&pattern, &whole));
        }
    }
}
