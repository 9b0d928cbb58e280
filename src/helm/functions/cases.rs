//! Ways to write names: `snake_case`, `kebab-case`, `CamelCase`; and lines of a width.

fn joins(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

/// Words in small letters with a mark between them.
pub(super) fn cased(text: &str, between: char) -> String {
    let all: Vec<char> = text.chars().collect();
    let mut out = String::new();
    for (at, c) in all.iter().copied().enumerate() {
        if joins(c) {
            out.push(between);
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| all.get(at)).copied().unwrap_or('_');
        let after = all.get(at + 1).copied().unwrap_or('_');
        let begins = c.is_uppercase()
            && (before.is_lowercase() || before.is_numeric() || (before.is_uppercase() && after.is_lowercase()));
        if begins {
            out.push(between);
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Words with a large letter each and nothing between them; marks at the ends and doubled ones stay. Large letters at
/// the beginning of a word become small but for the first.
pub(super) fn camel(text: &str) -> String {
    let all: Vec<char> = text.chars().collect();
    let first = all.iter().position(|c| !joins(*c)).unwrap_or(all.len());
    let mut out: String = all.iter().take(first).collect();
    let (mut before, mut shouts) = ('_', false);
    for (at, c) in all.iter().copied().enumerate().skip(first) {
        let last = at + 1 == all.len();
        match (joins(c), joins(before)) {
            (true, true) => out.push(before),
            (true, false) if last => out.push(c),
            (true, false) => {}
            (false, true) => out.extend(c.to_uppercase()),
            (false, false) if shouts => out.extend(c.to_lowercase()),
            (false, false) => out.push(c),
        }
        shouts = c.is_uppercase() && (shouts || joins(before));
        before = c;
    }
    out
}

/// Lines of at most a width, cut at blanks; longer words are cut as well, or stand out.
pub(super) fn wrapped(text: &str, width: usize, line_end: &str, cut: bool) -> String {
    let width = width.max(1);
    let all: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (String::new(), 0);
    let put = |from: usize, to: usize, out: &mut String| out.extend(all.get(from..to).unwrap_or_default());
    while all.len() - at > width {
        if all.get(at) == Some(&' ') {
            at += 1;
            continue;
        }
        let blank = (at..=at + width).rev().find(|place| all.get(*place) == Some(&' '));
        let end = match blank {
            Some(blank) => blank,
            None if cut => {
                put(at, at + width, &mut out);
                out.push_str(line_end);
                at += width;
                continue;
            }
            None => match (at + width..all.len()).find(|place| all.get(*place) == Some(&' ')) {
                Some(blank) => blank,
                None => break,
            },
        };
        put(at, end, &mut out);
        out.push_str(line_end);
        at = end + 1;
    }
    put(at.min(all.len()), all.len(), &mut out);
    out
}

/// The first letter of each word, large, as Go's `strings.Title` has it.
pub(super) fn title(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in text.chars() {
        let begins =
            if before.is_ascii() { !(before.is_ascii_alphanumeric() || before == '_') } else { before.is_whitespace() };
        if begins {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        before = c;
    }
    out
}

/// The first letter of each word, small.
pub(super) fn untitle(text: &str) -> String {
    let mut out = String::new();
    let mut begins = true;
    for c in text.chars() {
        if begins {
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
        begins = c.is_whitespace();
    }
    out
}

/// A text cut at both ends; sizes are bytes, as in Go, but no letter is cut.
pub(super) fn abbreviated(text: &str, from: usize, most: usize) -> String {
    if most < 4 || (from > 0 && most < 7) || text.len() <= most {
        return text.to_owned();
    }
    let from = from.min(text.len());
    let from = if text.len() - from < most - 3 { text.len() - (most - 3) } else { from };
    if from <= 4 {
        return format!("{}...", part(text, 0, most - 3));
    }
    if from + most - 3 < text.len() {
        return format!("...{}", abbreviated(part(text, from, text.len()), 0, most - 3));
    }
    format!("...{}", part(text, text.len() - (most - 3), text.len()))
}

/// The bytes of a text from one place to another, without letters that are not whole.
pub(super) fn part(text: &str, from: usize, to: usize) -> &str {
    let to = (0..=to.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let from = (from..=to).find(|at| text.is_char_boundary(*at)).unwrap_or(to);
    text.get(from..to).unwrap_or("")
}
