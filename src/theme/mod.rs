//! Theme CSS → the CSS of one deck. Pure.

use crate::diagnostic::Warned;

/// Slide size in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Width in px.
    pub width: f64,
    /// Height in px.
    pub height: f64,
}

/// What `@auto-scaling` of a theme (and of those it imports) turns on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AutoScaling {
    /// `<!-- fit -->` headings.
    pub fitting_header: bool,
    /// Code blocks shrink to fit.
    pub code: bool,
    /// Formula blocks shrink to fit.
    pub math: bool,
}

/// The elements around `section` that generated selectors name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Container {
    /// `div.marpit > svg > foreignObject > section`
    #[default]
    Marpit,
    /// `svg > foreignObject > section`: slides directly in `body`.
    Bare,
}

/// CSS that one deck needs, asked for in one go.
#[derive(Debug, Clone, Default)]
pub struct StyleRequest<'a> {
    /// The theme's registered name.
    pub theme: &'a str,
    /// Name of a size preset; ignored when the theme has none of that name.
    pub size: Option<&'a str>,
    /// Around the slides.
    pub container: Container,
    /// CSS put before the scaffold, only scoped (for what a deck uses: formulas, code).
    pub prelude: &'a [&'a str],
    /// Unscoped CSS of the deck: the `style` directive, then `<style>` elements in order.
    pub deck: &'a [&'a str],
    /// Scoped CSS: the key of the slide's `data-marpit-scope-KEY` attribute, and the text.
    pub scoped: &'a [(&'a str, &'a str)],
    /// Whether any slide has an advanced background.
    pub advanced_background: bool,
}

/// Themes by name.
#[derive(Debug, Clone)]
pub struct ThemeSet {}

impl ThemeSet {
    /// The built-in themes: `default`, `gaia`, `uncover`, `gitops`.
    pub fn builtin() -> Self {
        Self {}
    }

    /// Reads a theme and adds it; a theme of the same name is replaced. Returns its name.
    pub fn add(&mut self, css: &str) -> Result<String, ThemeError> {
        let _ = css;
        Err(ThemeError::NoName)
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether there is a theme of exactly this name.
    pub fn contains(&self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// Size of the theme's slides, with a preset if it names one; falls back to 1280×720.
    pub fn size(&self, theme: &str, preset: Option<&str>) -> Size {
        let _ = (theme, preset);
        Size { width: 1280.0, height: 720.0 }
    }

    /// Names of the theme's size presets, inherited ones included.
    pub fn presets(&self, theme: &str) -> Vec<String> {
        let _ = theme;
        Vec::new()
    }

    /// What the theme scales.
    pub fn auto_scaling(&self, theme: &str) -> AutoScaling {
        let _ = theme;
        AutoScaling { fitting_header: true, code: true, math: true }
    }

    /// The CSS of a deck, in Marp's order.
    pub fn stylesheet(&self, request: &StyleRequest<'_>) -> Warned<String> {
        let _ = request;
        Warned { value: String::new(), diagnostics: Vec::new() }
    }
}

/// Why a theme was not added.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// There is no `@theme` line.
    #[error("the CSS has no `@theme NAME` comment")]
    NoName,
    /// Themes import each other in a circle.
    #[error("circular import of theme `{0}`")]
    Circular(String),
    /// The CSS cannot be read.
    #[error("{message} (line {line}, column {column})")]
    Syntax {
        /// What is wrong.
        message: String,
        /// From 1.
        line: u32,
        /// From 1.
        column: u32,
    },
}
