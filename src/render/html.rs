//! Writing HTML: the only place that escapes.

use crate::deck::emoji::{self, Segment};

/// Opens the box of an emoji.
pub const EMOJI: &str = "<span data-emoji>";

/// Appends text content; every emoji gets a box of its own.
pub fn text(out: &mut String, text: &str) {
    if text.is_ascii() {
        return escape(out, text, false);
    }
    for segment in emoji::segments(text) {
        match segment {
            Segment::Text(text) => escape(out, text, false),
            Segment::Emoji(emoji) => {
                out.push_str(EMOJI);
                out.push_str(emoji);
                out.push_str("</span>");
            }
        }
    }
}

/// Appends ` name="value"`.
pub fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(out, value, true);
    out.push('"');
}

/// Appends the value of a double-quoted attribute.
pub fn quoted(out: &mut String, value: &str) {
    escape(out, value, true);
}

fn escape(out: &mut String, text: &str, quotes: bool) {
    let mut done = 0;
    for (i, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' if quotes => "&quot;",
            _ => continue,
        };
        out.push_str(&text[done..i]);
        out.push_str(entity);
        done = i + 1;
    }
    out.push_str(&text[done..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        let mut out = String::new();
        text(&mut out, "a<b> & \"c\"");
        attribute(&mut out, "title", "a\"b");
        assert_eq!(out, "a&lt;b&gt; &amp; \"c\" title=\"a&quot;b\"");
    }

    #[test]
    fn emoji_are_boxed_and_other_characters_are_not() {
        let mut out = String::new();
        text(&mut out, "é 😀© ❤️");
        assert_eq!(out, "é <span data-emoji>😀</span>© <span data-emoji>❤️</span>");
    }
}
