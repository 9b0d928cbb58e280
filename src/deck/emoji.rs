//! Emoji: GitHub's shortcodes, and where in a text the emoji are.

use std::borrow::Cow;

/// Joins emoji to one picture.
const JOINER: char = '\u{200D}';
/// Asks for the coloured form of the character before it.
const COLOURED: char = '\u{FE0F}';
/// Asks for the plain form of the character before it.
const PLAIN: char = '\u{FE0E}';
/// Makes a key of the digit before it.
const KEYCAP: char = '\u{20E3}';

/// Replaces `:smile:` and its like with the characters they stand for; others stay as they are.
///
/// The caller keeps code, links that were written as addresses, and alternative texts away from it.
#[must_use]
pub fn replace_shortcodes(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    let mut open = None;
    for (at, _) in text.match_indices(':') {
        let emoji = open.and_then(|open: usize| shortcode(&text[open + 1..at]).map(|emoji| (open, emoji)));
        if let Some((start, emoji)) = emoji {
            out.push_str(&text[done..start]);
            out.push_str(emoji);
            done = at + 1;
            open = None;
        } else {
            open = Some(at);
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// The emoji of a shortcode that Marp knows.
fn shortcode(name: &str) -> Option<&'static str> {
    let valid =
        !name.is_empty() && name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b));
    // The ideographs by number (`:u6708:`) are GitHub's, not Marp's.
    let by_number = name.len() == 5 && name.starts_with('u') && name[1..].bytes().all(|b| b.is_ascii_hexdigit());
    if !valid || by_number {
        return None;
    }
    emojis::get_by_shortcode(name).map(emojis::Emoji::as_str)
}

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    /// No emoji in it.
    Text(&'a str),
    /// One emoji, as it is written.
    Emoji(&'a str),
}

/// Splits a text into emoji and what is between them.
///
/// An emoji is what is coloured without being asked, or is asked to be: plain symbols like `©` and `✔` are text
/// until U+FE0F follows, and U+FE0E makes text of anything. A lone `❤` is an emoji, as it is for Marp.
pub fn segments(text: &str) -> Segments<'_> {
    Segments { rest: text }
}

/// The pieces of a text, in order.
#[derive(Debug, Clone)]
pub struct Segments<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (at, len) = first_emoji(self.rest).unwrap_or((self.rest.len(), 0));
        let end = if at == 0 { len } else { at };
        let (piece, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(if at == 0 { Segment::Emoji(piece) } else { Segment::Text(piece) })
    }
}

/// Where the first emoji of a text is, and how long.
fn first_emoji(text: &str) -> Option<(usize, usize)> {
    if text.is_ascii() {
        return None;
    }
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let (len, is_emoji) = measure(rest);
        if is_emoji {
            return Some((at, len));
        }
        at += len.max(1);
    }
    None
}

/// The length of what stands at the start of a text that is not empty, and whether it is an emoji.
fn measure(text: &str) -> (usize, bool) {
    let Some(first) = text.chars().next() else { return (0, false) };
    let len = first.len_utf8();
    match first {
        '0'..='9' | '#' | '*' => keycap(text).map_or((len, false), |len| (len, !text[len..].starts_with(PLAIN))),
        // Below the first symbol that can be one, and most scripts.
        '\0'..='\u{A8}' | '\u{AF}'..='\u{203B}' | '\u{3300}'..='\u{EFFF}' => (len, false),
        '\u{1F3FB}'..='\u{1F3FF}' => (len, !text[len..].starts_with(PLAIN)),
        _ => sequence(text, len),
    }
}

/// The length of a keycap.
fn keycap(text: &str) -> Option<usize> {
    let rest = &text[1..];
    let coloured = rest.strip_prefix(COLOURED).unwrap_or(rest);
    coloured.strip_prefix(KEYCAP).map(|after| text.len() - after.len())
}

