//! Bare URLs and e-mail addresses in text become links, by linkify-it's rules with fuzzy links off.

/// A link found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    /// Written before the text to make it an address: empty or `mailto:`.
    pub(super) scheme: &'static str,
}

/// The links of a text, in order, not overlapping.
pub(super) fn links(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    // every link has one of these two
    if !text.contains('@') && !text.contains("//") {
        return found;
    }
    let mut from = 0;
    while let Some(offset) = text[from..].find(['@', '/']) {
        let at = from + offset;
        let link = if text[at..].starts_with('@') {
            mail(text, at, from)
        } else if text[at..].starts_with("//") {
            url(text, at, from)
        } else {
            None
        };
        match link {
            Some(link) => {
                from = link.end;
                found.push(link);
            }
            None => from = at + 1,
        }
    }
    found
}

/// The link around the `//` at `at`.
fn url(text: &str, at: usize, from: usize) -> Option<Found> {
    let before = &text[from..at];
    let schemes = ["https:", "http:", "ftp:"];
    let scheme = schemes.iter().find(|s| before.len() >= s.len() && is_suffix(before, s));
    let (start, dotted) = match scheme {
        Some(scheme) => (at - scheme.len(), false),
        None => {
            // a `//` after `:` or `/` belongs to an unknown scheme
            if text[..at].ends_with([':', '/']) {
                return None;
            }
            (at, true)
        }
    };
    let preceded = text[..start].chars().next_back();
    if scheme.is_some() && preceded.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let authority = at + 2;
    let host = authority + user_info(&text[authority..]);
    let host_end = host + host_length(&text[host..], dotted)?;
    let port_end = host_end + port(&text[host_end..]);
    if !terminates(&text[port_end..]) {
        return None;
    }
    Some(Found { start, end: port_end + path(&text[port_end..]), scheme: "" })
}

fn is_suffix(text: &str, scheme: &str) -> bool {
    text.get(text.len() - scheme.len()..).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
}

/// Length of `user:password@`.
fn user_info(text: &str) -> usize {
    for (i, c) in text.char_indices() {
        match c {
            '@' if i > 0 => return i + 1,
            '@' | '/' | '[' | ']' | '(' | ')' => return 0,
            c if is_space(c) => return 0,
            _ => {}
        }
    }
    0
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

fn is_separator(c: char) -> bool {
    matches!(c, '>' | '<' | '|' | '\u{ff5c}')
}

/// A character that may stand in a host name besides a hyphen.
fn is_host_letter(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() || is_symbol(c) }
}

