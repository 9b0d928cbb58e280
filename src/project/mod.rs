//! A directory and what is in it: decks, themes, images.

pub mod compile;
mod copies;
pub mod files;
pub mod find;
pub mod lint;
pub mod markup;
pub mod media;
pub mod themes;
pub mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use compile::Compiled;

use crate::render::RenderOptions;
use files::{Disk, Files, Kind, Reader, TextError};
use markup::Address;
use themes::Themes;

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
    /// The folder that nothing may leave; found by itself when not given.
    pub root: Option<PathBuf>,
    /// Extra theme files, folders, or patterns such as `themes/*.css`.
    pub theme_set: Vec<PathBuf>,
    /// A CSS file that is the theme of all decks; needs no name of its own.
    pub theme_file: Option<PathBuf>,
    /// How decks are rendered.
    pub render: RenderOptions,
    /// How decks are read.
    pub format: SourceFormat,
    /// Quirks of Marp kept or mended.
    pub deck: crate::deck::Options,
    /// Whether every rule is applied (`check`) or only those that tell of a broken slide.
    pub lint: lint::Depth,
}

/// A deck of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeckEntry {
    /// Name in URLs: the path below the decks folder without extension, `intro` or `day-1/intro`.
    pub slug: String,
    /// The file, as the user named it.
    pub path: PathBuf,
}

/// A directory with decks, or one deck with the folder around it.
#[derive(Debug)]
pub struct Project {
    /// Nothing outside this folder is ever served or inlined. Absolute, without symbolic links.
    pub root: PathBuf,
    /// The decks, sorted by slug.
    pub decks: Vec<DeckEntry>,
    /// As asked for.
    pub options: ProjectOptions,
    files: Arc<dyn Files>,
    themes: Mutex<Option<Arc<Themes>>>,
}

/// Why a project or deck cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing there, or no right to read it.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A deck that is no text.
    #[error("cannot read `{}`", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: TextError,
    },
    /// A folder without a single deck.
    #[error("there is no deck in `{}`", folder.display())]
    NoDecks {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder with more files than anybody presents.
    #[error("there are more than {limit} decks in `{}`", folder.display())]
    TooManyDecks {
        /// The folder.
        folder: PathBuf,
        /// How many there may be.
        limit: usize,
    },
}

/// Where a reference in a deck leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file below the root, absolute and without symbolic links.
    File(PathBuf),
    /// No such file; the path where it was looked for.
    Missing(PathBuf),
    /// A file that is not below the root.
    Outside(PathBuf),
    /// On another host.
    Remote,
    /// In the page itself.
    Inside,
    /// A scheme that is never followed.
    Refused,
}

impl Project {
    /// Opens a deck file or a folder of decks.
    ///
    /// # Errors
    /// When the input is not there or cannot be read, or a folder holds no deck or too many.
    pub fn open(input: &Path, options: ProjectOptions) -> Result<Self, Error> {
        Self::open_in(Arc::new(Disk), &[input], options)
    }

    /// Opens decks and folders of decks as one project around the first.
    ///
    /// # Errors
    /// As [`Project::open`].
    pub fn open_all(inputs: &[&Path], options: ProjectOptions) -> Result<Self, Error> {
        Self::open_in(Arc::new(Disk), inputs, options)
    }

    /// Opens decks from any source of files.
    ///
    /// # Errors
    /// As [`Project::open`].
    pub fn open_in(files: Arc<dyn Files>, inputs: &[&Path], options: ProjectOptions) -> Result<Self, Error> {
        let mut decks = Vec::new();
        let mut root = options.root.clone();
        for input in inputs {
            let found = find::input(files.as_ref(), input)?;
            root.get_or_insert(found.root);
            decks.extend(found.decks);
        }
        find::settle(&mut decks);
        let root = root.unwrap_or_default();
        let root = files.resolve(&root).map_err(|source| Error::Read { path: root, source })?;
        Ok(Self { root, decks, options, files, themes: Mutex::default() })
    }

    /// A project around a folder with no deck of its own: for a deck that comes through a pipe.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn around(folder: &Path, options: ProjectOptions) -> Result<Self, Error> {
        let files: Arc<dyn Files> = Arc::new(Disk);
        let root = options.root.clone().unwrap_or_else(|| find::root_of(files.as_ref(), folder));
        let root = files.resolve(&root).map_err(|source| Error::Read { path: root, source })?;
        Ok(Self { root, decks: Vec::new(), options, files, themes: Mutex::default() })
    }

    /// The deck of a slug.
    pub fn deck(&self, slug: &str) -> Option<&DeckEntry> {
        self.decks.iter().find(|deck| deck.slug == slug)
    }

    /// Where files come from.
    pub fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    /// The themes as their files are now; read again only when a file changed.
    pub fn themes(&self, reader: &Reader<'_>) -> Arc<Themes> {
        let mut cell = self.themes.lock().unwrap_or_else(PoisonError::into_inner);
        let themes = Themes::load(reader, &self.root, &self.options, cell.as_ref());
        *cell = Some(themes.clone());
        themes
    }

    /// Whether a file below the root is hidden: keys and settings lie in such files, and decks never show them.
    pub fn is_hidden(&self, path: &Path) -> bool {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        below.iter().any(|part| part.as_encoded_bytes().starts_with(b"."))
    }

    /// Where an address leads that is written in a file of `folder` (absolute).
    pub fn target(&self, reader: &Reader<'_>, folder: &Path, url: &str) -> Target {
        let path = match Address::of(url) {
            Address::Relative(path) => folder.join(path),
            Address::FromRoot(path) => self.root.join(path),
            Address::Remote => return Target::Remote,
            Address::Inside => return Target::Inside,
            Address::Other => return Target::Refused,
        };
        let path = files::lexical(&path);
        if !path.starts_with(&self.root) {
            // Nothing is refused where nothing is: that is a missing file like any other.
            return if self.files.kind(&path).is_some() { Target::Outside(path) } else { Target::Missing(path) };
        }
        if reader.kind(&path) != Some(Kind::File) {
            return Target::Missing(path);
        }
        match self.files.resolve(&path) {
            Ok(real) if real.starts_with(&self.root) => Target::File(real),
            Ok(real) => Target::Outside(real),
            Err(_) => Target::Missing(path),
        }
    }
}
