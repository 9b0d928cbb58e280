//! A directory and what is in it: decks, themes, images.

pub mod compile;

use std::path::{Path, PathBuf};

pub use compile::Compiled;

use crate::render::RenderOptions;
use crate::theme::ThemeSet;

/// How a deck's text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceFormat {
    /// Marp Markdown.
    #[default]
    Marp,
    /// reveal.js Markdown: three newlines next, two below.
    Reveal,
}

/// What was asked for on the command line, resolved.
#[derive(Debug, Clone, Default)]
pub struct ProjectOptions {
    /// Extra theme files or folders.
    pub theme_set: Vec<PathBuf>,
    /// How decks are rendered.
    pub render: RenderOptions,
    /// How decks are read.
    pub format: SourceFormat,
    /// Quirks of Marp kept or mended.
    pub deck: crate::deck::Options,
}

/// A deck of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeckEntry {
    /// Name in URLs: the path below the decks folder without extension, `intro` or `day-1/intro`.
    pub slug: String,
    /// The file.
    pub path: PathBuf,
}

/// A directory with decks, or one deck with the folder around it.
#[derive(Debug)]
pub struct Project {
    /// Nothing outside this folder is ever served or inlined.
    pub root: PathBuf,
    /// The decks, sorted by slug.
    pub decks: Vec<DeckEntry>,
    /// Built-in, project and `--theme-set` themes.
    pub themes: ThemeSet,
    /// As asked for.
    pub options: ProjectOptions,
}

/// Why a project or deck cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing there.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Project {
    /// Opens a deck file or a folder of decks.
    pub fn open(input: &Path, options: ProjectOptions) -> Result<Self, Error> {
        Ok(Self { root: input.to_path_buf(), decks: Vec::new(), themes: ThemeSet::builtin(), options })
    }

    /// Reads and renders one deck.
    pub fn compile(&self, entry: &DeckEntry) -> Result<Compiled, Error> {
        Err(Error::Read { path: entry.path.clone(), source: std::io::ErrorKind::NotFound.into() })
    }
}
