//! Chemical formulas of `\ce{…}` as plain TeX: elements upright, counts below, charges above, arrows.

/// The TeX for what stands in the braces of `\ce`.
pub(super) fn tex(formula: &str) -> String {
    let mut out = String::new();
    let mut rest = formula.trim();
    while let Some(c) = rest.chars().next() {
        if let Some((sign, arrow)) = ARROWS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            rest = &rest[sign.len()..];
            out.push_str(arrow);
            continue;
        }
        let taken = match c {
            'A'..='Z' | 'a'..='z' => word(&mut out, rest),
            '0'..='9' => digits(&mut out, rest),
            '^' | '_' => script(&mut out, rest),
            '+' | '-' if is_charge(&out, rest) => {
                out.push_str(if c == '+' { "^{+}" } else { "^{-}" });
                1
            }
            ' ' => {
                out.push_str(r"\;");
                1
            }
            _ => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out
}

/// Arrows and the gas and precipitate marks, the longer spellings first.
const ARROWS: [(&str, &str); 7] = [
    ("<=>", r"\rightleftharpoons "),
    ("<->", r"\longleftrightarrow "),
    ("->", r"\longrightarrow "),
    ("<-", r"\longleftarrow "),
    (" v ", r"\downarrow "),
    (" ^ ", r"\uparrow "),
    ("*", r"\cdot "),
];

/// Letters upright.
fn word(out: &mut String, rest: &str) -> usize {
    let len = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    out.push_str(r"\mathrm{");
    out.push_str(&rest[..len]);
    out.push('}');
    len
}

/// A count: below after an element or a bracket, on the line before one.
fn digits(out: &mut String, rest: &str) -> usize {
    let len = rest.bytes().take_while(u8::is_ascii_digit).count();
    if out.ends_with(['}', ')', ']']) {
        out.push_str("_{");
        out.push_str(&rest[..len]);
        out.push('}');
    } else {
        out.push_str(&rest[..len]);
        out.push_str(r"\,");
    }
    len
}

/// `^{2+}`, `^2+`, `_n`
fn script(out: &mut String, rest: &str) -> usize {
    let inner = &rest[1..];
    let len = match inner.strip_prefix('{').and_then(|inner| inner.find('}')) {
        Some(close) => close + 2,
        None => inner.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"+-".contains(b)).count(),
    };
    out.push_str(&rest[..1]);
    out.push('{');
    out.push_str(inner[..len].trim_matches(['{', '}']));
    out.push('}');
    1 + len
}

/// Whether a sign stands directly after an element and before no other: then it is a charge.
fn is_charge(out: &str, rest: &str) -> bool {
    out.ends_with(['}', ')', ']']) && !rest[1..].starts_with(|c: char| c.is_ascii_alphanumeric())
}
