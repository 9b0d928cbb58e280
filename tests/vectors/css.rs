//! CSS in the normal form of the vectors, and comparison with what they expect.

use std::collections::VecDeque;
use std::fmt;

use foredeck::theme::{Container, StyleRequest, ThemeSet};
use serde_json::Value;

/// A rule, a block of declarations or a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The at-rules around it, outermost first.
    pub(crate) at: Vec<String>,
    /// Its selectors; empty for `@page` and the like.
    pub(crate) selectors: Vec<String>,
    /// Its declarations.
    pub(crate) decls: Vec<(String, String)>,
    /// `@import …` and other at-rules without a block.
    pub(crate) statement: Option<String>,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, selectors, decls, statement } = self;
        match statement {
            Some(statement) => write!(f, "{at:?} {statement}"),
            None => write!(f, "{at:?} {selectors:?} {decls:?}"),
        }
    }
}

/// Reads CSS into rules with the prefixes of slides, keys and `rem` in their normal form.
pub(crate) fn normalise(css: &str, container: Container) -> Vec<Rule> {
    let mut rules = Vec::new();
    let names = Names::of(css, container);
    read(&names.apply(css), &mut Vec::new(), &mut rules);
    rules.retain(|rule| rule.statement.is_some() || !rule.decls.is_empty());
    rules
}

/// Whether the rules that a deck and its theme add are those expected, in order.
///
/// # Errors
/// Says what differs.
pub(crate) fn agrees(expected: &Value, actual_css: &str) -> Result<(), String> {
    let container = if actual_css.contains("div.marpit") { Container::Marpit } else { Container::Bare };
    let expected: Vec<Rule> = expected.as_array().map(|rules| rules.iter().map(rule_of).collect()).unwrap_or_default();
    let names_keys = expected.iter().any(|rule| rule.at.iter().any(|at| at.ends_with("-{key}")));
    let mut actual = added(normalise(actual_css, container), container);
    if names_keys && !actual_css.contains("[data-marpit-scope-") {
        actual.iter_mut().flat_map(|rule| &mut rule.at).for_each(hide_key);
    }
    let same =
        expected.len() == actual.len() && expected.iter().zip(&actual).all(|(a, b)| canonical(a) == canonical(b));
    if same {
        return Ok(());
    }
    let lines = |rules: &[Rule]| rules.iter().map(|rule| format!("\n    {rule}")).collect::<String>();
    Err(format!("css differs\n  expected:{}\n  actual:{}", lines(&expected), lines(&actual)))
}

/// Without a scoped selector the key is known only as the end of an animation's name.
fn hide_key(at: &mut String) {
    if let Some((name, _)) = at.rsplit_once('-').filter(|_| at.starts_with("@keyframes ")) {
        *at = format!("{name}-{{key}}");
    }
}

/// The rules that an empty theme and an empty deck do not have.
fn added(rules: Vec<Rule>, container: Container) -> Vec<Rule> {
    let mut themes = ThemeSet::builtin();
    themes.add("/* @theme nothing */").expect("an empty theme can be added");
    let request = StyleRequest { theme: "nothing", container, advanced_background: true, ..StyleRequest::default() };
    let mut base: VecDeque<Rule> = normalise(&themes.stylesheet(&request).value, container).into();
    let mut rest = Vec::new();
    for rule in rules {
        match base.iter().position(|known| *known == rule) {
            Some(at) => {
                base.remove(at);
            }
            None => rest.push(rule),
        }
    }
    rest
}

fn rule_of(value: &Value) -> Rule {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |key: &str| value[key].as_array().map(|list| list.iter().map(text).collect()).unwrap_or_default();
    let decls =
        value["decls"].as_array().map(|list| list.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect());
    Rule {
        at: texts("at"),
        selectors: texts("selectors"),
        decls: decls.unwrap_or_default(),
        statement: value["rule"].as_str().map(str::to_owned),
    }
}

/// A rule without differences that mean nothing to CSS; `None` for one that can match nothing.
fn canonical(rule: &Rule) -> Option<Rule> {
    // A slide is never inside a slide, yet Marp writes such selectors beside font sizes.
    let can_match = |selector: &&String| !selector.trim_start_matches("{slide").contains("{slide}");
    let selectors: Vec<String> = rule.selectors.iter().filter(can_match).map(|text| canonical_selector(text)).collect();
    if selectors.is_empty() && !rule.selectors.is_empty() {
        return None;
    }
    Some(Rule {
        at: rule.at.iter().map(|text| spaced(text)).collect(),
        selectors,
        decls: rule
            .decls
            .iter()
            .map(|(name, value)| (name.clone(), spaced(&value.replace("-rem(", "rem(-"))))
            .collect(),
        statement: rule.statement.as_deref().map(|text| spaced(text.trim_end_matches(';'))),
    })
}

/// One space for any white space, none beside commas, combinators and inside parentheses.
fn spaced(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    [", ", " ,", "( ", " )", ": ", " :"].iter().fold(text, |text, from| text.replace(from, from.trim()))
}

fn canonical_selector(selector: &str) -> String {
    let mut text = selector.split_whitespace().collect::<Vec<_>>().join(" ");
    for (from, to) in [
        (", ", ","),
        (" ,", ","),
        (" > ", ">"),
        (" + ", "+"),
        (" ~ ", "~"),
        (" >", ">"),
        (" +", "+"),
        (" ~", "~"),
        ("> ", ">"),
        ("+ ", "+"),
        ("~ ", "~"),
    ] {
        text = text.replace(from, to);
    }
    // The order of simple selectors within a compound one says nothing.
    let mut depth = 0;
    let compounds = text.split_inclusive(|c: char| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(c, ' ' | '>' | '+' | '~')
    });
    compounds.map(sorted_compound).collect()
}

