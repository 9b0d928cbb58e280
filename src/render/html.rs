//! Writing HTML: the only place that escapes.

/// Appends text content.
pub fn text(out: &mut String, text: &str) {
    escape(out, text, b"&<>");
}

/// Appends text content with double quotes escaped too: the way of highlight.js, and of attribute values.
pub fn quoted(out: &mut String, text: &str) {
    escape(out, text, b"&<>\"");
}

/// Appends text that is HTML but for its tags: character references stay as they are.
pub(super) fn without_tags(out: &mut String, text: &str) {
    escape(out, text, b"<>");
}

/// Appends ` name="value"`.
pub fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    quoted(out, value);
    out.push('"');
}

fn escape(out: &mut String, text: &str, marks: &[u8]) {
    let mut done = 0;
    for (i, byte) in text.bytes().enumerate().filter(|(_, byte)| marks.contains(byte)) {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&quot;",
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
}
