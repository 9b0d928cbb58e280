//! Which tag a container should run, and why.

use std::collections::HashMap;

use jiff::Timestamp;

use super::pattern::{Pattern, Tag};
use super::repository::Inconsistent;

/// What was decided about a container's image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The tag to change to.
    Update(String),
    /// It runs the one that would be chosen.
    UpToDate,
    /// No tag can be chosen.
    Nothing,
    /// It cannot be decided.
    Skip(Skip),
}

/// Why it cannot be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// The registry names a tag that fits but says nothing about its image.
    #[error(transparent)]
    Inconsistent(#[from] Inconsistent),
    /// The one that would be chosen has no tag.
    #[error("untagged image in available images")]
    Untagged,
    /// The order goes by time, and a time is missing.
    #[error("image with zero created timestamp: {0}")]
    NoTime(String),
}

/// What happened to one tag on the way to the choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is the one.
    Chosen,
    /// Others come before it.
    Behind,
    /// The filter does not want it.
    Filtered,
    /// `latest` is never meant unless asked for.
    Latest,
    /// Nothing is known of its image.
    Unknown,
}

/// A choice and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The choice.
    pub choice: Choice,
    /// Every tag with its fate, candidates first, in their order.
    pub tags: Vec<(Tag, Fate)>,
    /// The choice was built before, or is a lower version than, what runs now.
    pub downgrade: bool,
}

/// Decides for a container that runs `current`. `listed` are all tags that the registry names, `known` those whose
/// images it describes.
pub fn choose(pattern: &Pattern, current: &str, listed: &[String], known: &[Tag]) -> Explanation {
    let by_tag: HashMap<&str, &Tag> = known.iter().map(|tag| (tag.tag.as_str(), tag)).collect();
    let found = |tag: &str| by_tag.get(tag).copied();
    let candidates = candidates(pattern, listed, &by_tag);
    let missing = listed.iter().find(|tag| pattern.accepts(tag) && found(tag).is_none());
    let newest = candidates.first().cloned();
    let choice = decide(pattern, current, missing, newest.as_ref(), found(current));
    let downgrade = matches!(&choice, Choice::Update(tag) if is_lower(pattern, tag, current, known));
    let fate = |index: usize| if index == 0 { Fate::Chosen } else { Fate::Behind };
    let mut tags: Vec<_> = candidates.into_iter().enumerate().map(|(index, tag)| (tag, fate(index))).collect();
    let dropped = listed.iter().filter_map(|tag| found(tag)).filter(|tag| !pattern.accepts(&tag.tag));
    tags.extend(
        dropped.map(|tag| (tag.clone(), if pattern.matches(&tag.tag) { Fate::Latest } else { Fate::Filtered })),
    );
    let unknown = listed.iter().filter(|tag| found(tag).is_none());
    tags.extend(unknown.map(|tag| (Tag { tag: tag.clone(), created: None }, Fate::Unknown)));
    Explanation { choice, tags, downgrade }
}

/// The tags that can be chosen, the best first.
fn candidates(pattern: &Pattern, listed: &[String], known: &HashMap<&str, &Tag>) -> Vec<Tag> {
    let accepted = listed.iter().filter(|tag| pattern.accepts(tag));
    let mut candidates: Vec<Tag> =
        accepted.filter_map(|tag| known.get(tag.as_str()).map(|tag| (*tag).clone())).collect();
    pattern.sort(&mut candidates);
    candidates
}

fn decide(
    pattern: &Pattern,
    current: &str,
    missing: Option<&String>,
    newest: Option<&Tag>,
    running: Option<&Tag>,
) -> Choice {
    if let Some(tag) = missing {
        return Choice::Skip(Skip::Inconsistent(Inconsistent(tag.clone())));
    }
    let Some(newest) = newest else { return Choice::Nothing };
    if newest.tag == current {
        return Choice::UpToDate;
    }
    if newest.tag.is_empty() {
        return Choice::Skip(Skip::Untagged);
    }
    if pattern.needs_time() {
        let time = |tag: Option<&Tag>| tag.and_then(|tag| tag.created);
        if time(running).is_none() {
            return Choice::Skip(Skip::NoTime(current.to_owned()));
        }
        if newest.created.is_none() {
            return Choice::Skip(Skip::NoTime(newest.tag.clone()));
        }
    }
    Choice::Update(newest.tag.clone())
}

/// Whether going from one tag to another goes back.
fn is_lower(pattern: &Pattern, to: &str, from: &str, known: &[Tag]) -> bool {
    use super::constraint::Version;
    if let (Some(to), Some(from)) = (Version::parse(to), Version::parse(from)) {
        return to < from;
    }
    let time = |tag: &str| -> Option<Timestamp> { known.iter().find(|other| other.tag == tag)?.created };
    pattern.needs_time() && time(to).zip(time(from)).is_some_and(|(to, from)| to < from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(tag: &str, second: Option<i64>) -> Tag {
        Tag { tag: tag.to_owned(), created: second.map(|second| Timestamp::from_second(second).unwrap()) }
    }

    fn chosen(pattern: &str, current: &str, known: &[Tag]) -> Choice {
        let listed: Vec<_> = known.iter().map(|tag| tag.tag.clone()).collect();
        choose(&Pattern::new(pattern), current, &listed, known).choice
    }

    #[test]
    fn the_newest_or_the_highest() {
        let known = [tag("3", Some(1)), tag("main-1", Some(2)), tag("2", Some(3)), tag("latest", Some(9))];
        assert_eq!(chosen("glob:*", "main-1", &known), Choice::Update("2".to_owned()));
        assert_eq!(chosen("semver:*", "main-1", &known), Choice::Update("3".to_owned()));
        assert_eq!(chosen("semver:*", "3", &known), Choice::UpToDate);
        assert_eq!(chosen("semver:>9", "3", &known), Choice::Nothing);
        assert_eq!(chosen("glob:*", "gone", &known), Choice::Skip(Skip::NoTime("gone".to_owned())));
    }

    #[test]
    fn every_tag_has_its_fate() {
        let known = [tag("1.0.0", Some(1)), tag("2.0.0", Some(2)), tag("latest", Some(3)), tag("dev", Some(4))];
        let listed: Vec<_> = ["1.0.0", "2.0.0", "latest", "dev", "odd"].map(str::to_owned).to_vec();
        let told = choose(&Pattern::new("semver:*"), "1.0.0", &listed, &known);
        let fates: Vec<_> = told.tags.iter().map(|(tag, fate)| (tag.tag.as_str(), fate)).collect();
        let wanted = [
            ("2.0.0", &Fate::Chosen),
            ("1.0.0", &Fate::Behind),
            ("latest", &Fate::Filtered),
            ("dev", &Fate::Filtered),
            ("odd", &Fate::Unknown),
        ];
        assert_eq!(fates, wanted);
    }

    #[test]
    fn going_back_is_noticed() {
        let known = [tag("2.0.0", Some(1)), tag("1.9.9", Some(2))];
        let listed = ["2.0.0", "1.9.9"].map(str::to_owned);
        let told = choose(&Pattern::new("glob:*"), "2.0.0", &listed, &known);
        assert_eq!((told.choice, told.downgrade), (Choice::Update("1.9.9".to_owned()), true));
    }
}
