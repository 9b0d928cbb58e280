//! Selectors of nested rules → selectors that need no nesting.
//!
//! Marp flattens nested rules before it confines them to slides. Parents that
//! are one compound selector are written out; others are wrapped in `:is()`,
//! except where that would hide a leading `section` from the confinement:
//! then every parent gets its own selector, padded to the weight `:is()`
//! would have given all of them.

use super::selector::{Part, PartKind, parts, specificity, split_list};

/// What takes the place of `&` in rules nested in one with these selectors.
pub(super) fn prepare(parents: &[String]) -> Vec<String> {
    if parents.iter().any(|parent| names_slide(parent)) { pad(parents) } else { vec![wrap(parents)] }
}

/// Flat selectors of a nested rule's list, below each of the prepared selectors around it.
pub(super) fn resolve(list: &str, prepared: &[String]) -> Vec<String> {
    let children = split_list(list);
    children.iter().flat_map(|child| prepared.iter().map(|parent| nest(child, parent))).collect()
}

/// Whether a selector starts at the slide itself.
fn names_slide(selector: &str) -> bool {
    let rest = selector.strip_prefix("section").or_else(|| selector.strip_prefix(":root"));
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_'))
}

/// One selector for all parents.
fn wrap(parents: &[String]) -> String {
    match parents {
        [one] if is_compound(one) => one.clone(),
        _ => format!(":is({})", parents.join(",")),
    }
}

fn is_compound(selector: &str) -> bool {
    parts(selector)
        .iter()
        .all(|part| !part.separates() && part.kind != PartKind::PseudoElement && !part.text(selector).starts_with("::"))
}

/// Every parent with the weight of the heaviest.
fn pad(parents: &[String]) -> Vec<String> {
    let weights: Vec<[usize; 3]> = parents.iter().map(|parent| specificity(parent, 0)).collect();
    let heaviest = weights.iter().max().copied().unwrap_or_default();
    parents
        .iter()
        .zip(&weights)
        .map(|(parent, weight)| {
            if *weight == heaviest {
                return parent.clone();
            }
            let fillers = [":not(#does-not-exist)", ":not(.does-not-exist)", ":not(does-not-exist)"];
            let padding: String = fillers
                .iter()
                .zip(heaviest.iter().zip(weight))
                .map(|(filler, (most, own))| filler.repeat(most.saturating_sub(*own).min(8)))
                .collect();
            merge_last(parent, &padding)
        })
        .collect()
}

/// One nested selector below one parent.
fn nest(child: &str, parent: &str) -> String {
    if !child.contains('&') {
        return if child.is_empty() { parent.to_owned() } else { format!("{parent} {child}") };
    }
    let found = parts(child);
    if !found.iter().any(|part| part.kind == PartKind::Nesting) {
        // `&` stands in an argument or a string only.
        let replaced = replace_in_arguments(child, parent, &found);
        return if replaced == child { format!("{parent} {child}") } else { replaced };
    }
    let mut flat = String::with_capacity(child.len() + parent.len());
    if found.first().is_some_and(|part| part.kind == PartKind::Combinator) {
        flat.push_str(parent);
        flat.push(' ');
    }
    let wrapped = format!(":is({parent})");
    let mut from = 0;
    while from < found.len() {
        let length = found[from..].iter().position(Part::separates).unwrap_or(found.len() - from);
        let compound = &found[from..from + length];
        // Further right a parent with combinators must stay together.
        if flat.is_empty() || is_compound(parent) {
            write_compound(child, compound, parent, &mut flat);
        } else {
            write_compound(child, compound, &wrapped, &mut flat);
        }
        if let Some(separator) = found.get(from + length) {
            flat.push_str(separator.text(child));
        }
        from += length + 1;
    }
    flat
}

/// Writes a compound selector; the parent takes the place of its `&`s.
fn write_compound(child: &str, compound: &[Part], parent: &str, out: &mut String) {
    let nestings = compound.iter().filter(|part| part.kind == PartKind::Nesting).count();
    let mut tag = String::new();
    let mut rest = String::new();
    for part in compound {
        match part.kind {
            PartKind::Nesting => {}
            PartKind::Type | PartKind::Universal if tag.is_empty() && nestings > 0 => tag.push_str(part.text(child)),
            PartKind::Function(_) => {
                rest.push_str(&replace_in_arguments(part.text(child), parent, &parts(part.text(child))));
            }
            _ => rest.push_str(part.text(child)),
        }
    }
    if nestings == 0 {
        out.push_str(&rest);
        return;
    }
    let typed = parts(parent)
        .iter()
        .rev()
        .take_while(|part| !part.separates())
        .any(|part| matches!(part.kind, PartKind::Type | PartKind::Universal));
    if tag.is_empty() {
        out.push_str(&merge_last(parent, &rest));
    } else if typed || !is_compound(parent) {
        // Two element names cannot stand side by side.
        let (name, wrapped) = if compound.first().is_some_and(|part| part.kind == PartKind::Nesting) {
            (parent, &tag)
        } else {
            (tag.as_str(), &parent.to_owned())
        };
        out.push_str(&merge_last(name, &format!(":is({wrapped}){rest}")));
    } else {
        out.push_str(&tag);
        out.push_str(parent);
        out.push_str(&rest);
    }
}

