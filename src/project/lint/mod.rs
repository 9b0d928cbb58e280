//! What is wrong in a deck although it can be rendered.
//!
//! The parser, the themes and the renderer tell what they stumble over; the rules here need the whole deck or
//! its files.

mod content;
mod file;
mod keys;
mod panel;
mod step;

use std::collections::HashSet;
use std::path::Path;

use crate::deck::Deck;
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::render::RenderOptions;

use super::files::Reader;
use super::{Project, Target};

/// Which rules are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Those that tell of something broken on a slide.
    #[default]
    Quick,
    /// All.
    Full,
}

/// More findings than this help nobody.
const LIMIT: usize = 1_000;
/// For this many missing files a similar name is looked for.
const GUESSES: usize = 20;

/// A deck and all that it is judged by.
pub(super) struct Lint<'a> {
    pub(super) project: &'a Project,
    pub(super) reader: &'a Reader<'a>,
    pub(super) render: &'a RenderOptions,
    pub(super) folder: &'a Path,
    pub(super) source: &'a SourceFile,
    pub(super) deck: &'a Deck,
}

impl Lint<'_> {
    /// The findings, in no order.
    pub(super) fn run(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        self.unknown_keys(&mut found);
        self.notes_like_directives(&mut found);
        self.looks_like_reveal(&mut found);
        self.content(&mut found);
        self.live(&mut found);
        if self.full() {
            self.language(&mut found);
            self.copies(&mut found);
        }
        if found.len() > LIMIT {
            let more = found.len() - LIMIT;
            found.truncate(LIMIT);
            let message = format!("there are {more} more findings in this deck");
            found.push(Diagnostic::warning(Code("deck/more-findings"), message));
        }
        found
    }

    fn full(&self) -> bool {
        self.project.options.lint == Depth::Full
    }

    /// A deck whose slides are separated in reveal.js's way is one long slide for Marp.
    fn looks_like_reveal(&self, found: &mut Vec<Diagnostic>) {
        let text = self.source.text();
        let converted_already = self.project.options.format == super::SourceFormat::Reveal;
        if converted_already || self.deck.slides.len() > 1 || text.matches("\n\n\n").count() < 3 {
            return;
        }
        let message = "this looks like a reveal.js deck: one slide, and several places with empty lines in a row";
        let warning = Diagnostic::warning(Code("deck/looks-like-reveal"), message);
        found.push(warning.hint("present it with `--format reveal`, or convert it with `foredeck import reveal`"));
    }

    fn language(&self, found: &mut Vec<Diagnostic>) {
        if self.deck.globals.lang.is_none() {
            let message = "the deck does not say its language; screen readers and hyphenation need it";
            let warning = Diagnostic::warning(Code("deck/no-lang"), message).at(Span::default());
            found.push(warning.hint("write `lang: en` (or another tag) into the front matter"));
        }
    }

    /// Judges an address; each only once.
    fn address(&self, url: &str, span: Option<Span>, seen: &mut HashSet<String>, found: &mut Vec<Diagnostic>) {
        if !seen.insert(url.to_owned()) {
            return;
        }
        let finding = match self.project.target(self.reader, self.folder, url) {
            Target::File(path) if self.project.is_hidden(&path) => hidden(url),
            Target::File(_) | Target::Inside => return,
            Target::Missing(path) => missing(self.project, url, &path, found.len() < GUESSES),
            Target::Outside(_) => outside(url, &self.project.root),
            Target::Remote if self.full() => remote(url),
            Target::Remote => return,
            Target::Refused => {
                Diagnostic::warning(Code("asset/refused"), format!("`{url}` has a scheme that is not followed"))
                    .hint("name a file below the project's folder, or an https address")
            }
        };
        found.push(finding.at(span));
    }
}

/// The finding about an address of a file that is not there; whether one with a similar name is looked for.
pub(super) fn missing(project: &Project, url: &str, path: &Path, guess: bool) -> Diagnostic {
    let missing = Diagnostic::warning(Code("asset/missing"), format!("there is no file `{url}`"));
    let looked = path.strip_prefix(&project.root).unwrap_or(path);
    let missing = missing.hint(format!("looked for `{}` in `{}`", looked.display(), project.root.display()));
    if !guess {
        return missing;
    }
    let names = path.parent().and_then(|folder| project.files().list(folder).ok()).unwrap_or_default();
    let names: Vec<&str> = names.iter().filter_map(|name| name.path.file_name()?.to_str()).collect();
    let wanted = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    match crate::diagnostic::closest(wanted, names) {
        Some(like) => missing.hint(format!("did you mean `{like}`?")),
        None => missing,
    }
}

/// The finding about an address that leads out of the project.
pub fn outside(url: &str, root: &Path) -> Diagnostic {
    let message = format!("`{url}` is outside of `{}`", root.display());
    Diagnostic::error(Code("asset/outside-root"), message)
        .hint("move the file into the project's folder, or name a larger one with `--root`")
}

/// The finding about an address of a file whose name, or whose folder's, starts with a dot.
pub fn hidden(url: &str) -> Diagnostic {
    Diagnostic::error(Code("asset/hidden"), format!("`{url}` is a hidden file and is not shown"))
        .hint("name a file that does not start with a dot, nor lies in a folder that does")
}

/// The finding about an address that needs the network.
fn remote(url: &str) -> Diagnostic {
    Diagnostic::warning(Code("asset/remote"), format!("`{url}` is fetched from the network while presenting"))
        .hint("save the file beside the deck to be independent of the network")
}
