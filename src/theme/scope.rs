//! Selectors confined to slides: `section`, `:root`, `::after`, replaced elements.

use super::Container;
use super::selector::{MAX_DEPTH, Part, PartKind, parts};

/// `:root` anywhere but at the start of a selector: a section, heavier than `section`.
const INNER_ROOT: &str = ":where(section):not([\\20 root])";

/// Whose CSS it is; the rules differ a little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin<'k> {
    /// Rules every deck has; `:global(…)` and `:frame` are understood here only.
    Engine,
    /// A theme.
    Theme,
    /// A deck's style for all slides.
    Deck,
    /// A deck's style for the slide that has this key.
    Scoped(&'k str),
}

/// Turns the selectors of one source into those of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'k> {
    pub(super) origin: Origin<'k>,
    pub(super) container: Container,
}

impl Scope<'_> {
    /// The elements around every slide's `foreignObject`.
    fn frame(self) -> &'static str {
        match self.container {
            Container::Marpit => "div.marpit > svg",
            Container::Bare => "svg",
        }
    }

    /// Writes a flat selector list for the page.
    pub(super) fn write(self, list: &str, out: &mut String) {
        let found = parts(list);
        let mut first = true;
        for selector in found.split(|part| part.kind == PartKind::Comma) {
            if !first {
                out.push(',');
            }
            first = false;
            self.write_selector(list, trimmed(selector), out);
        }
    }

    fn write_selector(self, list: &str, selector: &[Part], out: &mut String) {
        if self.origin == Origin::Engine && self.write_engine(list, selector, out) {
            return;
        }
        let is_slide = |part: &Part| part.kind == PartKind::Type && part.text(list) == "section";
        let (root, rest) = match selector {
            [first, second, rest @ ..] if is_slide(first) && second.kind == PartKind::Root => (true, rest),
            [first, rest @ ..] if first.kind == PartKind::Root => (true, rest),
            [first, rest @ ..] if is_slide(first) => {
                self.write_slide(out);
                write_parts(list, rest, false, 0, out);
                return;
            }
            _ => (false, selector),
        };
        if root {
            out.push_str(self.frame());
            out.push_str(" > foreignObject > ");
            out.push_str(INNER_ROOT);
            write_parts(list, rest, false, 0, out);
        } else {
            self.write_slide(out);
            if !selector.is_empty() {
                out.push(' ');
            }
            write_parts(list, selector, true, 0, out);
        }
    }

    fn write_slide(self, out: &mut String) {
        out.push_str(self.frame());
        out.push_str(" > foreignObject > section");
    }

    /// Confines a selector of a scoped style to its slide, before anything else is done with it.
    ///
    /// `:root` ends up inside the slide and so matches nothing, as in Marp.
    pub(super) fn confine(selector: &str, key: &str) -> String {
        let found = parts(selector);
        match trimmed(&found).first() {
            Some(first) if first.kind == PartKind::Type && first.text(selector) == "section" => {
                format!("section[data-marpit-scope-{key}]{}", selector.get(first.end..).unwrap_or(""))
            }
            _ => format!("section[data-marpit-scope-{key}] {selector}"),
        }
    }

    fn write_engine(self, list: &str, selector: &[Part], out: &mut String) -> bool {
        let Some(first) = selector.first() else { return false };
        match &first.kind {
            PartKind::Function(inner) if first.text(list).starts_with(":global(") => {
                out.push_str(list.get(inner.clone()).unwrap_or(""));
            }
            PartKind::Simple if first.text(list) == ":frame" => out.push_str(self.frame()),
            _ => return false,
        }
        write_parts(list, &selector[1..], false, 0, out);
        true
    }

    /// Whether a rule with these selectors styles the page number, whose text is not the theme's.
    pub(super) fn is_page_number(self, list: &str) -> bool {
        list.contains("after")
            && parts(list).split(|part| part.kind == PartKind::Comma).any(|selector| {
                let selector = trimmed(selector);
                let starts = match selector {
                    // In a deck `:root::after` is the way to write text there.
                    [first, ..] if first.kind == PartKind::Root => self.origin == Origin::Theme,
                    [first, ..] => first.text(list) == "section",
                    [] => false,
                };
                starts
                    && !selector.iter().any(Part::separates)
                    && selector.last().is_some_and(|part| matches!(part.text(list), "::after" | ":after"))
            })
    }

    /// The selectors of a list whose font size is that of a slide, and so what `rem` counts from.
    pub(super) fn root_font_size(list: &str) -> Option<String> {
        let found = parts(list);
        let mut kept: Vec<String> = Vec::new();
        for selector in found.split(|part| part.kind == PartKind::Comma) {
            let selector = trimmed(selector);
            let compounds = selector.iter().filter(|part| part.separates()).count();
            let last = selector.iter().rposition(Part::separates).map_or(0, |at| at + 1);
            let Some(subject) = selector.get(last) else { continue };
            let text = |parts: &[Part]| parts.iter().map(|part| part.text(list)).collect::<String>();
            match subject.kind {
                PartKind::Type if subject.text(list) == "section" => kept.push(text(selector)),
                PartKind::Root => kept.push(text(selector)),
                PartKind::Universal if compounds == 0 => kept.push(format!("section section{}", text(&selector[1..]))),
                PartKind::Simple | PartKind::PseudoElement | PartKind::Function(_) if compounds == 0 => {
                    kept.push(format!("section section{}", text(selector)));
                }
                _ => {}
            }
        }
        (!kept.is_empty()).then(|| kept.join(","))
    }

    /// Writes the selectors of the slides' frames that a list's `::backdrop`s colour.
    pub(super) fn write_backdrops(self, list: &str, out: &mut String) -> bool {
        if matches!(self.origin, Origin::Scoped(_)) || !list.contains("::backdrop") {
            return false;
        }
        let found = parts(list);
        let mut frames: Vec<String> = Vec::new();
        for selector in found.split(|part| part.kind == PartKind::Comma) {
            let middle = match trimmed(selector) {
                [first, middle @ .., last] if first.text(list) == "section" && last.text(list) == "::backdrop" => {
                    middle
                }
                [only] if only.text(list) == "::backdrop" => &[],
                _ => continue,
            };
            if middle.iter().any(|part| part.separates() || part.kind == PartKind::Root) {
                continue;
            }
            let mut frame = format!("{}[data-marpit-svg]", self.frame());
            write_parts(list, middle, false, 0, &mut frame);
            if !frames.contains(&frame) {
                frames.push(frame);
            }
        }
        out.push_str(&frames.join(","));
        !frames.is_empty()
    }
}

