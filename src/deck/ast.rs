//! The tree of a slide's content.

use crate::diagnostic::Span;

/// A block and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its bytes in the deck's source.
    pub span: Span,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockKind {
    /// A heading.
    Heading {
        /// 1 to 6.
        level: u8,
        /// The anchor; may be empty.
        id: String,
        /// Marked with `<!-- fit -->`.
        fit: bool,
        /// The text.
        content: Vec<Inline>,
    },
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// Text that stands without a paragraph: in a tight list item.
    Plain(Vec<Inline>),
    /// A block quote.
    Quote(Vec<Block>),
    /// A list; `start` is the first number of an ordered one.
    List {
        /// `None` for a bullet list.
        start: Option<u64>,
        /// The items.
        items: Vec<ListItem>,
    },
    /// A code block; `info` is the whole info string, empty for indented code.
    Code {
        /// Info string.
        info: String,
        /// The code, ending in a line end unless empty.
        text: String,
    },
    /// Raw HTML as the author wrote it.
    Html(String),
    /// Display mathematics in TeX.
    Math(String),
    /// A table.
    Table {
        /// One per column.
        alignments: Vec<Alignment>,
        /// Head cells.
        head: Vec<Vec<Inline>>,
        /// Body rows of cells.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A thematic break that is not a slide boundary.
    Rule,
}

/// Alignment of a table column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// Not given.
    None,
    /// `:--`
    Left,
    /// `:-:`
    Center,
    /// `--:`
    Right,
}

/// One item of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListItem {
    /// Its fragment number on the slide, from 1, when it is revealed on its own.
    pub fragment: Option<u16>,
    /// Its content.
    pub blocks: Vec<Block>,
}

/// Content inside a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Inline {
    /// Text, unescaped.
    Text(String),
    /// A code span.
    Code(String),
    /// `*…*`
    Emphasis(Vec<Inline>),
    /// `**…**`
    Strong(Vec<Inline>),
    /// `~~…~~`
    Strikethrough(Vec<Inline>),
    /// A link; `href` is already normalised.
    Link {
        /// The address.
        href: String,
        /// The title, empty when none.
        title: String,
        /// The text.
        content: Vec<Inline>,
    },
    /// An image that stands in the text.
    Image(Image),
    /// A line break, soft or hard.
    Break,
    /// Raw HTML as the author wrote it, one tag.
    Html(String),
    /// Inline mathematics in TeX.
    Math(String),
}

/// An image: in the text, or (with [`Image::background`]) behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Image {
    /// The address, already normalised.
    pub src: String,
    /// What is left of the alternative text without its keywords.
    pub alt: String,
    /// The title, empty when none.
    pub title: String,
    /// CSS width.
    pub width: Option<String>,
    /// CSS height.
    pub height: Option<String>,
    /// CSS filter functions, in order.
    pub filters: Vec<String>,
    /// Set for `bg` images.
    pub background: Option<Background>,
    /// The whole image in the source.
    pub span: Span,
}

/// What the keywords of a `bg` image say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Background {
    /// CSS `background-size`.
    pub size: Option<String>,
    /// `left` or `right`.
    pub split: Option<Side>,
    /// The width of the split, as `30%`.
    pub split_size: Option<String>,
    /// `vertical` (`true`) or `horizontal` (`false`).
    pub vertical: Option<bool>,
}

/// Side of a split background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The picture is on the left.
    Left,
    /// The picture is on the right.
    Right,
}
