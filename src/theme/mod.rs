//! Theme CSS → the CSS of one deck. Pure.

mod builtin;
mod compose;
mod import;
mod metadata;
mod nesting;
mod scope;
mod selector;
mod size;
mod stylesheet;
mod value;
mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::diagnostic::Warned;

use import::Imports;
use metadata::Metadata;
use size::{Dimensions, Lengths, Preset};
use stylesheet::Stylesheet;
pub use stylesheet::{SyntaxError, check_syntax};

/// The theme of a deck that names none.
pub const DEFAULT_THEME: &str = "default";
/// Slides of a theme that gives no size.
const DEFAULT_SIZE: Size = Size { width: 1280.0, height: 720.0 };
/// Themes may import each other often; no deck needs more than this many copies.
const MAX_IMPORTS: usize = 200;

/// Slide size in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
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
    /// The theme's registered name; the default theme stands in for an unknown one.
    pub theme: &'a str,
    /// Name of a size preset; ignored when the theme has none of that name.
    pub size: Option<&'a str>,
    /// Around the slides.
    pub container: Container,
    /// CSS put just before the theme, only scoped (for what a deck uses: formulas, code).
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
pub struct ThemeSet {
    themes: BTreeMap<String, Arc<Theme>>,
}

impl Default for ThemeSet {
    fn default() -> Self {
        Self::builtin()
    }
}

impl ThemeSet {
    /// The built-in themes: `default`, `gaia`, `uncover`, `gitops`.
    pub fn builtin() -> Self {
        let themes = builtin::THEMES.iter().map(|(name, css)| ((*name).to_owned(), Arc::new(Theme::unread(css))));
        Self { themes: themes.collect() }
    }