/// Not space, control, punctuation or separator: emoji and marks are fine in host names.
fn is_symbol(c: char) -> bool {
    !is_space(c)
        && !is_separator(c)
        && !matches!(c, '\u{2010}'..='\u{205e}' | '\u{3003}'..='\u{3011}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '、' | '。' | '«' | '»' | '¡' | '¿' | '·')
}

/// Length of a host name: labels separated by dots, `dotted` when there must be two.
fn host_length(text: &str, dotted: bool) -> Option<usize> {
    let mut end = 0;
    let mut labels = 0;
    let mut rest = text;
    loop {
        let mut length = 0;
        for (i, c) in rest.char_indices() {
            if is_host_letter(c) || (c == '-' && i > 0) {
                length = i + c.len_utf8();
            } else {
                break;
            }
        }
        let label = rest[..length].trim_end_matches('-');
        if label.is_empty() {
            break;
        }
        labels += 1;
        end = text.len() - rest.len() + label.len();
        match rest[label.len()..].strip_prefix('.') {
            Some(next) => rest = next,
            None => break,
        }
    }
    let local = text[..end].eq_ignore_ascii_case("localhost");
    (end > 0 && (!dotted || labels > 1 || local)).then_some(end)
}

fn port(text: &str) -> usize {
    let digits = text.strip_prefix(':').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let number: Option<u32> = text.get(1..1 + digits).and_then(|n| n.parse().ok());
    if (1..=5).contains(&digits) && number.is_some_and(|n| n <= 65_535) { 1 + digits } else { 0 }
}

/// Whether a host may end before `rest`.
fn terminates(rest: &str) -> bool {
    let mut chars = rest.chars();
    match chars.next() {
        None => true,
        Some('-' | '_') => false,
        Some(':') => !chars.next().is_some_and(|c| c.is_ascii_digit()),
        Some('.') => chars.next() != Some('-') && chars.clone().next() != Some('-'),
        Some(c) => is_space(c) || is_separator(c) || !is_host_letter(c),
    }
}

/// Length of the path, query and fragment at the start of `text`.
fn path(text: &str) -> usize {
    if !text.starts_with(['/', '?', '#']) {
        return 0;
    }
    let mut end = 1;
    while let Some(c) = text[end..].chars().next() {
        let rest = &text[end..];
        let step = match c {
            c if is_space(c) || matches!(c, '>' | '<' | '\u{ff5c}' | '|') => break,
            '(' => balanced(rest, ')', 0),
            '[' => balanced(rest, ']', 0),
            '{' => balanced(rest, '}', 0),
            '"' => balanced(rest, '"', 1),
            '\'' => balanced(rest, '\'', 1).or_else(|| follows(rest, |c| is_host_letter(c) || c == '-')),
            ')' | ']' | '}' => None,
            '.' => dots(rest),
            ',' | ';' => follows(rest, |c| !is_space(c)),
            '!' => repeated(rest, '!'),
            '?' => repeated(rest, '?'),
            '-' => dashes(rest),
            c => Some(c.len_utf8()),
        };
        match step {
            Some(step) => end += step,
            None => break,
        }
    }
    end
}

/// Length of a bracket pair with its inside, if closed before a space.
fn balanced(rest: &str, close: char, least: usize) -> Option<usize> {
    let inside = &rest[1..];
    let end = inside.find(|c: char| c == close || is_space(c))?;
    (inside[end..].starts_with(close) && end >= least).then(|| 1 + end + close.len_utf8())
}

/// One byte, when the character after it passes.
fn follows(rest: &str, passes: impl Fn(char) -> bool) -> Option<usize> {
    rest[1..].chars().next().is_some_and(passes).then_some(1)
}

fn dots(rest: &str) -> Option<usize> {
    let run = rest.bytes().take_while(|b| *b == b'.').count();
    let after = rest[run..].chars().next();
    if run > 1 {
        return after.is_some_and(|c| c.is_ascii_alphanumeric() || "%/&".contains(c)).then_some(run);
    }
    after.is_some_and(|c| !is_space(c)).then_some(1)
}

/// A run of `mark` that is not the end.
fn repeated(rest: &str, mark: char) -> Option<usize> {
    let run = rest.chars().take_while(|c| *c == mark).count();
    rest[run..].chars().next().is_some_and(|c| !is_space(c)).then_some(run)
}

fn dashes(rest: &str) -> Option<usize> {
    let run = rest.bytes().take_while(|b| *b == b'-').count();
    // a long dash ends an address
    (run != 3).then_some(run)
}

const TOP_LEVELS: [&str; 17] = [
    "biz", "com", "edu", "gov", "net", "org", "pro", "web", "xxx", "aero", "asia", "coop", "info", "museum", "name",
    "shop", "рф",
];

/// The e-mail address around the `@` at `at`.
fn mail(text: &str, at: usize, from: usize) -> Option<Found> {
    let name_char = |c: char| {
        c.is_ascii_alphanumeric() || "-;:&=+$,.!#%'*/?^_`{|}~".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
    };
    let name = text[from..at].char_indices().rev().take_while(|(_, c)| name_char(*c)).last().map(|(i, _)| from + i)?;
    let written = &text[name..at];
    // an address starts after a space, bracket or quote, with a letter or digit
    let first_ok = |c: char| c.is_alphanumeric() || "-:&=+$.!#%'*/?^_`{|}~".contains(c);
    let scheme_length =
        if written.len() > 7 && written.get(..7).is_some_and(|s| s.eq_ignore_ascii_case("mailto:")) { 7 } else { 0 };
    let mut start = name;
    if scheme_length == 0 {
        start += written.find(|c: char| !matches!(c, '.' | ',' | ';' | ':' | '\'' | '|' | '/'))?;
        let before = text[..start].chars().next_back();
        let fine =
            before.is_none_or(|c| is_space(c) || is_separator(c) || matches!(c, '"' | '(' | '\'' | ',' | ';' | ':'));
        if !fine || !text[start..at].starts_with(first_ok) {
            return None;
        }
    }
    if at == start + scheme_length || text[..at].ends_with('.') {
        return None;
    }
    let host = at + 1;
    let length = host_length(&text[host..], scheme_length == 0)?;
    let name = &text[host..host + length];
    let top = name.rsplit('.').next().unwrap_or(name);
    let known = top.len() == 2 && top.bytes().all(|b| b.is_ascii_alphabetic())
        || top.starts_with("xn--")
        || TOP_LEVELS.contains(&top.to_lowercase().as_str());
    if (scheme_length == 0 && !known) || !terminates(&text[host + length..]) {
        return None;
    }
    Some(Found { start, end: host + length, scheme: if scheme_length == 0 { "mailto:" } else { "" } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        links(text).into_iter().map(|f| &text[f.start..f.end]).collect()
    }

    #[test]
    fn addresses_with_a_scheme() {
        for (text, expected) in [
            ("see https://example.com/a?b=c&d=e now", vec!["https://example.com/a?b=c&d=e"]),
            (
                "http://example.com. And (https://example.com/x) end",
                vec!["http://example.com", "https://example.com/x"],
            ),
            ("ftp://example.com //example.com/x", vec!["ftp://example.com", "//example.com/x"]),
            ("example.com www.example.com", vec![]),
            ("https://a.b/c_(d) https://a.b/c.", vec!["https://a.b/c_(d)", "https://a.b/c"]),
            ("http://localhost:3939/x, then", vec!["http://localhost:3939/x"]),
            ("see foo://bar // and a//b", vec![]),
            ("https://日本語.jp/パス", vec!["https://日本語.jp/パス"]),
            ("https://a.b/! ok", vec!["https://a.b/"]),
            ("https://u:p@h.io/", vec!["https://u:p@h.io/"]),
            ("xhttps://a.b", vec![]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn mail_addresses() {
        assert_eq!(found("write a@b.co or x.y@mail.example.org."), ["a@b.co", "x.y@mail.example.org"]);
        assert_eq!(found("git@host and user@machine.local"), Vec::<&str>::new());
        assert_eq!(found("mailto:a@b"), ["mailto:a@b"]);
        assert_eq!(links("a@b.co")[0].scheme, "mailto:");
    }
}
