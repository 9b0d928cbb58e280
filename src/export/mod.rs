//! [`Compiled`] → a file.

pub mod browser;
pub mod data;
mod fonts;
pub mod html;
pub mod inline;
pub mod measure;
pub mod notes;
pub mod pdf;
pub mod picture;
mod pptx;
pub mod press;
mod sheet;
pub mod site;
pub mod write;
pub mod zip;

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
    /// A page for each slide.
    Pdf,
    /// Pictures without loss.
    Png,
    /// Smaller pictures.
    Jpeg,
    /// PowerPoint: a picture for each slide.
    Pptx,
}

/// Every format, with the words for it; the first is the extension of its files.
const FORMATS: [(Format, &[&str]); 7] = [
    (Format::Html, &["html", "htm"]),
    (Format::NotesText, &["txt"]),
    (Format::NotesMarkdown, &["md", "markdown"]),
    (Format::Pdf, &["pdf"]),
    (Format::Png, &["png"]),
    (Format::Jpeg, &["jpg", "jpeg"]),
    (Format::Pptx, &["pptx"]),
];

impl Format {
    /// The format of a file name's extension.
    pub fn of_path(path: &Path) -> Option<Self> {
        Self::of_name(path.extension()?.to_str()?)
    }

    /// The format of a name, as after `--to`.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        FORMATS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(format, _)| *format)
    }

    /// The extension of files of this format.
    pub fn extension(self) -> &'static str {
        FORMATS.iter().find(|(format, _)| *format == self).and_then(|(_, names)| names.first()).unwrap_or(&"html")
    }

    /// Whether a browser makes it.
    pub fn needs_browser(self) -> bool {
        matches!(self, Self::Pdf | Self::Png | Self::Jpeg | Self::Pptx)
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

/// A recorded run for the player.
#[derive(Debug, Clone, Default)]
pub struct Film {
    /// Deflated JSON.
    pub packed: Vec<u8>,
    /// Whether terminals are in it.
    pub terminals: bool,
}

/// How to make a file of a deck.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// Into what.
    pub format: Format,
    /// Around the slides.
    pub template: Template,
    /// Whether presenter notes go into an HTML page, a PowerPoint file or a handout.
    pub with_notes: bool,
    /// Whether local files go into the page; `None`: into the player's, not into the bare one.
    pub inline: Option<bool>,
    /// Whether the player shows a bar of progress (Marp's `--bespoke.progress`).
    pub progress: bool,
    /// Whether the player hides its buttons (Marp's `--bespoke.osc=false`).
    pub no_controls: bool,
    /// A recorded run that the player shows again.
    pub film: Option<Film>,
    /// How it is printed, by a browser.
    pub print: press::PrintOptions,
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
    /// The browser failed.
    #[error(transparent)]
    Browser(#[from] browser::Error),
    /// A slide that is not there.
    #[error("there is no slide {number}: the deck has {count}")]
    NoSlide {
        /// The number asked for.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// A PowerPoint file that its format has no numbers for.
    #[error(transparent)]
    TooLarge(#[from] zip::TooLarge),
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
/// What a browser makes is made by [`press::press`].
///
/// # Errors
/// When a page template of the project is wrong.
pub fn export(project: &Project, compiled: &Compiled, job: &Job) -> Result<Output, Error> {
    match job.format {
        Format::NotesText => Ok(with_notes_found(compiled, notes::text(&compiled.rendered))),
        Format::NotesMarkdown => Ok(with_notes_found(compiled, notes::markdown(&compiled.rendered, &job.name))),
        _ => html::page(project, compiled, job),
    }
}

fn with_notes_found(compiled: &Compiled, text: String) -> Output {
    let none = compiled.rendered.slides.iter().all(|slide| slide.notes.is_empty());
    let found = Diagnostic::warning(Code("export/no-notes"), "the deck has no presenter notes");
    let found = found.hint("a note is an HTML comment on a slide: `<!-- say this -->`");
    Output { text, diagnostics: if none { vec![found] } else { Vec::new() } }
}