    /// Reads a theme and adds it; a theme of the same name is replaced. Returns its name.
    ///
    /// # Errors
    /// When the CSS cannot be read, names no theme or closes a circle of
    /// imports. The set is then as before.
    pub fn add(&mut self, css: &str) -> Result<String, ThemeError> {
        let parsed = Parsed::read(css.to_owned())?;
        let name = parsed.metadata.theme.clone().ok_or(ThemeError::NoName)?;
        let theme = Theme { css: Cow::Owned(css.to_owned()), parsed: OnceLock::from(parsed) };
        let before = self.themes.insert(name.clone(), Arc::new(theme));
        if self.is_circular(&name) {
            match before {
                Some(theme) => self.themes.insert(name.clone(), theme),
                None => self.themes.remove(&name),
            };
            return Err(ThemeError::Circular(name));
        }
        Ok(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<&str> {
        self.themes.keys().map(String::as_str).collect()
    }

    /// Whether there is a theme of exactly this name.
    pub fn contains(&self, name: &str) -> bool {
        self.themes.contains_key(name)
    }

    /// The CSS of a theme as its author wrote it.
    pub fn source(&self, name: &str) -> Option<&str> {
        self.themes.get(name).map(|theme| theme.css.as_ref())
    }

    /// Size of the theme's slides, with a preset if it names one; falls back to 1280×720.
    pub fn size(&self, theme: &str, preset: Option<&str>) -> Size {
        let lengths = self.lengths(theme, preset);
        Size {
            width: size::pixels(&lengths.width).unwrap_or(DEFAULT_SIZE.width),
            height: size::pixels(&lengths.height).unwrap_or(DEFAULT_SIZE.height),
        }
    }

    /// Names of the theme's size presets, inherited ones included, in the order of their first mention.
    pub fn presets(&self, theme: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        self.visit(theme, &mut |parsed| {
            for preset in &parsed.presets {
                if !names.contains(&preset.name) {
                    names.push(preset.name.clone());
                }
            }
            true
        });
        names.retain(|name| self.preset(theme, name).is_some());
        names
    }

    /// What the theme scales.
    pub fn auto_scaling(&self, theme: &str) -> AutoScaling {
        let mut value = None;
        self.visit(theme, &mut |parsed| {
            value.clone_from(&parsed.metadata.auto_scaling);
            value.is_none()
        });
        let value = value.unwrap_or_default();
        let on = |word: &str| value == "true" || value.contains(word);
        AutoScaling { fitting_header: on("fittingHeader"), code: on("code"), math: on("math") }
    }

    /// Value of the last `@key` line of a theme or the first theme it imports that has one.
    pub fn metadata(&self, theme: &str, key: &str) -> Option<String> {
        let mut found = None;
        self.visit(theme, &mut |parsed| {
            found = parsed.metadata.others.iter().rfind(|(other, _)| other == key).map(|(_, value)| value.clone());
            found.is_none()
        });
        found
    }

    /// The CSS of a deck, in Marp's order.
    pub fn stylesheet(&self, request: &StyleRequest<'_>) -> Warned<String> {
        compose::compose(self, request)
    }

    /// A theme by name, or the default one.
    fn theme(&self, name: &str) -> Option<&Parsed> {
        self.themes.get(name).or_else(|| self.themes.get(DEFAULT_THEME)).map(|theme| theme.parsed())
    }

    /// Shows a theme, then the themes it imports, each before the ones *it* imports, until told to stop.
    fn visit<'s>(&'s self, name: &str, show: &mut dyn FnMut(&'s Parsed) -> bool) {
        let mut waiting: Vec<&Parsed> = self.theme(name).into_iter().collect();
        let mut shown = 0;
        while let Some(parsed) = waiting.pop() {
            shown += 1;
            if shown > MAX_IMPORTS || !show(parsed) {
                return;
            }
            waiting.extend(self.imported(parsed).rev());
        }
    }

    /// The themes a theme imports itself, in order.
    fn imported<'s>(&'s self, parsed: &'s Parsed) -> impl DoubleEndedIterator<Item = &'s Parsed> {
        parsed
            .imports
            .imports
            .iter()
            .filter_map(|import| self.themes.get(import.name.as_deref()?))
            .map(|theme| theme.parsed())
    }

    fn is_circular(&self, name: &str) -> bool {
        let mut seen: Vec<&str> = Vec::new();
        let mut waiting: Vec<&str> = vec![name];
        while let Some(theme) = waiting.pop() {
            let Some(parsed) = self.themes.get(theme).map(|theme| theme.parsed()) else { continue };
            for import in parsed.imports.imports.iter().filter_map(|import| import.name.as_deref()) {
                if import == name {
                    return true;
                }
                if !seen.contains(&import) {
                    seen.push(import);
                    waiting.push(import);
                }
            }
        }
        false
    }

    fn preset(&self, theme: &str, name: &str) -> Option<Lengths> {
        let mut found: Option<Preset> = None;
        self.visit(theme, &mut |parsed| {
            found = parsed.presets.iter().rfind(|preset| preset.name == name).cloned();
            found.is_none()
        });
        found?.lengths
    }

    /// Width and height as a theme wrote them, its imports included.
    fn lengths(&self, theme: &str, preset: Option<&str>) -> Lengths {
        if let Some(lengths) = preset.and_then(|name| self.preset(theme, name)) {
            return lengths;
        }
        let (mut width, mut height) = (None, None);
        self.visit(theme, &mut |parsed| {
            width = width.take().or_else(|| parsed.dimensions.width.clone());
            height = height.take().or_else(|| parsed.dimensions.height.clone());
            width.is_none() || height.is_none()
        });
        Lengths { width: width.unwrap_or_else(|| "1280px".into()), height: height.unwrap_or_else(|| "720px".into()) }
    }
}

/// A theme's text, read when first used.
#[derive(Debug)]
struct Theme {
    css: Cow<'static, str>,
    parsed: OnceLock<Parsed>,
}

impl Theme {
    fn unread(css: &'static str) -> Self {
        Self { css: Cow::Borrowed(css), parsed: OnceLock::new() }
    }

    fn parsed(&self) -> &Parsed {
        // Only built-in themes are read this late, and a test reads them all.
        self.parsed.get_or_init(|| Parsed::read(self.css.clone()).unwrap_or_else(|_| Parsed::of(Stylesheet::empty())))
    }
}

/// What is known of a theme once it is read.
#[derive(Debug)]
struct Parsed {
    sheet: Stylesheet<'static>,
    metadata: Metadata,
    presets: Vec<Preset>,
    imports: Imports,
    dimensions: Dimensions,
}

impl Parsed {
    fn read(css: impl Into<Cow<'static, str>>) -> Result<Self, SyntaxError> {
        Stylesheet::parse(css).map(Self::of)
    }

    fn of(sheet: Stylesheet<'static>) -> Self {
        let metadata = Metadata::of(&sheet);
        Self {
            presets: metadata.sizes.iter().filter_map(|value| size::parse_preset(value)).collect(),
            imports: Imports::of(&sheet),
            dimensions: Dimensions::of(&sheet),
            metadata,
            sheet,
        }
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
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
}