/// The longest emoji that starts with the character of `len` bytes.
fn sequence(text: &str, len: usize) -> (usize, bool) {
    let mut best = (len, false);
    let rest = &text[len..];
    let single = emojis::get(&text[..len]);
    let coloured = rest.starts_with(COLOURED);
    if let Some(emoji) = single {
        let by_itself = emoji.as_str().len() == len || text.starts_with('❤');
        best = match (by_itself, coloured) {
            (_, true) => (len + COLOURED.len_utf8(), true),
            (by_itself, false) => (len, by_itself),
        };
    }
    for end in joints(text, len) {
        if emojis::get(&text[..end]).is_some() {
            best = (end, true);
        }
    }
    if text[best.0..].starts_with(PLAIN) {
        return (best.0 + PLAIN.len_utf8(), false);
    }
    best
}

/// The ends of the sequences that may start with the character of `len` bytes.
fn joints(text: &str, len: usize) -> impl Iterator<Item = usize> {
    let mut joined = false;
    text.char_indices()
        .skip_while(move |(at, _)| *at < len)
        .take(16)
        .take_while(move |(_, c)| {
            let goes_on = joined || is_joint(*c);
            joined = *c == JOINER;
            goes_on
        })
        .map(|(at, c)| at + c.len_utf8())
}

/// Whether a character belongs to the emoji before it.
fn is_joint(c: char) -> bool {
    matches!(c, JOINER | COLOURED | '\u{1F3FB}'..='\u{1F3FF}' | '\u{1F1E6}'..='\u{1F1FF}' | '\u{E0020}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The emoji of a text.
    fn emoji(text: &str) -> Vec<&str> {
        segments(text)
            .filter_map(|segment| match segment {
                Segment::Emoji(emoji) => Some(emoji),
                Segment::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn replaces_known_shortcodes() {
        for (text, expected) in [
            (":smile: :+1: :heart:", "😄 👍 ❤️"),
            ("a:tada:b:tada:", "a🎉b🎉"),
            (":nope: :smile", ":nope: :smile"),
            (":nope:smile:", ":nope😄"),
            ("::tada::", ":🎉:"),
            (":u6708: 10:30:00", ":u6708: 10:30:00"),
            ("", ""),
        ] {
            assert_eq!(replace_shortcodes(text), expected, "{text}");
        }
        assert!(matches!(replace_shortcodes("no code: none"), Cow::Borrowed(_)));
    }

    #[test]
    fn finds_emoji() {
        let text = "😀 👍🏽 👨‍💻 🇯🇵 1️⃣ 🏴‍☠️";
        assert_eq!(emoji(text), ["😀", "👍🏽", "👨‍💻", "🇯🇵", "1️⃣", "🏴‍☠️"]);
        assert_eq!(emoji("👨‍👩‍👧‍👦👍 ❤️ ❤ ☎️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿"), ["👨‍👩‍👧‍👦", "👍", "❤️", "❤", "☎️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]);
    }

    #[test]
    fn leaves_symbols_alone() {
        for text in
            ["© ™ ✔ ➡ ☎", "★ → ✓ ● 🇯", "😀\u{FE0E} 1\u{FE0F}\u{20E3}\u{FE0E}", "plain 123 #", "naïve 日本語 – “quoted”"]
        {
            assert_eq!(emoji(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn segments_are_in_order() {
        assert_eq!(
            segments("a😀b").collect::<Vec<_>>(),
            [Segment::Text("a"), Segment::Emoji("😀"), Segment::Text("b")]
        );
        assert_eq!(segments("").next(), None);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "([a-z0-9: ]|[\u{1F1E6}-\u{1F1FF}]|[\u{1F3FB}-\u{1F3FF}]|👍|❤|🏴|\u{FE0F}|\u{FE0E}|\u{200D}|\u{20E3}|[\u{E0061}-\u{E007F}]|\\PC){0,30}") {
            let joined: String = segments(&text).map(|segment| match segment {
                Segment::Text(piece) | Segment::Emoji(piece) => piece,
            }).collect();
            prop_assert_eq!(&joined, &text);
            let _ = replace_shortcodes(&text);
        }
    }
}
