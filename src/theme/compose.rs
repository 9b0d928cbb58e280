//! The parts of a deck's CSS in the order Marp gives them.

use std::fmt::Write as _;

use crate::diagnostic::{Code, Diagnostic, Warned};

use super::builtin::{BACKGROUND, CONTAINER, PRINT, SCAFFOLD};
use super::import::Imports;
use super::scope::{Origin, Scope};
use super::stylesheet::{Stylesheet, SyntaxError, check_syntax};
use super::write::{self, TooLarge};
use super::{DEFAULT_THEME, MAX_IMPORTS, Parsed, StyleRequest, ThemeSet};

/// The deck's own CSS cannot be read, so none of it is used.
const STYLE_SYNTAX: Code = Code("deck/style-syntax");
/// A scoped style cannot be read and is not used.
const SCOPED_STYLE_SYNTAX: Code = Code("deck/scoped-style-syntax");
/// A deck's style imports a theme where Marp takes the import out.
const STYLE_IMPORT: Code = Code("deck/style-import");
/// A theme's rules grow beyond all measure.
const THEME_TOO_LARGE: Code = Code("theme/too-large");

/// Writes the CSS that a deck needs.
pub(super) fn compose(themes: &ThemeSet, request: &StyleRequest<'_>) -> Warned<String> {
    let mut composer = Composer { themes, request, diagnostics: Vec::new(), following: 0 };
    let theme = themes.theme(request.theme);
    let deck = composer.deck_sheet();
    let scoped = composer.scoped_sheets();

    let mut hoisted = Hoisted::default();
    let mut imported: Vec<&Parsed> = Vec::new();
    if let Some(theme) = theme {
        composer.follow(&theme.imports, false, &mut hoisted, &mut imported);
    }
    for own in deck.iter().chain(scoped.iter().map(|(_, sheet)| sheet)) {
        composer.follow(&Imports::of(own), true, &mut hoisted, &mut imported);
    }

    let mut out = String::with_capacity(theme.map_or(0, |theme| theme.sheet.text().len()) * 2 + 8192);
    hoisted.write(&mut out);
    composer.append(&SCAFFOLD, Origin::Engine, &mut out);
    composer.page_size(&mut out);
    composer.append(&PRINT, Origin::Engine, &mut out);
    for parsed in &imported {
        composer.append(&parsed.sheet, Origin::Theme, &mut out);
    }
    composer.append(&CONTAINER, Origin::Engine, &mut out);
    for css in request.prelude {
        if let Ok(sheet) = Stylesheet::parse(*css) {
            composer.append(&sheet, Origin::Theme, &mut out);
        }
    }
    if let Some(theme) = theme {
        composer.append(&theme.sheet, Origin::Theme, &mut out);
    }
    composer.preset(&mut out);
    if let Some(sheet) = &deck {
        composer.append(sheet, Origin::Deck, &mut out);
    }
    for (key, sheet) in &scoped {
        composer.append(sheet, Origin::Scoped(key), &mut out);
    }
    if request.advanced_background {
        composer.append(&BACKGROUND, Origin::Engine, &mut out);
    }
    Warned { value: without_end_tags(out), diagnostics: composer.diagnostics }
}

struct Composer<'a> {
    themes: &'a ThemeSet,
    request: &'a StyleRequest<'a>,
    diagnostics: Vec<Diagnostic>,
    /// How many themes' imports are being followed, one inside the other.
    following: usize,
}

/// Statements that only count before all rules.
#[derive(Default)]
struct Hoisted {
    charset: Option<String>,
    imports: Vec<String>,
}

impl Hoisted {
    fn write(&self, out: &mut String) {
        for statement in self.charset.iter().chain(&self.imports) {
            out.push_str(statement);
            out.push_str(";\n");
        }
    }
}

impl<'a> Composer<'a> {
    fn append(&mut self, sheet: &Stylesheet<'_>, origin: Origin<'_>, out: &mut String) {
        let scope = Scope { origin, container: self.request.container };
        if write::write(sheet, scope, out) == Err(TooLarge) {
            let (code, whose) = match origin {
                Origin::Engine | Origin::Theme => (THEME_TOO_LARGE, "a theme"),
                Origin::Deck => (STYLE_SYNTAX, "the deck's style"),
                Origin::Scoped(_) => (SCOPED_STYLE_SYNTAX, "a scoped style"),
            };
            let message = format!("the selectors of {whose} are too long, or multiply by nesting; none of it is used");
            self.diagnostics.push(Diagnostic::error(code, message));
        }
    }

