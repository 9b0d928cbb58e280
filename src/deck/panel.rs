//! Live parts of a slide as the author wrote them: syntax only, no data.

pub mod options;
mod read;

pub use read::PanelText;

use crate::diagnostic::Span;

/// What a panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PanelKind {
    /// Pods of a namespace.
    Pods,
    /// Any kind of object, with the columns that the server prints.
    Resources,
    /// Events of a namespace or an object.
    Events,
    /// What containers write.
    Logs,
    /// Commits of the demo repository.
    Gitlog,
    /// What is applied, what is not, and why.
    Sync,
    /// Desired against live.
    Diff,
    /// Commits, syncs, drift and repairs with measured seconds.
    Timeline,
    /// Owners and what they own.
    Tree,
    /// Weights and metrics of a canary over time.
    Canary,
    /// Helm releases.
    Releases,
    /// Tags of an image, the policy, and the tag that would be chosen.
    Images,
    /// Answers of an HTTP address, with their latency.
    Http,
    /// A terminal.
    Terminal,
    /// Steps of a workshop, or the runnable ones of this deck.
    Steps,
    /// A QR code.
    Qr,
    /// A question to the audience.
    Poll,
    /// A trusted command as a table.
    Exec,
}

impl PanelKind {
    /// Every kind with the word that names it.
    pub const ALL: [(&'static str, Self); 18] = [
        ("pods", Self::Pods),
        ("resources", Self::Resources),
        ("events", Self::Events),
        ("logs", Self::Logs),
        ("gitlog", Self::Gitlog),
        ("sync", Self::Sync),
        ("diff", Self::Diff),
        ("timeline", Self::Timeline),
        ("tree", Self::Tree),
        ("canary", Self::Canary),
        ("releases", Self::Releases),
        ("images", Self::Images),
        ("http", Self::Http),
        ("terminal", Self::Terminal),
        ("steps", Self::Steps),
        ("qr", Self::Qr),
        ("poll", Self::Poll),
        ("exec", Self::Exec),
    ];

    /// The word that names it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// The kind of this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind)
    }
}

/// One `key=value` of a panel; a key alone has the value `true`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelOption {
    /// The key.
    pub key: String,
    /// The value, without quotes.
    pub value: String,
    /// Where it stands.
    pub span: Span,
}

/// A panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelSpec {
    /// What it shows.
    pub kind: PanelKind,
    /// In the order written; of a key given twice the last counts.
    pub options: Vec<PanelOption>,
    /// The words that are no `key=value`: the command of `exec`, the question of `poll`.
    pub words: Vec<String>,
    /// The text of the last good run: the fence's body, or the picture's alternative text.
    pub snapshot: String,
    /// The picture of the last good run, for panels in the image form.
    pub picture: Option<String>,
    /// The whole block or image.
    pub span: Span,
}

/// Options that say how a panel looks, not what it shows.
const LOOKS: [&str; 4] = ["id", "title", "height", "focus"];

impl PanelSpec {
    /// The value of an option.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.options.iter().rev().find(|option| option.key == key).map(|option| option.value.as_str())
    }

    /// What it shows, in one spelling: panels with the same key show the same and share one source.
    pub fn key(&self) -> String {
        let mut options: Vec<(&str, &str)> = self
            .options
            .iter()
            .filter(|option| !LOOKS.contains(&option.key.as_str()))
            .map(|option| (option.key.as_str(), self.get(&option.key).unwrap_or_default()))
            .collect();
        options.sort_unstable();
        options.dedup();
        let mut key = self.kind.word().to_owned();
        for (name, value) in options {
            key.push_str(&format!(" {name}={value:?}"));
        }
        for word in &self.words {
            key.push_str(&format!(" {word:?}"));
        }
        key
    }

    /// The id that the author gave it, when it is one.
    pub fn written_id(&self) -> Option<&str> {
        self.get("id").filter(|id| options::is_name(id))
    }

    /// What stands in its title bar: the author's title, else what it shows.
    pub fn title(&self) -> String {
        if let Some(title) = self.get("title").filter(|title| !title.trim().is_empty()) {
            return title.to_owned();
        }
        let about = match self.kind {
            PanelKind::Poll => return self.words.first().cloned().unwrap_or_else(|| "poll".into()),
            PanelKind::Exec => {
                let command = self.get("command").map_or_else(|| self.words.join(" "), str::to_owned);
                return if command.is_empty() { "exec".into() } else { format!("$ {command}") };
            }
            _ => [
                "kind",
                "name",
                "deployment",
                "pod",
                "image",
                "workload",
                "url",
                "text",
                "path",
                "workshop",
                "namespace",
            ],
        };
        let mut title = self.kind.word().to_owned();
        for value in about.iter().filter_map(|key| self.get(key)).filter(|value| !value.is_empty()) {
            title.push_str(" · ");
            title.push_str(value);
        }
        title
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> PanelSpec {
        PanelText::read(text, 0).spec(String::new(), None, Span::default()).unwrap()
    }

    #[test]
    fn looks_do_not_count_for_what_is_shown() {
        assert_eq!(spec("pods namespace=demo id=a title=T").key(), spec("pods height=3em namespace=\"demo\"").key());
        assert_ne!(spec("pods namespace=demo").key(), spec("pods namespace=prod").key());
        assert_eq!(spec("pods max=3 max=4").key(), spec("pods max=4").key());
    }

    #[test]
    fn title_bars_say_what_is_shown() {
        for (text, title) in [
            ("pods namespace=demo title=\"My pods\"", "My pods"),
            ("pods namespace=demo", "pods · demo"),
            ("canary namespace=prod name=podinfo", "canary · podinfo · prod"),
            ("poll \"Which one?\" push pull", "Which one?"),
            ("exec kubectl get nodes", "$ kubectl get nodes"),
            ("timeline", "timeline"),
        ] {
            assert_eq!(spec(text).title(), title);
        }
    }
}
