//! Shell patterns on the beginnings of values: `*`, `?`, `[a-z]`, `\x`.

/// A value without its shortest or longest beginning that matches a pattern.
pub(super) fn trim<'v>(value: &'v str, pattern: &str, longest: bool) -> &'v str {
    let pattern: Vec<char> = pattern.chars().collect();
    let ends = value.char_indices().map(|(at, c)| at + c.len_utf8());
    let mut matching = ends.filter(|end| matches(&pattern, &value[..*end]));
    let end = if longest { matching.next_back() } else { matching.next() };
    end.map_or(value, |end| &value[end..])
}

/// Whether a pattern matches a whole text. Keeps the last `*` to go back to, so that it takes no more than length times
/// length steps.
fn matches(pattern: &[char], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut here) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while here < text.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
                continue;
            }
            Some(_) => unit(&pattern[at..], text[here]),
            None => None,
        };
        match (step, star) {
            (Some(width), _) => (at, here) = (at + width, here + 1),
            (None, Some((star_at, from))) => {
                star = Some((star_at, from + 1));
                (at, here) = (star_at + 1, from + 1);
            }
            (None, None) => return false,
        }
    }
    pattern[at.min(pattern.len())..].iter().all(|c| *c == '*')
}

/// How long the unit at a pattern's beginning is, if it matches a character.
fn unit(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', escaped, ..] => (*escaped == c).then_some(2),
        ['[', rest @ ..] => class(rest, c).map(|width| width + 1),
        [plain, ..] => (*plain == c).then_some(1),
        [] => None,
    }
}

/// A class after its `[`: its length with the `]`, if it has the character.
fn class(pattern: &[char], c: char) -> Option<usize> {
    let negated = matches!(pattern.first(), Some('^' | '!'));
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        let low = *pattern.get(at)?;
        if low == ']' && at > usize::from(negated) {
            return (found != negated).then_some(at + 1);
        }
        let high = match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some('-'), Some(high)) if *high != ']' => {
                at += 2;
                *high
            }
            _ => low,
        };
        found |= (low..=high).contains(&c);
        at += 1;
    }
}
