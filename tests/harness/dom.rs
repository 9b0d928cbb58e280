//! HTML → one canonical text: what two spellings of the same thing have in common.

use std::collections::BTreeMap;

use scraper::{ElementRef, Html, Node};

/// Parses a fragment.
pub(crate) fn fragment(html: &str) -> Html {
    Html::parse_fragment(html)
}

const BLOCKS: [&str; 34] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "html",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "thead",
    "tr",
    "ul",
];

fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name) || name == "td" || name == "th" || name == "svg" || name == "video"
}

/// Canonical text of everything inside `element`, by the normal form of the Marp vectors.
pub(crate) fn canonical(element: ElementRef<'_>) -> String {
    let mut out = String::new();
    children(element, false, &mut out);
    tidy(&out)
}

/// White space next to block elements means nothing.
fn tidy(text: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split('\u{1}') {
        parts.push(part.trim_matches([' ', '\n']).to_owned());
    }
    parts.concat().replace('\u{2}', "")
}

fn children(element: ElementRef<'_>, pre: bool, out: &mut String) {
    for child in element.children() {
        match child.value() {
            Node::Text(text) => write_text(&text.text, pre, out),
            Node::Element(_) => {
                if let Some(child) = ElementRef::wrap(child) {
                    write_element(child, pre, out);
                }
            }
            _ => {}
        }
    }
}

fn write_text(text: &str, pre: bool, out: &mut String) {
    let mut space = false;
    for segment in foredeck::deck::emoji::segments(text) {
        match segment {
            foredeck::deck::emoji::Segment::Emoji(emoji) => {
                flush_space(&mut space, out);
                out.push_str(&format!("<emoji>{emoji}</emoji>"));
            }
            foredeck::deck::emoji::Segment::Text(text) => {
                for c in text.chars() {
                    if pre {
                        // protected from tidying
                        out.push_str(&escape(c));
                        if c == '\n' || c == ' ' {
                            out.push('\u{2}');
                        }
                    } else if matches!(c, ' ' | '\n' | '\t' | '\r') {
                        space = true;
                    } else {
                        flush_space(&mut space, out);
                        out.push_str(&escape(c));
                    }
                }
            }
        }
    }
    flush_space(&mut space, out);
}

fn flush_space(space: &mut bool, out: &mut String) {
    if std::mem::take(space) && !out.ends_with(' ') {
        out.push(' ');
    }
}

fn escape(c: char) -> String {
    match c {
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '&' => "&amp;".into(),
        c => c.to_string(),
    }
}

fn write_element(element: ElementRef<'_>, pre: bool, out: &mut String) {
    let name = element.value().name();
    match name {
        "header" | "footer" | "style" | "script" => return,
        "math" => return write_formula(element, out),
        "emoji" => {
            let text: String = element.text().collect();
            out.push_str(&format!("<emoji>{text}</emoji>"));
            return;
        }
        // our highlighting and line emphasis leave the code as it is
        "span" if element.value().classes().any(|class| class == "line" || class.starts_with("hljs-")) => {
            return children(element, pre, out);
        }
        "p" if is_formula_block(element) => return children(element, pre, out),
        _ => {}
    }
    let mut attributes: BTreeMap<&str, String> = BTreeMap::new();
    for (key, value) in element.value().attrs() {
        match (key, value) {
            ("is", _) => {}
            ("data-auto-scaling", "downscale-only") => {
                attributes.insert("data-shrink", String::new());
            }
            ("data-auto-scaling", _) => {
                attributes.insert("data-fit", String::new());
            }
            ("style", value) => {
                let declared: Vec<String> = declarations(value).into_iter().map(|(k, v)| format!("{k}:{v};")).collect();
                attributes.insert("style", declared.concat());
            }
            (key, value) => {
                attributes.insert(key, value.to_owned());
            }
        }
    }
    let block = is_block(name) || name == "marp-math" && attributes.get("display").is_some_and(|d| d == "block");
    let edge = if block { "\u{1}" } else { "" };
    out.push_str(&format!("{edge}<{name}"));
    for (key, value) in attributes {
        out.push_str(&format!(" {key}={value:?}"));
    }
    out.push('>');
    out.push_str(edge);
    children(element, pre || name == "pre", out);
    out.push_str(&format!("{edge}</{name}>{edge}"));
}

fn is_formula_block(element: ElementRef<'_>) -> bool {
    let mut elements = element.children().filter_map(ElementRef::wrap);
    let only = elements.next().filter(|_| elements.next().is_none());
    only.is_some_and(|e| e.value().name() == "math" && e.value().attr("display") == Some("block"))
        && element.children().filter_map(|c| c.value().as_text()).all(|t| t.trim().is_empty())
}

fn write_formula(element: ElementRef<'_>, out: &mut String) {
    let (display, tex) = formula(element);
    let edge = if display == "block" { "\u{1}" } else { "" };
    out.push_str(&format!("{edge}<marp-math display={display:?} tex={tex:?}>{edge}</marp-math>{edge}"));
}

/// Display and TeX of a formula.
pub(crate) fn formula(math: ElementRef<'_>) -> (&'static str, String) {
    let display = if math.value().attr("display") == Some("block") { "block" } else { "inline" };
    (display, math.value().attr("data-tex").unwrap_or_default().to_owned())
}

/// Declarations of a style attribute.
pub(crate) fn declarations(style: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut depth = 0usize;
    let mut quote = None;
    let mut current = String::new();
    for c in style.chars().chain([';']) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '{' | '[') => depth += 1,
            (None, ')' | '}' | ']') => depth = depth.saturating_sub(1),
            (None, ';') if depth == 0 => {
                if let Some((key, value)) = current.split_once(':') {
                    let key = key.trim();
                    // spaces belong to the value of a custom property
                    let value = if key.starts_with("--") { value } else { value.trim() };
                    found.insert(key.to_owned(), value.to_owned());
                }
                current.clear();
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    found
}
