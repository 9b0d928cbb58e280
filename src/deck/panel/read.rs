//! `KIND key=value …` → a panel.

use super::{PanelKind, PanelOption, PanelSpec, options};
use crate::deck::words::{self, End, Word};
use crate::diagnostic::Span;

/// What an author wrote for a panel, mistakes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelText {
    /// The kind, or the word that is none (empty when nothing is written) and where it stands.
    pub kind: Result<PanelKind, (String, Span)>,
    /// The options, in order.
    pub options: Vec<PanelOption>,
    /// The other words, and where they stand.
    pub words: Vec<(String, Span)>,
    /// Where a quote is opened that is never closed.
    pub unclosed: Vec<Span>,
}

impl PanelText {
    /// Reads a text that stands at `at` of the source.
    pub fn read(text: &str, at: usize) -> Self {
        let (words, _) = words::read(text, at, End::Text);
        let unclosed = words.iter().filter(|word| word.unclosed).map(|word| word.span).collect();
        let mut words = words.into_iter();
        let kind = match words.next() {
            None => Err((String::new(), Span::new(at, at))),
            Some(word) => {
                let known = word.key.is_none().then(|| PanelKind::named(&word.value)).flatten();
                known.ok_or_else(|| (word.whole(), word.span))
            }
        };
        let mut read = Self { kind, options: Vec::new(), words: Vec::new(), unclosed };
        words.for_each(|word| read.take(word));
        read
    }

    /// Gives everything the same place.
    pub(in crate::deck) fn place_all(&mut self, place: Span) {
        if let Err((_, span)) = &mut self.kind {
            *span = place;
        }
        self.options.iter_mut().for_each(|option| option.span = place);
        self.words.iter_mut().for_each(|(_, span)| *span = place);
        self.unclosed.fill(place);
    }

    fn take(&mut self, word: Word) {
        let kind = self.kind.as_ref().ok().copied();
        let is_flag = word.key.is_none() && kind.is_some_and(|kind| options::is_flag(kind, &word.value));
        // a command or a question may hold a `=` of its own
        let is_prose = kind.is_some_and(|kind| {
            options::takes_words(kind) && word.key.as_ref().is_some_and(|key| options::find(kind, key).is_none())
        });
        if is_flag {
            self.options.push(PanelOption { key: word.value, value: "true".into(), span: word.span });
            return;
        }
        match word.key {
            Some(key) if !is_prose => self.options.push(PanelOption { key, value: word.value, span: word.span }),
            _ => self.words.push((word.whole(), word.span)),
        }
    }

    /// The panel, when its kind is known.
    pub fn spec(self, snapshot: String, picture: Option<String>, span: Span) -> Option<PanelSpec> {
        Some(PanelSpec {
            kind: self.kind.ok()?,
            options: self.options,
            words: self.words.into_iter().map(|(word, _)| word).collect(),
            snapshot,
            picture,
            span,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (Result<PanelKind, String>, Vec<(String, String)>, Vec<String>);

    fn read(text: &str) -> Read {
        let read = PanelText::read(text, 0);
        (
            read.kind.map_err(|(word, _)| word),
            read.options.into_iter().map(|option| (option.key, option.value)).collect(),
            read.words.into_iter().map(|(word, _)| word).collect(),
        )
    }

    #[test]
    fn kinds_options_and_words() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            read("pods namespace=demo selector=app=podinfo readonly id=pods extra"),
            (
                Ok(PanelKind::Pods),
                vec![
                    pair("namespace", "demo"),
                    pair("selector", "app=podinfo"),
                    pair("readonly", "true"),
                    pair("id", "pods")
                ],
                vec!["extra".into()]
            )
        );
        assert_eq!(
            read("exec interval=5s kubectl get pods -l app=podinfo title=\"All pods\""),
            (
                Ok(PanelKind::Exec),
                vec![pair("interval", "5s"), pair("title", "All pods")],
                ["kubectl", "get", "pods", "-l", "app=podinfo"].map(str::to_owned).into()
            )
        );
        assert_eq!(read("podz a=b"), (Err("podz".into()), vec![pair("a", "b")], vec![]));
        assert_eq!(read(" "), (Err(String::new()), vec![], vec![]));
        assert_eq!(read("kind=pods"), (Err("kind=pods".into()), vec![], vec![]));
    }
}