/// The parts without white space and comments at both ends.
fn trimmed(selector: &[Part]) -> &[Part] {
    let idle = |part: &Part| matches!(part.kind, PartKind::Space | PartKind::Comment);
    let start = selector.iter().position(|part| !idle(part)).unwrap_or(selector.len());
    let end = selector.iter().rposition(|part| !idle(part)).map_or(start, |at| at + 1);
    &selector[start..end]
}

/// Writes parts with replaced elements and inner `:root`s rewritten.
///
/// `fresh` says whether a compound selector begins with the first part.
fn write_parts(list: &str, selector: &[Part], fresh: bool, depth: usize, out: &mut String) {
    let mut fresh = fresh;
    for part in selector {
        let text = part.text(list);
        match &part.kind {
            PartKind::Type if fresh => write_type(text, out),
            PartKind::Root if fresh => out.push_str(INNER_ROOT),
            PartKind::Function(inner) if depth < MAX_DEPTH && takes_selectors(text) => {
                let arguments = list.get(inner.clone()).unwrap_or("");
                out.push_str(list.get(part.start..inner.start).unwrap_or(""));
                let found = parts(arguments);
                write_parts(arguments, &found, true, depth + 1, out);
                out.push_str(list.get(inner.end..part.end).unwrap_or(""));
            }
            PartKind::Space => out.push(' '),
            _ => out.push_str(text),
        }
        fresh = part.separates() && text != "|";
    }
}

/// Whether a functional pseudo-class has selectors for arguments.
fn takes_selectors(function: &str) -> bool {
    let name = function.trim_start_matches(':').split('(').next().unwrap_or("");
    !["part", "lang", "dir", "state", "highlight", "nth-of-type", "nth-last-of-type"].contains(&name)
}

/// Writes an element name; elements that scripts may replace match their stand-ins too.
fn write_type(name: &str, out: &mut String) {
    const REPLACED: [&str; 8] = ["h1", "h2", "h3", "h4", "h5", "h6", "pre", "span"];
    match REPLACED.iter().find(|replaced| name.eq_ignore_ascii_case(replaced)) {
        Some(replaced) => {
            out.push_str(":is(");
            out.push_str(replaced);
            out.push_str(", marp-");
            out.push_str(replaced);
            out.push(')');
        }
        None => out.push_str(name),
    }
}

#[cfg(test)]
#[path = "scope_tests.rs"]
mod tests;
