//! [`crate::deck::Deck`] + theme → HTML with Marp's DOM. Pure.

pub mod change;
pub mod code;
pub mod math;
pub mod page;
pub mod template;

use crate::deck::Deck;
use crate::diagnostic::{Span, Warned};
use crate::theme::{Container, Size, ThemeSet};

/// How to render.
#[derive(Debug, Clone, Default)]
pub struct RenderOptions {
    /// Around the slides.
    pub container: Container,
    /// Overrides the deck's `theme`.
    pub theme: Option<String>,
    /// Language when the deck names none.
    pub lang: Option<String>,
    /// Which raw HTML passes.
    pub html: HtmlPolicy,
}

/// Which raw HTML passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum HtmlPolicy {
    /// Marp's default list of tags and attributes.
    #[default]
    AllowList,
    /// Everything.
    All,
    /// Nothing: shown as text.
    None,
}

/// A rendered deck.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The slides.
    pub slides: Vec<RenderedSlide>,
    /// All CSS of the slides.
    pub css: String,
    /// Size of every slide.
    pub size: Size,
    /// What the document's head says.
    pub meta: Meta,
    /// Whether a script must scale headings, code or formulas to fit.
    pub auto_scaling: bool,
}

/// One rendered slide.
#[derive(Debug, Clone)]
pub struct RenderedSlide {
    /// `<svg data-marpit-svg …>…</svg>`
    pub html: String,
    /// Presenter notes, as written.
    pub notes: Vec<String>,
    /// How many fragments it has.
    pub fragments: u16,
    /// Plain text of its first heading.
    pub title: Option<String>,
    /// Plain text of the slide, for search and as the text twin.
    pub text: String,
    /// Its place in the deck's source.
    pub span: Span,
}

/// What the head of the document says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// Title: the directive, else the first heading of the highest level.
    pub title: Option<String>,
    /// Language tag.
    pub lang: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Author.
    pub author: Option<String>,
    /// Keywords.
    pub keywords: Vec<String>,
    /// Canonical address.
    pub url: Option<String>,
    /// Picture for social cards.
    pub image: Option<String>,
    /// Name of the theme that was used.
    pub theme: String,
}

/// Renders a deck.
pub fn render(deck: &Deck, themes: &ThemeSet, options: &RenderOptions) -> Warned<Rendered> {
    let _ = (deck, options);
    Warned {
        value: Rendered {
            slides: Vec::new(),
            css: String::new(),
            size: themes.size("default", None),
            meta: Meta::default(),
            auto_scaling: false,
        },
        diagnostics: Vec::new(),
    }
}