    /// The deck's unscoped CSS as one sheet: one mistake spoils all of it.
    fn deck_sheet(&mut self) -> Option<Stylesheet<'a>> {
        if self.request.deck.is_empty() {
            return None;
        }
        match Stylesheet::parse(self.request.deck.join("\n")) {
            Ok(sheet) => Some(sheet),
            Err(error) => {
                let broken = self.request.deck.iter().find_map(|css| Some((check_syntax(css).err()?, *css)));
                let (error, css) = broken.as_ref().map_or((&error, ""), |(error, css)| (error, css));
                let message = format!("the deck's CSS is not used: {}", describe(error, css));
                self.diagnostics.push(
                    Diagnostic::error(STYLE_SYNTAX, message)
                        .hint("one mistake in any unscoped style discards them all, as in Marp"),
                );
                None
            }
        }
    }

    fn scoped_sheets(&mut self) -> Vec<(&'a str, Stylesheet<'a>)> {
        let mut sheets = Vec::new();
        for (key, css) in self.request.scoped {
            match Stylesheet::parse(*css) {
                Ok(sheet) => sheets.push((*key, sheet)),
                Err(error) => {
                    let message = format!("a scoped style is not used: {}", describe(&error, css));
                    self.diagnostics.push(Diagnostic::error(SCOPED_STYLE_SYNTAX, message));
                }
            }
        }
        sheets
    }

    /// Sorts a sheet's imports into themes, each after those it imports, and addresses.
    fn follow(&mut self, found: &Imports, in_deck: bool, hoisted: &mut Hoisted, imported: &mut Vec<&'a Parsed>) {
        if let (None, Some(charset)) = (&hoisted.charset, &found.charset) {
            hoisted.charset = Some(charset.clone());
        }
        let mut inner: Vec<&'a Parsed> = Vec::new();
        for import in &found.imports {
            let theme = import.name.as_ref().and_then(|name| self.themes.themes.get(name));
            match theme {
                Some(_) if in_deck && (import.theme_only || !import.late) => {
                    let name = import.name.as_deref().unwrap_or_default();
                    let message = format!("`{}` in a deck's style imports nothing", import.text);
                    self.diagnostics.push(
                        Diagnostic::warning(STYLE_IMPORT, message)
                            .hint(format!("choose the theme with `theme: {name}`")),
                    );
                }
                Some(theme) => inner.push(theme.parsed()),
                None if import.theme_only => {}
                None => hoisted.imports.push(import.text.clone()),
            }
        }
        for parsed in inner {
            // `add` refuses circles; this bounds themes that import others many times.
            if self.following + imported.len() >= MAX_IMPORTS {
                return;
            }
            self.following += 1;
            self.follow(&parsed.imports, false, hoisted, imported);
            self.following -= 1;
            imported.push(parsed);
        }
    }

    fn page_size(&self, out: &mut String) {
        let theme = if self.themes.contains(self.request.theme) { self.request.theme } else { DEFAULT_THEME };
        let lengths = self.themes.lengths(theme, self.request.size);
        let _ = writeln!(out, "@page{{size:{} {};margin:0;}}", lengths.width, lengths.height);
    }

    /// A size preset outweighs the size the theme gives its slides.
    fn preset(&self, out: &mut String) {
        let Some(lengths) = self.request.size.and_then(|name| self.themes.preset(self.request.theme, name)) else {
            return;
        };
        Scope { origin: Origin::Theme, container: self.request.container }.write("section", out);
        let _ = writeln!(out, "{{width:{};height:{};}}", lengths.width, lengths.height);
    }
}

/// What is wrong, with the line it is in.
fn describe(error: &SyntaxError, css: &str) -> String {
    let mut line = css.lines().nth(error.line as usize - 1).unwrap_or("").trim();
    if let Some((end, _)) = line.char_indices().nth(80) {
        line = &line[..end];
    }
    let place = format!("{} (line {}, column {} of the style)", error.message, error.line, error.column);
    if line.is_empty() { place } else { format!("{place}: `{line}`") }
}

/// CSS that cannot end the `<style>` element it is put into.
fn without_end_tags(css: String) -> String {
    let is_end = |at: usize| css.as_bytes().get(at + 2..at + 7).is_some_and(|word| word.eq_ignore_ascii_case(b"style"));
    if !css.match_indices("</").any(|(at, _)| is_end(at)) {
        return css;
    }
    let mut safe = String::with_capacity(css.len() + 16);
    let mut from = 0;
    for (at, _) in css.match_indices("</").filter(|(at, _)| is_end(*at)) {
        safe.push_str(&css[from..at]);
        // An escaped slash: the same character to CSS, nothing to HTML.
        safe.push_str("<\\/");
        from = at + 2;
    }
    safe.push_str(&css[from..]);
    safe
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
