//! The table of directives: name, scope, value.

/// Deck-wide directives; `None` or empty when not given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Globals {
    /// `theme`, as written (may name no theme).
    pub theme: Option<String>,
    /// `style`: CSS for the deck.
    pub style: Option<String>,
    /// `headingDivider`: the levels that start a slide, ascending, as written.
    pub heading_divider: Option<String>,
    /// `lang`: a BCP 47 tag.
    pub lang: Option<String>,
    /// `size`: the name of a size preset of the theme.
    pub size: Option<String>,
    /// `math`: `mathjax` or `katex`.
    pub math: Option<String>,
    /// `title` of the document.
    pub title: Option<String>,
    /// `description`
    pub description: Option<String>,
    /// `author`
    pub author: Option<String>,
    /// `url`: canonical address.
    pub url: Option<String>,
    /// `image`: picture for social cards.
    pub image: Option<String>,
    /// `keywords`
    pub keywords: Vec<String>,
}

/// Directives in effect on one slide.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Locals {
    /// `class`: classes separated by one space.
    pub class: Option<String>,
    /// `paginate`
    pub paginate: Option<Paginate>,
    /// `header`: inline Markdown.
    pub header: Option<String>,
    /// `footer`: inline Markdown.
    pub footer: Option<String>,
    /// `backgroundColor`
    pub background_color: Option<String>,
    /// `backgroundImage`
    pub background_image: Option<String>,
    /// `backgroundPosition`
    pub background_position: Option<String>,
    /// `backgroundRepeat`
    pub background_repeat: Option<String>,
    /// `backgroundSize`
    pub background_size: Option<String>,
    /// `color`
    pub color: Option<String>,
    /// `transition`: name and optional duration.
    pub transition: Option<String>,
}

/// Whether a slide counts and shows its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paginate {
    /// Counts, shows the number.
    True,
    /// Counts, shows none.
    False,
    /// Does not count, shows the number before.
    Hold,
    /// Does not count, shows none.
    Skip,
}
