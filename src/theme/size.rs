//! Slide sizes: lengths in pixels, `@size` presets, `width` and `height` of `section`.

use super::selector::split_list;
use super::stylesheet::{Kind, Node, Stylesheet};

/// A preset as a theme wrote it; `lengths` is `None` where it takes an inherited one away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Preset {
    pub(super) name: String,
    pub(super) lengths: Option<Lengths>,
}

/// Width and height as a theme wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lengths {
    pub(super) width: String,
    pub(super) height: String,
}

/// Reads the value of `@size`: `NAME WIDTH HEIGHT` or `NAME false`.
pub(super) fn parse_preset(value: &str) -> Option<Preset> {
    let words: Vec<&str> = value.split_whitespace().collect();
    match words.as_slice() {
        [name, "false"] => Some(Preset { name: (*name).to_owned(), lengths: None }),
        [name, width, height] => Some(Preset {
            name: (*name).to_owned(),
            lengths: Some(Lengths { width: (*width).to_owned(), height: (*height).to_owned() }),
        }),
        _ => None,
    }
}

/// A length in an absolute unit as CSS pixels; `None` for any other and for nothing or less.
pub(super) fn pixels(length: &str) -> Option<f64> {
    let unit_at = length.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = length.split_at(unit_at);
    let number: f64 = number.parse().ok()?;
    let px = match unit.to_ascii_lowercase().as_str() {
        "px" => number,
        "cm" => number * 96.0 / 2.54,
        "mm" => number * 96.0 / 25.4,
        "q" => number * 96.0 / 101.6,
        "in" => number * 96.0,
        "pt" => number * 96.0 / 72.0,
        "pc" => number * 16.0,
        _ => return None,
    };
    (px.is_finite() && px > 0.0).then_some(px)
}

/// `width` and `height` that a theme gives its slides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dimensions {
    pub(super) width: Option<String>,
    pub(super) height: Option<String>,
}

impl Dimensions {
    /// Reads them from the rules on `section` and, preferred, `:root`.
    pub(super) fn of(sheet: &Stylesheet<'_>) -> Self {
        let mut found = Found::default();
        for node in sheet.top() {
            visit(sheet, node, None, &mut found);
        }
        Self { width: found.root.width.or(found.section.width), height: found.root.height.or(found.section.height) }
    }
}

#[derive(Default)]
struct Found {
    section: Dimensions,
    root: Dimensions,
}

#[derive(Clone, Copy)]
enum Slide {
    Section,
    Root,
}

fn visit(sheet: &Stylesheet<'_>, node: &Node, slide: Option<Slide>, found: &mut Found) {
    let inner = match node.kind {
        Kind::Comment | Kind::Statement(_) => return,
        Kind::Declaration(_) => {
            let dimensions = match slide {
                Some(Slide::Section) => &mut found.section,
                Some(Slide::Root) => &mut found.root,
                None => return,
            };
            match sheet.head(node) {
                "width" => dimensions.width = Some(plain(sheet.value(node))),
                "height" => dimensions.height = Some(plain(sheet.value(node))),
                _ => {}
            }
            return;
        }
        Kind::Rule => named_slide(sheet.head(node), slide),
        Kind::Block(_) => slide,
    };
    for child in sheet.children(node) {
        visit(sheet, child, inner, found);
    }
}

/// The slide a rule is for, when its selectors name one and nothing else of it.
fn named_slide(list: &str, parent: Option<Slide>) -> Option<Slide> {
    if !list.contains("section") && !list.contains(":root") && !list.contains('&') {
        return None;
    }
    let mut best = None;
    for selector in split_list(list) {
        match (plain(selector).as_str(), parent) {
            (":root" | "section:root", None) => return Some(Slide::Root),
            ("section", None) => best = Some(Slide::Section),
            ("&", Some(parent)) => best = Some(parent),
            _ => {}
        }
    }
    best
}

/// Text without comments and `!important`.
fn plain(text: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    let value = out.split_once('!').map_or(out.as_str(), |(value, _)| value);
    value.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dimensions(css: &str) -> (Option<String>, Option<String>) {
        let found = Dimensions::of(&Stylesheet::parse(css).expect("the CSS of this test is valid"));
        (found.width, found.height)
    }

    fn both(width: &str, height: &str) -> (Option<String>, Option<String>) {
        (Some(width.to_owned()), Some(height.to_owned()))
    }

    #[test]
    fn absolute_units_are_pixels() {
        let known = [
            ("1280px", 1280.0),
            ("1.5PX", 1.5),
            ("5.px", 5.0),
            ("10in", 960.0),
            ("50pt", 50.0 * 96.0 / 72.0),
            ("2pc", 32.0),
        ];
        for (length, px) in known {
            assert_eq!(pixels(length), Some(px), "{length}");
        }
        assert!((pixels("10cm").unwrap_or(0.0) - 377.952_755_905_511_8).abs() < 1e-9);
        assert!((pixels("2Q").unwrap_or(0.0) - 1.889_763_779_527_559_3).abs() < 1e-9);
        for other in [
            "100vw",
            "10em",
            "10rem",
            "calc(1px)",
            "1280",
            "0px",
            "-5px",
            "+5px",
            "1e2px",
            "10 px",
            "px",
            "",
            "1.2.3px",
            "auto",
        ] {
            assert_eq!(pixels(other), None, "{other}");
        }
    }

    #[test]
    fn presets_have_three_words_or_false() {
        let preset = |name: &str, lengths: Option<(&str, &str)>| {
            Some(Preset {
                name: name.into(),
                lengths: lengths.map(|(w, h)| Lengths { width: w.into(), height: h.into() }),
            })
        };
        assert_eq!(parse_preset("4:3  960px 720px"), preset("4:3", Some(("960px", "720px"))));
        assert_eq!(parse_preset("4:3 false"), preset("4:3", None));
        assert_eq!(parse_preset("b 10px"), None);
        assert_eq!(parse_preset("e 1px 2px 3px"), None);
    }

    #[test]
    fn root_is_preferred_and_the_last_wins() {
        assert_eq!(dimensions("section{width:1px;height:2px} section{width:3px}"), both("3px", "2px"));
        assert_eq!(dimensions(":root{width:1px} section{width:3px;height:4px}"), both("1px", "4px"));
        assert_eq!(dimensions("section:root{width:1px;height:2px} section{width:3px}"), both("1px", "2px"));
        assert_eq!(dimensions("h1 , section/*x*/{width:7px!important;height:/*x*/8px}"), both("7px", "8px"));
        assert_eq!(dimensions("@media print{section{width:3px;height:100vw}}"), both("3px", "100vw"));
        assert_eq!(dimensions("section{& {width:3px} @media x{height:4px}}"), both("3px", "4px"));
    }

    #[test]
    fn other_selectors_say_nothing_of_the_slide() {
        let css = "section.a{width:1px} section section{width:5px} h1{section &{width:7px}} section{h1{width:1px}} section{inline-size:3px;--width:3px;WIDTH:1px}";
        assert_eq!(dimensions(css), (None, None));
    }
}
