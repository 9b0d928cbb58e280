//! Deck path → [`Compiled`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::deck::own::Own;
use crate::deck::reveal;
use crate::diagnostic::{Code, Diagnostic, Severity, SourceFile, Span};
use crate::render::{self, Rendered};

use super::copies::Copies;
use super::files::{self, Reader};
use super::find::parent_of;
use super::{DeckEntry, Error, Project, SourceFormat, lint};

/// A deck, rendered, with everything noticed and read on the way.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The deck's text.
    pub source: SourceFile,
    /// The slides.
    pub rendered: Rendered,
    /// What the deck sets for foredeck alone.
    pub own: Own,
    /// The findings.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that were read: a change to any of them asks for a new compile.
    pub dependencies: BTreeSet<PathBuf>,
    /// The folder that relative addresses start from, absolute.
    pub folder: PathBuf,
    /// Whether `rendered` is of an earlier text, because this one is broken.
    pub stale: bool,
}

/// A finding of one of these means that the rendering is not what the author meant at all.
const BREAKING: [&str; 4] =
    ["deck/front-matter-syntax", "deck/unclosed-front-matter", "deck/style-syntax", "theme/unknown"];

fn is_breaking(diagnostic: &Diagnostic) -> bool {
    BREAKING.contains(&diagnostic.code.0)
}

impl Compiled {
    /// The deck's file, absolute.
    pub fn place(&self) -> PathBuf {
        let path = self.source.path();
        path.file_name().map_or_else(|| self.folder.clone(), |name| self.folder.join(name))
    }

    /// Whether a running presentation had better keep what it shows: the last edit broke something that was right.
    fn breaks(&self, last: &Self) -> bool {
        self.diagnostics.iter().any(is_breaking) && (last.stale || !last.diagnostics.iter().any(is_breaking))
    }

    /// The slides of `good` with the findings and the text of this one.
    fn over(self, good: &Self) -> Self {
        let Self { mut dependencies, mut diagnostics, .. } = self;
        dependencies.extend(good.dependencies.iter().cloned());
        for diagnostic in diagnostics.iter_mut().filter(|diagnostic| is_breaking(diagnostic)) {
            diagnostic.severity = Severity::Error;
        }
        let rendered = good.rendered.clone();
        Self {
            source: self.source,
            folder: self.folder,
            rendered,
            own: self.own,
            diagnostics,
            dependencies,
            stale: true,
        }
    }

    /// This one with a finding about a later version of the deck that could not be compiled.
    #[must_use]
    pub fn with_failure(&self, error: &Error) -> Self {
        let found = unreadable(error);
        let mut compiled = self.clone();
        compiled.diagnostics.retain(|d| d.code != found.code);
        compiled.diagnostics.push(found);
        compiled.stale = true;
        compiled
    }
}

/// A failure as a finding, for those who are already looking at the deck.
fn unreadable(error: &Error) -> Diagnostic {
    let mut message = error.to_string();
    if let Some(cause) = std::error::Error::source(error) {
        message = format!("{message}: {cause}");
    }
    Diagnostic::error(Code("deck/unreadable"), message).hint("the last version that could be read stays on screen")
}

impl Project {
    /// Reads and renders one deck.
    ///
    /// # Errors
    /// When the file cannot be read, or is no text. What is wrong with the text is in the diagnostics.
    pub fn compile(&self, entry: &DeckEntry) -> Result<Compiled, Error> {
        let reader = Reader::new(self.files());
        let folder = parent_of(&entry.path);
        let failed = |source| Error::Read { path: entry.path.clone(), source };
        let folder = self.files().resolve(&folder).map_err(failed)?;
        let place = folder.join(entry.path.file_name().unwrap_or_default());
        let bytes = reader.read(&place).map_err(failed)?;
        let text = files::text(&bytes).map_err(|source| Error::Text { path: entry.path.clone(), source })?;
        if let Ok(real) = self.files().resolve(&place)
            && real != place
        {
            // The deck is a symbolic link: both the link and the file behind it may change.
            reader.remember(&real);
        }
        let source = SourceFile::new(&entry.path, text);
        Ok(self.compile_text(source, folder, reader))
    }