fn sorted_compound(compound: &str) -> String {
    let (compound, end) = match compound.char_indices().next_back() {
        Some((at, ' ' | '>' | '+' | '~')) => compound.split_at(at),
        _ => (compound, ""),
    };
    let mut simple: Vec<String> = Vec::new();
    let mut depth = 0;
    for c in compound.chars() {
        let starts = depth == 0 && matches!(c, '.' | '#' | ':' | '[') && simple.last().is_none_or(|last| last != ":");
        match simple.last_mut() {
            Some(last) if !starts => last.push(c),
            _ => simple.push(c.to_string()),
        }
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
    }
    let first = usize::from(simple.first().is_some_and(|s| !s.starts_with(['.', '#', ':', '['])));
    let last = simple.iter().position(|s| s.starts_with("::")).unwrap_or(simple.len()).max(first);
    simple[first..last].sort();
    simple.concat() + end
}

/// What generated CSS calls slides, frames and scopes.
struct Names {
    replacements: Vec<(String, String)>,
}

impl Names {
    fn of(css: &str, container: Container) -> Self {
        let frame = match container {
            Container::Marpit => "div.marpit > svg",
            Container::Bare => "svg",
        };
        let own = |from: String, to: &str| (from, to.to_owned());
        let mut replacements = vec![
            own(format!("{frame} > foreignObject > :where(section):not([\\20 root])"), "{slide:root}"),
            own(format!("{frame} > foreignObject > section"), "{slide}"),
            own(format!("{frame}[data-marpit-svg]"), "{frame}"),
            own(":where(section):not([\\20 root])".into(), "{root}"),
        ];
        for name in ["h1", "h2", "h3", "h4", "h5", "h6", "pre", "span"] {
            replacements.push(own(format!(":is({name}, marp-{name})"), name));
        }
        let mut rest = css;
        while let Some((_, behind)) = rest.split_once("[data-marpit-scope-") {
            let key: String = behind.chars().take_while(char::is_ascii_alphanumeric).collect();
            if !key.is_empty() {
                replacements.push(own(format!("-{key}"), "-{key}"));
            }
            rest = behind;
        }
        replacements.dedup();
        Self { replacements }
    }

    fn apply(&self, css: &str) -> String {
        let mut css = css.to_owned();
        for (from, to) in &self.replacements {
            css = css.replace(from, to);
        }
        let mut out = String::new();
        let mut rest = css.as_str();
        while let Some((before, behind)) = rest.split_once("calc(var(--marpit-root-font-size, 1rem) * ") {
            out = out + before + "rem(";
            rest = behind;
        }
        out + rest
    }
}

/// Reads the inside of a block, or the whole text.
fn read(css: &str, at: &mut Vec<String>, rules: &mut Vec<Rule>) {
    let mut own: Vec<(String, String)> = Vec::new();
    let own_at = at.clone();
    let mut place = None;
    for (head, body) in statements(css) {
        match body {
            None if head.starts_with('@') => {
                rules.push(Rule { at: at.clone(), selectors: vec![], decls: vec![], statement: Some(head) });
            }
            None => {
                place.get_or_insert(rules.len());
                own.extend(head.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())));
            }
            Some(body) if head.starts_with('@') => {
                at.push(head);
                read(body, at, rules);
                at.pop();
            }
            Some(body) => {
                let decls = statements(body).into_iter().filter_map(|(head, _)| {
                    head.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                });
                rules.push(Rule { at: at.clone(), selectors: commas(&head), decls: decls.collect(), statement: None });
            }
        }
    }
    if let Some(place) = place {
        rules.insert(place, Rule { at: own_at, selectors: vec![], decls: own, statement: None });
    }
}

/// Statements with the insides of their blocks.
fn statements(css: &str) -> Vec<(String, Option<&str>)> {
    let mut found = Vec::new();
    let (mut from, mut open, mut depth, mut round) = (0, 0, 0_i32, 0_i32);
    let mut chars = css.char_indices();
    let mut push = |head: &str, body| {
        let head = without_comments(head);
        if !head.is_empty() {
            found.push((head, body));
        }
    };
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' | '\'' => skip_string(&mut chars, c),
            '/' if css[at..].starts_with("/*") => {
                let end = css[at + 2..].find("*/").map_or(css.len(), |length| at + 2 + length + 2);
                while chars.offset() < end && chars.next().is_some() {}
            }
            '(' => round += 1,
            ')' => round -= 1,
            _ if round > 0 => {}
            '{' if starts_placeholder(&css[at..]) => while !matches!(chars.next(), Some((_, '}')) | None) {},
            '{' => {
                depth += 1;
                if depth == 1 {
                    open = at;
                }
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    push(&css[from..open], Some(&css[open + 1..at]));
                    from = at + 1;
                }
            }
            ';' if depth == 0 => {
                push(&css[from..at], None);
                from = at + 1;
            }
            _ => {}
        }
    }
    if depth == 0 {
        push(&css[from..], None);
    }
    found
}

fn starts_placeholder(css: &str) -> bool {
    ["{slide}", "{slide:root}", "{frame}", "{root}", "{key}"].iter().any(|name| css.starts_with(name))
}

fn skip_string(chars: &mut std::str::CharIndices<'_>, quote: char) {
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            c if c == quote => return,
            _ => {}
        }
    }
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("/*") {
        out.push_str(before);
        rest = behind.split_once("*/").map_or("", |(_, after)| after);
    }
    (out + rest).trim().to_owned()
}

/// Splits selectors at commas outside brackets.
fn commas(list: &str) -> Vec<String> {
    let mut depth = 0;
    let parts = list.split(|c: char| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(|part| part.trim().to_owned()).collect()
}
