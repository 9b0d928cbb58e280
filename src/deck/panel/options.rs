//! THE table of panel options: key, what it takes, which kinds have it.

use super::PanelKind::{self, *};
use crate::deck::{duration, image};

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Any text that is not empty.
    Text,
    /// A name that can stand in an address: letters, digits, `.`, `_` and `-`.
    Name,
    /// Nothing, or `true` or `false`.
    Flag,
    /// A whole number between these.
    Number(u32, u32),
    /// A duration.
    Duration,
    /// `step`, or a duration.
    Since,
    /// A CSS length.
    Length,
    /// An http or https address.
    Url,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl Takes {
    /// Whether it takes this value.
    pub fn accepts(self, value: &str) -> bool {
        match self {
            Self::Text => !value.trim().is_empty(),
            Self::Name => is_name(value),
            Self::Flag => matches!(value, "true" | "false"),
            Self::Number(least, most) => value.parse().is_ok_and(|number: u32| (least..=most).contains(&number)),
            Self::Duration => duration::parse(value).is_some(),
            Self::Since => value == "step" || duration::parse(value).is_some(),
            Self::Length => height(value).is_some(),
            Self::Url => value.split_once("://").is_some_and(|(scheme, rest)| {
                !rest.is_empty() && ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
            }),
            Self::OneOf(words) => words.contains(&value),
        }
    }

    /// What it takes, for people.
    pub fn expected(self) -> String {
        match self {
            Self::Text => "a text".into(),
            Self::Name => "a name of letters, digits, `.`, `_` and `-`".into(),
            Self::Flag => "nothing, or `true` or `false`".into(),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Duration => duration::EXPECTED.into(),
            Self::Since => format!("`step`, or {}", duration::EXPECTED),
            Self::Length => "a height such as `300`, `300px` or `12em`".into(),
            Self::Url => "an address that starts with `http://` or `https://`".into(),
            Self::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                words.join(" or ")
            }
        }
    }
}

/// The CSS length that a height is; pixels when it is a number alone.
pub fn height(text: &str) -> Option<String> {
    image::length(text).filter(|length| length != "auto" && length.len() <= 20)
}

/// Whether a text can name something in an address.
pub fn is_name(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// An option.
#[derive(Debug, Clone, Copy)]
struct Row {
    key: &'static str,
    takes: Takes,
    /// Empty for all kinds.
    kinds: &'static [PanelKind],
}

const fn row(key: &'static str, takes: Takes, kinds: &'static [PanelKind]) -> Row {
    Row { key, takes, kinds }
}

const TABLE: [Row; 34] = [
    row("id", Takes::Name, &[]),
    row("title", Takes::Text, &[]),
    row("height", Takes::Length, &[]),
    row("namespace", Takes::Text, &[]),
    row("selector", Takes::Text, &[]),
    row("source", Takes::OneOf(&["live", "replay", "snapshot"]), &[]),
    row("focus", Takes::Text, &[]),
    row("since", Takes::Since, &[]),
    row("max", Takes::Number(1, 100), &[]),
    row("readonly", Takes::Flag, &[]),
    row("kind", Takes::Text, &[Pods, Resources, Events, Diff, Tree, Canary, Releases]),
    row("name", Takes::Text, &[Pods, Resources, Events, Diff, Tree, Canary, Releases, Terminal]),
    row("columns", Takes::Text, &[Pods, Resources]),
    row("pod", Takes::Text, &[Logs]),
    row("deployment", Takes::Text, &[Logs]),
    row("container", Takes::Text, &[Logs]),
    row("tail", Takes::Number(0, 10_000), &[Logs]),
    row("path", Takes::Text, &[Gitlog]),
    row("branch", Takes::Text, &[Gitlog]),
    row("image", Takes::Text, &[Images]),
    row("workload", Takes::Text, &[Images]),
    row("url", Takes::Url, &[Http]),
    row("url", Takes::Text, &[Qr]),
    row("method", Takes::OneOf(&["GET", "HEAD"]), &[Http]),
    row("expect", Takes::Text, &[Http]),
    row("interval", Takes::Duration, &[Http, Exec]),
    row("rows", Takes::Number(2, 200), &[Terminal]),
    row("cols", Takes::Number(10, 500), &[Terminal]),
    row("text", Takes::Text, &[Qr]),
    row("options", Takes::Text, &[Poll]),
    row("hidden", Takes::Flag, &[Poll]),
    row("command", Takes::Text, &[Exec]),
    row("timeout", Takes::Duration, &[Exec]),
    row("workshop", Takes::Text, &[Steps]),
];

/// Of each list one is needed: an option, or (where it says so) plain words.
const NEEDED: [(PanelKind, &[&str], bool); 4] =
    [(Http, &["url"], false), (Qr, &["url", "text"], false), (Poll, &["options"], true), (Exec, &["command"], true)];

fn rows(kind: PanelKind) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.kinds.is_empty() || row.kinds.contains(&kind))
}

/// What an option of a kind takes; nothing when the kind has no such option.
pub fn find(kind: PanelKind, key: &str) -> Option<Takes> {
    rows(kind).find(|row| row.key == key).map(|row| row.takes)
}

/// The keys of a kind's options.
pub fn keys(kind: PanelKind) -> impl Iterator<Item = &'static str> {
    rows(kind).map(|row| row.key)
}

/// Kinds that have an option of this key, when not all have.
pub fn kinds_with(key: &str) -> impl Iterator<Item = PanelKind> {
    TABLE.iter().filter(move |row| row.key == key).flat_map(|row| row.kinds.iter().copied())
}

/// Whether a word alone is an option of a kind.
pub(super) fn is_flag(kind: PanelKind, word: &str) -> bool {
    find(kind, word) == Some(Takes::Flag)
}

/// Whether a kind has words that are no options.
pub fn takes_words(kind: PanelKind) -> bool {
    matches!(kind, Poll | Exec)
}

/// The options of which a kind needs one, and whether words will do as well.
pub fn needed(kind: PanelKind) -> Option<(&'static [&'static str], bool)> {
    NEEDED.iter().find(|(known, ..)| *known == kind).map(|(_, keys, words)| (*keys, *words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_has_an_option_twice() {
        for (word, kind) in PanelKind::ALL {
            let mut keys: Vec<&str> = keys(kind).collect();
            keys.sort_unstable();
            let all = keys.len();
            keys.dedup();
            assert_eq!(keys.len(), all, "{word}");
        }
    }

    #[test]
    fn values_that_are_taken() {
        for (kind, key, good, bad) in [
            (Pods, "max", "12", "0"),
            (Pods, "max", "100", "twelve"),
            (Pods, "source", "replay", "dead"),
            (Pods, "since", "step", "yesterday"),
            (Pods, "since", "10m", "10"),
            (Pods, "height", "300", "auto"),
            (Pods, "height", "12em", "1;color:red"),
            (Pods, "id", "a-b.c_1", "a b"),
            (Pods, "readonly", "true", "yes"),
            (Pods, "title", "a b", " "),
            (Http, "url", "http://podinfo/", "podinfo"),
            (Http, "interval", "1s", "1"),
            (Terminal, "cols", "80", "8"),
        ] {
            let takes = find(kind, key).unwrap();
            assert!(takes.accepts(good), "{key}={good}");
            assert!(!takes.accepts(bad), "{key}={bad}");
        }
        assert_eq!(find(Pods, "url"), None);
    }
}