    /// Renders a deck that was read elsewhere; its addresses are relative to `folder`.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn compile_source(&self, source: SourceFile, folder: &Path) -> Result<Compiled, Error> {
        let failed = |source| Error::Read { path: folder.into(), source };
        let folder = self.files().resolve(folder).map_err(failed)?;
        Ok(self.compile_text(source, folder, Reader::new(self.files())))
    }

    fn compile_text(&self, source: SourceFile, folder: PathBuf, reader: Reader<'_>) -> Compiled {
        let converted = (self.options.format == SourceFormat::Reveal).then(|| reveal::to_marp(&source));
        let parsed_source = match &converted {
            Some(converted) => SourceFile::new(source.path(), converted.value.text.as_str()),
            None => source.clone(),
        };
        let themes = self.themes(&reader);
        let mut options = self.options.render.clone();
        if let Some(name) = &themes.forced {
            options.theme = Some(name.clone());
        }
        let mut deck = crate::deck::parse(&parsed_source, &self.options.deck);
        let mut diagnostics = deck.diagnostics;
        let lint = lint::Lint {
            project: self,
            reader: &reader,
            render: &options,
            folder: &folder,
            source: &parsed_source,
            deck: &deck.value,
        };
        let found = lint.run();
        let copies = Copies { project: self, reader: &reader, folder: &folder };
        diagnostics.extend(copies.fill(parsed_source.text(), &mut deck.value));
        let mut rendered = render::render(&deck.value, &themes.set, &options);
        diagnostics.append(&mut rendered.diagnostics);
        diagnostics.extend(found);
        let mut rendered = rendered.value;
        if let Some(converted) = converted {
            let back = |span: &mut Span| *span = converted.value.original(*span);
            rendered.slides.iter_mut().for_each(|slide| back(&mut slide.span));
            diagnostics.iter_mut().filter(|d| d.file.is_none()).filter_map(|d| d.span.as_mut()).for_each(back);
            // What mends the converted text does not fit the one that was written.
            diagnostics.iter_mut().for_each(|d| d.fix = None);
            diagnostics.extend(converted.diagnostics);
        }
        diagnostics.extend(themes.diagnostics.iter().cloned());
        settle(&mut diagnostics, &source);
        let own = Own::read(&deck.value.given);
        Compiled { source, rendered, own, diagnostics, dependencies: reader.into_dependencies(), folder, stale: false }
    }

    /// An empty deck that says why the real one cannot be shown.
    pub(super) fn placeholder(&self, entry: &DeckEntry, error: &Error) -> Compiled {
        let reader = Reader::new(self.files());
        let folder = parent_of(&entry.path);
        let folder = self.files().resolve(&folder).unwrap_or(folder);
        reader.remember(&folder.join(entry.path.file_name().unwrap_or_default()));
        self.compile_text(SourceFile::new(&entry.path, ""), folder, reader).with_failure(error)
    }

    /// Renders a deck again; a broken edit keeps the slides of `last`.
    pub fn recompile(&self, entry: &DeckEntry, last: &Arc<Compiled>) -> Compiled {
        match self.compile(entry) {
            Ok(compiled) if compiled.source.text().trim().is_empty() && !last.source.text().trim().is_empty() => {
                // Many editors empty a file before they write it.
                let found = Diagnostic::error(Code("deck/empty"), "the deck is empty");
                let mut compiled = compiled.over(last);
                compiled.diagnostics = vec![found.hint("the last version with text stays on screen")];
                compiled
            }
            Ok(compiled) if compiled.breaks(last) => compiled.over(last),
            Ok(compiled) => compiled,
            Err(error) => last.with_failure(&error),
        }
    }
}

/// In the order of their places, each once.
fn settle(diagnostics: &mut Vec<Diagnostic>, source: &SourceFile) {
    for diagnostic in diagnostics.iter_mut().filter(|d| d.file.is_none()) {
        if let Some(span) = &mut diagnostic.span {
            let end = source.text().len();
            *span = Span::new(span.start.min(end), span.end.min(end));
        }
    }
    let place = |d: &Diagnostic| (d.file.is_some(), d.span.map_or(usize::MAX, |span| span.start));
    diagnostics.sort_by(|a, b| place(a).cmp(&place(b)).then(b.severity.cmp(&a.severity)));
    diagnostics.dedup();
}
