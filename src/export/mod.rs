//! [`Compiled`] → a file.

pub mod data;
mod fonts;
pub mod html;
pub mod inline;
pub mod notes;
pub mod site;
pub mod write;

use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic};
use crate::project::{Compiled, Project};
use crate::render::template;

/// What a deck is made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// One page with the player, or only the slides.
    #[default]
    Html,
    /// Presenter notes as plain text, as Marp writes them.
    NotesText,
    /// Presenter notes as Markdown, under the titles of their slides.
    NotesMarkdown,
}

impl Format {
    /// The format of a file name's extension.
    pub fn of_path(path: &Path) -> Option<Self> {
        Self::of_name(path.extension()?.to_str()?)
    }

    /// The format of a name, as after `--to`.
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "html" | "htm" => Self::Html,
            "txt" => Self::NotesText,
            "md" | "markdown" => Self::NotesMarkdown,
            _ => return None,
        })
    }

    /// The extension of files of this format.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::NotesText => "txt",
            Self::NotesMarkdown => "md",
        }
    }
}

/// What is around the slides in an HTML page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Template {
    /// The player: keys, presenter view, overview.
    #[default]
    Player,
    /// The slides one below the other.
    Bare,
}

/// How to make a file of a deck.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// Into what.
    pub format: Format,
    /// Around the slides.
    pub template: Template,
    /// Whether presenter notes go into an HTML page.
    pub with_notes: bool,
    /// Whether local files go into the page; `None`: into the player's, not into the bare one.
    pub inline: Option<bool>,
    /// Whether the player shows a bar of progress (Marp's `--bespoke.progress`).
    pub progress: bool,
    /// Whether the player hides its buttons (Marp's `--bespoke.osc=false`).
    pub no_controls: bool,
    /// The deck's name: title of a deck that has none, and key of synchronised windows.
    pub name: String,
}

impl Job {
    /// Whether local files go into the page.
    pub fn inlines(&self) -> bool {
        self.inline.unwrap_or(self.template == Template::Player)
    }
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The content.
    pub text: String,
    /// What was noticed on the way. An error means that something is missing from the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why a file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A page template is wrong.
    #[error(transparent)]
    Template(#[from] template::Error),
    /// The file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Where to.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Makes a file of a deck.
///
/// # Errors
/// When a page template of the project is wrong.
pub fn export(project: &Project, compiled: &Compiled, job: &Job) -> Result<Output, Error> {
    match job.format {
        Format::Html => html::page(project, compiled, job),
        Format::NotesText => Ok(with_notes_found(compiled, notes::text(&compiled.rendered))),
        Format::NotesMarkdown => Ok(with_notes_found(compiled, notes::markdown(&compiled.rendered, &job.name))),
    }
}

fn with_notes_found(compiled: &Compiled, text: String) -> Output {
    let none = compiled.rendered.slides.iter().all(|slide| slide.notes.is_empty());
    let found = Diagnostic::warning(Code("export/no-notes"), "the deck has no presenter notes");
    let found = found.hint("a note is an HTML comment on a slide: `<!-- say this -->`");
    Output { text, diagnostics: if none { vec![found] } else { Vec::new() } }
}
