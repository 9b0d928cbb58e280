//! Markdown text → [`Deck`]: slides with their directives, content and notes. Pure.

pub mod ast;
pub mod directive;
pub mod reveal;

pub use ast::{Block, BlockKind, Image, Inline, ListItem};
pub use directive::{Globals, Locals, Paginate};

use crate::diagnostic::{SourceFile, Span, Warned};

/// Which of the real Marp's text-losing quirks are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compatibility {
    /// Nothing the author wrote is lost: text after a comment's end stays,
    /// deep nesting stays, one bad YAML line costs only itself.
    #[default]
    KeepText,
    /// Exactly what Marp does, losses included.
    Strict,
}

/// How to read a deck.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Quirks kept or mended.
    pub compatibility: Compatibility,
}

/// One Markdown file of slides.
#[derive(Debug, Clone, Default)]
pub struct Deck {
    /// Deck-wide directives, the last occurrence of each.
    pub globals: Globals,
    /// The slides, at least one.
    pub slides: Vec<Slide>,
    /// CSS of the unscoped `<style>` elements, in document order.
    pub styles: Vec<Style>,
}

/// CSS written in the deck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// The CSS text.
    pub css: String,
    /// Where it stands.
    pub span: Span,
}

/// A presenter note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text, trimmed.
    pub text: String,
    /// The whole comment.
    pub span: Span,
}

/// One slide.
#[derive(Debug, Clone, Default)]
pub struct Slide {
    /// From its first to its last byte.
    pub span: Span,
    /// The directives in effect on it.
    pub directives: Locals,
    /// The content.
    pub blocks: Vec<Block>,
    /// Presenter notes, in document order.
    pub notes: Vec<Note>,
    /// Background images, in document order.
    pub backgrounds: Vec<Image>,
    /// How many fragments its lists have.
    pub fragments: u16,
    /// CSS of its `<style scoped>` elements.
    pub scoped_styles: Vec<Style>,
    /// Page number shown on it, from 1; `None` when no number is shown.
    pub page: Option<u32>,
}

/// Reads a deck.
pub fn parse(source: &SourceFile, options: &Options) -> Warned<Deck> {
    let _ = (source, options);
    Warned { value: Deck::default(), diagnostics: Vec::new() }
}