/// Adds simple selectors to a selector's last compound, before its pseudo-element.
fn merge_last(selector: &str, simple: &str) -> String {
    if simple.is_empty() {
        return selector.to_owned();
    }
    let found = parts(selector);
    let tail = found
        .iter()
        .rev()
        .take_while(|part| part.kind == PartKind::PseudoElement)
        .last()
        .map_or(selector.len(), |part| part.start);
    let (head, tail) = selector.split_at_checked(tail).unwrap_or((selector, ""));
    if simple.starts_with(':') && !simple.starts_with(":not(") {
        return format!("{selector}{simple}");
    }
    format!("{head}{simple}{tail}")
}

/// The text with every `&` inside arguments of its functions replaced.
fn replace_in_arguments(text: &str, parent: &str, found: &[Part]) -> String {
    let mut out = String::with_capacity(text.len());
    for part in found {
        match &part.kind {
            PartKind::Function(inner) => {
                let arguments = text.get(inner.clone()).unwrap_or("");
                out.push_str(text.get(part.start..inner.start).unwrap_or(""));
                replace_nesting(arguments, parent, &mut out);
                out.push_str(text.get(inner.end..part.end).unwrap_or(""));
            }
            _ => out.push_str(part.text(text)),
        }
    }
    out
}

/// Writes arguments with `&` replaced outside strings and brackets.
fn replace_nesting(arguments: &str, parent: &str, out: &mut String) {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for character in arguments.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' | '\'' if quote == Some(character) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(character),
            '&' if quote.is_none() => {
                out.push_str(parent);
                continue;
            }
            _ => {}
        }
        out.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(list: &str, parents: &[&str]) -> Vec<String> {
        resolve(list, &prepare(&parents.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>()))
    }

    #[test]
    fn a_compound_parent_is_written_out() {
        assert_eq!(flat("h1", &["section"]), ["section h1"]);
        assert_eq!(flat("&.k, .y &.z, &", &["section"]), ["section.k", ".y section.z", "section"]);
        assert_eq!(flat("&:hover, + p, > q", &["h1"]), ["h1:hover", "h1 + p", "h1 > q"]);
        assert_eq!(
            flat("p &, &::after, & &, &+&", &["a:hover"]),
            ["p a:hover", "a:hover::after", "a:hover a:hover", "a:hover+a:hover"]
        );
        assert_eq!(flat("p&, .d&, b &-c", &["#x"]), ["p#x", "#x.d", "b -c#x"]);
        assert_eq!(flat("b&, &b", &["a"]), ["b:is(a)", "a:is(b)"]);
        assert_eq!(flat(":not(&), :is(&, .x) .y, .z:has(&)", &["a"]), [":not(a)", ":is(a, .x) .y", ".z:has(a)"]);
        assert_eq!(flat("[a='&']", &["a"]), ["a [a='&']"]);
    }

    #[test]
    fn lists_and_complex_parents_are_wrapped() {
        assert_eq!(flat("&:hover, .c", &["p", "q"]), [":is(p,q):hover", ":is(p,q) .c"]);
        assert_eq!(flat("h3", &["h1 h2"]), [":is(h1 h2) h3"]);
        assert_eq!(flat(".f &, &.c", &[".a .b"]), [".f :is(.a .b)", ":is(.a .b).c"]);
        assert_eq!(flat("&:hover", &["a::before"]), [":is(a::before):hover"]);
    }

    #[test]
    fn slides_are_never_wrapped() {
        assert_eq!(flat("&:hover, b", &["section h1"]), ["section h1:hover", "section h1 b"]);
        assert_eq!(flat(".c", &["section.a > p"]), ["section.a > p .c"]);
        assert_eq!(flat("p", &["section > .a", "section > .b"]), ["section > .a p", "section > .b p"]);
        assert_eq!(flat(".f &, & > &", &["section > p"]), [".f :is(section > p)", "section > p > :is(section > p)"]);
        assert_eq!(flat(".c", &["section", ".q"]), ["section:not(.does-not-exist) .c", ".q .c"]);
        assert_eq!(flat(".c", &["section", "#q"]), ["section:not(#does-not-exist) .c", "#q .c"]);
        assert_eq!(flat("&.d", &["section", ".q"]), ["section:not(.does-not-exist).d", ".q.d"]);
        assert_eq!(flat("&:hover", &[":root", ".b"]), [":root:hover", ".b:hover"]);
    }
}
