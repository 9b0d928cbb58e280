//! The front matter of a step file: title, duration, needs, panels.

use std::time::Duration;

use crate::deck::duration;
use crate::deck::panel::PanelKind;
use crate::deck::yaml::{self, Entry, Value};
use crate::diagnostic::{Code, Diagnostic, Span, closest};

/// What a step takes when it does not say.
const DURATION: Duration = Duration::from_secs(300);
const KEYS: [&str; 4] = ["title", "duration", "needs", "panels"];

/// What the front matter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Front {
    pub(super) title: Option<String>,
    pub(super) duration: Duration,
    pub(super) needs: Vec<String>,
    pub(super) panels: Vec<PanelKind>,
    /// Where the text begins.
    pub(super) body: usize,
}

/// Reads the front matter at the start of a text.
pub(super) fn read(text: &str, found: &mut Vec<Diagnostic>) -> Front {
    let mut front = Front { title: None, duration: DURATION, needs: Vec::new(), panels: Vec::new(), body: 0 };
    let Some((yaml, body)) = split(text) else {
        let message = match text.starts_with("---") {
            true => "the front matter is never closed",
            false => "the step has no front matter",
        };
        let hint = "begin the file with `---`, `title: …`, `duration: 5m`, `---`, each on a line of its own";
        found.push(Diagnostic::error(Code("workshop/front-matter"), message).at(Span::new(0, 0)).hint(hint));
        return front;
    };
    front.body = body;
    let entries = match yaml::mapping(&text[yaml.start..yaml.end], |key| key == "title") {
        Ok(entries) => entries,
        Err(_) if text[yaml.start..yaml.end].trim().is_empty() => Vec::new(),
        Err(error) => {
            let before = text[yaml.start..yaml.end].split_inclusive('\n').take(error.line.saturating_sub(1));
            let start = yaml.start + before.map(str::len).sum::<usize>();
            let length = text[start..yaml.end].lines().next().map_or(0, str::len);
            let message = format!("the front matter is not valid YAML: {}", error.message);
            let place = Span::new(start, start + length);
            found.push(Diagnostic::error(Code("workshop/front-matter"), message).at(place));
            return front;
        }
    };
    for entry in entries {
        let span = Span::new(yaml.start + entry.span.start, yaml.start + entry.span.end);
        if let Err(diagnostic) = take(&mut front, &entry) {
            found.push(diagnostic.at(span));
        }
    }
    front
}

fn take(front: &mut Front, entry: &Entry) -> Result<(), Diagnostic> {
    match entry.key.as_str() {
        "title" => front.title = Some(scalar(entry)?.trim().to_owned()).filter(|title| !title.is_empty()),
        "duration" => {
            let text = scalar(entry)?;
            let wrong = || {
                let message = format!("`{text}` is no duration");
                Diagnostic::warning(Code("workshop/duration"), message).hint("write it as `5m`, `90s` or `1h30m`")
            };
            front.duration = duration::parse(text).ok_or_else(wrong)?;
        }
        "needs" => front.needs = list(entry)?,
        "panels" => {
            let mut unknown = None;
            for name in list(entry)? {
                match PanelKind::named(&name) {
                    Some(kind) => front.panels.push(kind),
                    None => unknown = unknown.or(Some(name)),
                }
            }
            if let Some(name) = unknown {
                let known = PanelKind::ALL.iter().map(|(word, _)| *word);
                let hint = match closest(&name, known.clone()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
                };
                let message = format!("there is no panel `{name}`");
                return Err(Diagnostic::error(Code("workshop/unknown-panel"), message).hint(hint));
            }
        }
        key => {
            let message = format!("`{key}` means nothing in a step");
            let hint = match closest(key, KEYS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("a step has {}", KEYS.join(", ")),
            };
            return Err(Diagnostic::warning(Code("workshop/unknown-key"), message).hint(hint));
        }
    }
    Ok(())
}

fn scalar(entry: &Entry) -> Result<&str, Diagnostic> {
    entry.value.text().ok_or_else(|| {
        Diagnostic::error(Code("workshop/front-matter"), format!("`{}` should be a single value", entry.key))
    })
}

fn list(entry: &Entry) -> Result<Vec<String>, Diagnostic> {
    let wrong = || {
        let message = format!("`{}` should be a list of names", entry.key);
        Diagnostic::error(Code("workshop/front-matter"), message).hint(format!("write `{}: [a, b]`", entry.key))
    };
    match &entry.value {
        Value::Text(text) if text.trim().is_empty() => Ok(Vec::new()),
        Value::Text(text) => Ok(vec![text.trim().to_owned()]),
        Value::List(items) => {
            items.iter().map(|item| item.text().map(|t| t.trim().to_owned()).ok_or_else(wrong)).collect()
        }
        Value::Map(_) => Err(wrong()),
    }
}

/// Where the YAML is, and where the text begins.
fn split(text: &str) -> Option<(Span, usize)> {
    let mut at = 0;
    let mut start = None;
    for line in text.split_inclusive('\n') {
        let ruler = line.trim_end() == "---";
        match start {
            None if ruler => start = Some(at + line.len()),
            None => return None,
            Some(start) if ruler => return Some((Span::new(start, at), at + line.len())),
            Some(_) => {}
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_read_and_told_of() {
        let text =
            "---\ntitle: Heal: a cluster\nduration: 90s\nneeds: [03-a, 04-b]\npanels: [pods, timeline]\n---\nText";
        let mut found = Vec::new();
        let front = read(text, &mut found);
        assert_eq!(found, []);
        assert_eq!(front.title.as_deref(), Some("Heal: a cluster"));
        assert_eq!(
            (front.duration, &front.needs[..]),
            (Duration::from_secs(90), &["03-a".to_owned(), "04-b".into()][..])
        );
        assert_eq!(front.panels, [PanelKind::Pods, PanelKind::Timeline]);
        assert_eq!(&text[front.body..], "Text");
        for (text, code, message, place) in [
            ("# Hello", "workshop/front-matter", "the step has no front matter", ""),
            ("---\ntitle: a\n", "workshop/front-matter", "the front matter is never closed", ""),
            ("---\nduration: soon\n---\n", "workshop/duration", "`soon` is no duration", "duration"),
            ("---\npanels: [pod]\n---\n", "workshop/unknown-panel", "there is no panel `pod`", "panels"),
            ("---\nneed: a\n---\n", "workshop/unknown-key", "`need` means nothing in a step", "need"),
            ("---\nneeds: {a: b}\n---\n", "workshop/front-matter", "`needs` should be a list of names", "needs"),
            ("---\ntitle: [a]\n---\n", "workshop/front-matter", "`title` should be a single value", "title"),
        ] {
            let mut found = Vec::new();
            read(text, &mut found);
            let shown: Vec<_> = found
                .iter()
                .map(|d| (d.code.0, d.message.as_str(), d.span.map_or("?", |span| &text[span.start..span.end])))
                .collect();
            assert_eq!(shown, [(code, message, place)], "{text}");
        }
    }
}
