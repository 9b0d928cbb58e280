//! foredeck's own settings in a deck: `foredeck:` in its front matter, harmless elsewhere.
//!
//! ```yaml
//! foredeck:
//!   fallback: auto        # or, in one line, `foredeck.fallback: auto`
//! ```

use super::Given;
use super::yaml::Value;
use crate::diagnostic::{Code, Diagnostic, closest};

/// The key of all of them.
pub const KEY: &str = "foredeck";
/// The settings that there are.
const NAMES: [&str; 1] = ["fallback"];

/// What is done when the live demo fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fallback {
    /// The recorded run takes over.
    Auto,
    /// The speaker is asked.
    #[default]
    Ask,
    /// Nothing.
    Never,
}

impl Fallback {
    /// The word for it.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "ask" => Some(Self::Ask),
            "never" => Some(Self::Never),
            _ => None,
        }
    }
}

/// What a deck sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Own {
    /// What is done when its live demo fails.
    pub fallback: Option<Fallback>,
}

impl Own {
    /// The settings among a deck's keys; the last one of a name counts.
    pub fn read(given: &[Given]) -> Self {
        let mut own = Self::default();
        for (_, name, value) in all(given) {
            if name == "fallback"
                && let Some(fallback) = value.text().and_then(Fallback::of_name)
            {
                own.fallback = Some(fallback);
            }
        }
        own
    }
}

/// Whether a key is for foredeck.
pub fn is_own(key: &str) -> bool {
    key == KEY || key.strip_prefix(KEY).is_some_and(|rest| rest.starts_with('.'))
}

/// What is wrong with them.
pub fn judge(given: &[Given]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for one in given.iter().filter(|one| one.key == KEY && !matches!(one.value, Value::Map(_))) {
        let message = "`foredeck` takes settings, each on a line of its own below it";
        let finding = Diagnostic::warning(Code("deck/directive-value"), message).at(one.span);
        found.push(finding.hint("for example `foredeck.fallback: ask`"));
    }
    for (one, name, value) in all(given) {
        let finding = match name {
            "fallback" if value.text().and_then(Fallback::of_name).is_some() => continue,
            "fallback" => {
                let message = "`foredeck.fallback` takes `auto`, `ask` or `never`";
                Diagnostic::warning(Code("deck/directive-value"), message)
            }
            name => {
                let message = format!("unknown setting `foredeck.{name}`");
                let finding = Diagnostic::warning(Code("deck/unknown-directive"), message);
                match closest(name, NAMES) {
                    Some(like) => finding.hint(format!("did you mean `foredeck.{like}`?")),
                    None => finding.hint("a deck sets `foredeck.fallback`; the rest is set in `foredeck.toml`"),
                }
            }
        };
        found.push(finding.at(one.span));
    }
    found
}

/// All of them, in either form.
fn all(given: &[Given]) -> impl Iterator<Item = (&Given, &str, &Value)> {
    given.iter().flat_map(|one| {
        let nested: &[(String, Value)] = match &one.value {
            Value::Map(items) if one.key == KEY => items,
            _ => &[],
        };
        let flat = one.key.strip_prefix(KEY).and_then(|rest| rest.strip_prefix('.'));
        let nested = nested.iter().map(move |(name, value)| (one, name.as_str(), value));
        nested.chain(flat.map(|name| (one, name, &one.value)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deck::{Options, parse};
    use crate::diagnostic::SourceFile;

    fn told(front: &str) -> (Option<Fallback>, Vec<(&'static str, String, usize)>) {
        let source = SourceFile::new("a.md", format!("---\nmarp: true\n{front}\n---\n\n# A\n"));
        let deck = parse(&source, &Options::default()).value;
        let found = judge(&deck.given);
        let short = found.into_iter().map(|found| (found.code.0, found.message, found.hints.len()));
        (Own::read(&deck.given).fallback, short.collect())
    }

    #[test]
    fn a_deck_says_what_is_done_when_its_demo_fails() {
        for front in ["foredeck:\n  fallback: auto", "foredeck.fallback: auto", "foredeck: { fallback: auto }"] {
            assert_eq!(told(front), (Some(Fallback::Auto), vec![]), "{front}");
        }
        assert_eq!(told("theme: gaia"), (None, vec![]));
    }

    #[test]
    fn what_is_no_setting_is_told() {
        let wrong = |code, message: &str, hints| (None, vec![(code, message.to_owned(), hints)]);
        for (front, expected) in [
            (
                "foredeck:\n  fallback: maybe",
                wrong("deck/directive-value", "`foredeck.fallback` takes `auto`, `ask` or `never`", 0),
            ),
            ("foredeck.falback: ask", wrong("deck/unknown-directive", "unknown setting `foredeck.falback`", 1)),
            ("foredeck:\n  port: 80", wrong("deck/unknown-directive", "unknown setting `foredeck.port`", 1)),
            (
                "foredeck: on",
                wrong("deck/directive-value", "`foredeck` takes settings, each on a line of its own below it", 1),
            ),
        ] {
            assert_eq!(told(front), expected, "{front}");
        }
    }
}
