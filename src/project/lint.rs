//! What is wrong in a deck although it can be rendered.
use std::path::Path;

use crate::deck::Deck;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::render::RenderOptions;

use super::Project;
use super::files::Reader;
use super::themes::Themes;

/// Which rules are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Those that tell of something broken on a slide.
    #[default]
    Quick,
    /// All.
    Full,
}

/// A deck and all that it is judged by.
pub(super) struct Lint<'a> {
    pub(super) project: &'a Project,
    pub(super) reader: &'a Reader<'a>,
    pub(super) themes: &'a Themes,
    pub(super) render: &'a RenderOptions,
    pub(super) folder: &'a Path,
    pub(super) source: &'a SourceFile,
    pub(super) deck: &'a Deck,
}

impl Lint<'_> {
    pub(super) fn run(&self, _known: &[Diagnostic]) -> Vec<Diagnostic> {
        Vec::new()
    }
}

/// The finding about an address that leads out of the project.
pub fn outside(url: &str, root: &Path) -> Diagnostic {
    let message = format!("`{url}` is outside of `{}`", root.display());
    Diagnostic::error(crate::diagnostic::Code("asset/outside-root"), message)
        .hint("move the file into the project's folder, or name a larger one with `--root`")
}
