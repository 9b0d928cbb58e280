//! Where addresses stand: tags and attributes in HTML, `url()` in CSS; an address taken apart.

use std::borrow::Cow;
use std::ops::Range;

use crate::deck::url::scheme;
use crate::render::html;

/// A start tag in HTML text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Lower case.
    pub name: String,
    /// From `<` to past `>`.
    pub range: Range<usize>,
    /// In the order written.
    pub attributes: Vec<Attribute>,
}

/// An attribute of a start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Lower case.
    pub name: String,
    /// The value as written, without quotes; empty at the end of the name when there is none.
    pub value: Range<usize>,
    /// From the first byte of the name to past the closing quote.
    pub range: Range<usize>,
}

impl Tag {
    /// The attribute of a name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// The start tags of an HTML text, in order; comments and the text of scripts and styles are skipped.
pub fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(found) = html.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + found;
        let rest = html.get(start + 1..).unwrap_or("");
        if let Some(comment) = rest.strip_prefix("!--") {
            at = comment.find("-->").map_or(html.len(), |end| start + 4 + end + 3);
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let Some(tag) = tag(html, start) else { break };
            at = tag.range.end;
            if matches!(tag.name.as_str(), "script" | "style" | "textarea" | "title") {
                at = raw_text_end(html, at, &tag.name);
            }
            tags.push(tag);
        } else {
            at = start + 1;
        }
    }
    tags
}

/// Where the end tag of an element that holds only text starts.
fn raw_text_end(html: &str, from: usize, name: &str) -> usize {
    let bytes = html.as_bytes();
    let mut at = from;
    while let Some(found) = html.get(at..).and_then(|rest| rest.find("</")) {
        let start = at + found;
        let named = bytes.get(start + 2..start + 2 + name.len());
        if named.is_some_and(|written| written.eq_ignore_ascii_case(name.as_bytes())) {
            return start;
        }
        at = start + 2;
    }
    html.len()
}

/// The tag at `<`; `None` when it does not end.
fn tag(html: &str, start: usize) -> Option<Tag> {
    let bytes = html.as_bytes();
    let until =
        |from: usize, stop: fn(u8) -> bool| (from..bytes.len()).find(|at| stop(bytes[*at])).unwrap_or(bytes.len());
    let name_end = until(start + 1, |b| b.is_ascii_whitespace() || b == b'>' || b == b'/');
    let name = html.get(start + 1..name_end)?.to_ascii_lowercase();
    let mut attributes = Vec::new();
    let mut at = name_end;
    loop {
        at = until(at, |b| !b.is_ascii_whitespace() && b != b'/');
        if *bytes.get(at)? == b'>' {
            return Some(Tag { name, range: start..at + 1, attributes });
        }
        let from = at;
        // A `=` in first place belongs to the name.
        let end = until(at + 1, |b| b.is_ascii_whitespace() || matches!(b, b'=' | b'>' | b'/'));
        let equals = until(end, |b| !b.is_ascii_whitespace());
        let (value, past) = if bytes.get(equals) == Some(&b'=') {
            let open = until(equals + 1, |b| !b.is_ascii_whitespace());
            match *bytes.get(open)? {
                quote @ (b'"' | b'\'') => {
                    let close = html.get(open + 1..)?.find(char::from(quote))? + open + 1;
                    (open + 1..close, close + 1)
                }
                _ => {
                    let close = until(open, |b| b.is_ascii_whitespace() || b == b'>');
                    (open..close, close)
                }
            }
        } else {
            (end..end, end)
        };
        attributes.push(Attribute { name: html.get(from..end)?.to_ascii_lowercase(), value, range: from..past });
        at = past;
    }
}

/// An attribute's value with its character references resolved (those that serialisers write).
pub fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest.find(';').filter(|end| *end <= 10).and_then(|end| Some((entity(&rest[1..end])?, end)));
        match reference {
            Some((character, end)) => {
                text.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']);
            let code = hex.map_or_else(|| number.parse(), |hex| u32::from_str_radix(hex, 16)).ok()?;
            char::from_u32(code)?
        }
    })
}

/// A text as the value of a double-quoted attribute.
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    html::quoted(&mut out, value);
    out
}

/// An address in CSS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CssUrl {
    /// From `url(` to past `)`; for the string of an `@import`, the string.
    pub range: Range<usize>,
    /// The address, unescaped.
    pub url: String,
    /// Whether it names a style sheet to import.
    pub import: bool,
}

/// The addresses in a CSS text, in order; those in comments and strings are not any.
pub fn css_urls(css: &str) -> Vec<CssUrl> {
    let bytes = css.as_bytes();
    let mut urls = Vec::new();
    let mut import = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = css.get(at + 2..).and_then(|rest| rest.find("*/")).map_or(bytes.len(), |end| at + 2 + end + 2);
            }
            b'"' | b'\'' => {
                let (text, end) = css_string(css, at);
                if import {
                    urls.push(CssUrl { range: at..end, url: text, import: true });
                    import = false;
                }
                at = end;
            }
            b'\\' => at += 2,
            b'@' => {
                import = starts_with_ignoring_case(bytes, at, b"@import");
                at += 1;
            }
            b';' | b'{' | b'}' => {
                import = false;
                at += 1;
            }
            b'u' | b'U' if is_url(bytes, at) => {
                let (url, end) = css_url(css, at + 4);
                urls.push(CssUrl { range: at..end, url, import });
                import = false;
                at = end;
            }
            _ => at += 1,
        }
    }
    urls
}

fn is_url(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    let in_word = before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') || *b >= 0x80);
    !in_word && starts_with_ignoring_case(bytes, at, b"url(")
}

fn starts_with_ignoring_case(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    bytes.get(at..at + word.len()).is_some_and(|written| written.eq_ignore_ascii_case(word))
}

/// What follows `url(`: the address and the offset past `)`.
fn css_url(css: &str, from: usize) -> (String, usize) {
    let bytes = css.as_bytes();
    let open = (from..bytes.len()).find(|at| !bytes[*at].is_ascii_whitespace()).unwrap_or(bytes.len());
    if let Some(b'"' | b'\'') = bytes.get(open) {
        let (text, end) = css_string(css, open);
        let close = css.get(end..).and_then(|rest| rest.find(')')).map_or(bytes.len(), |close| end + close + 1);
        return (text, close);
    }
    let mut end = open;
    while end < bytes.len() && bytes[end] != b')' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    let end = end.min(bytes.len());
    let text = css.get(open..end).unwrap_or("").trim();
    (css_unescape(text), (end + 1).min(bytes.len()))
}

/// The string at a quote: its text, and the offset past its end.
fn css_string(css: &str, open: usize) -> (String, usize) {
    let bytes = css.as_bytes();
    let quote = bytes.get(open).copied().unwrap_or(b'"');
    let mut end = open + 1;
    while end < bytes.len() && bytes[end] != quote {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    let end = end.min(bytes.len());
    (css_unescape(css.get(open + 1..end).unwrap_or("")), (end + 1).min(bytes.len()))
}

fn css_unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        let mut code = String::new();
        while let Some(digit) = rest.next_if(|c| c.is_ascii_hexdigit() && code.len() < 6) {
            code.push(digit);
        }
        if let Ok(code) = u32::from_str_radix(&code, 16) {
            rest.next_if(|c| c.is_ascii_whitespace());
            plain.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        } else if let Some(c) = rest.next().filter(|c| *c != '\n') {
            plain.push(c);
        }
    }
    plain
}

/// What an address points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A path relative to the deck, without query and fragment, percent-decoded.
    Relative(String),
    /// A path that starts at the project's root.
    FromRoot(String),
    /// On another host.
    Remote,
    /// Carries its own content, or is a place in the same page.
    Inside,
    /// Another scheme: `file:`, `javascript:`, …
    Other,
}

impl Address {
    /// Takes an address apart.
    pub fn of(url: &str) -> Self {
        let url = url.trim();
        if url.is_empty() || url.starts_with('#') {
            return Self::Inside;
        }
        if url.starts_with("//") {
            return Self::Remote;
        }
        if let Some(scheme) = scheme(url) {
            return match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" => Self::Remote,
                "data" | "blob" | "about" => Self::Inside,
                _ => Self::Other,
            };
        }
        let path = percent_decode(url.split(['?', '#']).next().unwrap_or(""));
        match path.strip_prefix('/') {
            _ if path.is_empty() => Self::Inside,
            Some(path) => Self::FromRoot(path.to_owned()),
            None => Self::Relative(path),
        }
    }
}

/// A part of a path, between slashes, as it stands in an address (RFC 3986: all but the unreserved characters).
pub fn percent_encode(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_with_all_forms_of_attributes() {
        let html = "a < b <IMG src=x.png alt='a > b' data-x hidden/> <!-- <img src=no> --> <script>'<img src=no>'</script><br/>";
        let found = tags(html);
        let names: Vec<_> = found.iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!(names, ["img", "script", "br"]);
        let attributes: Vec<_> =
            found[0].attributes.iter().map(|a| (a.name.as_str(), &html[a.value.clone()])).collect();
        assert_eq!(attributes, [("src", "x.png"), ("alt", "a > b"), ("data-x", ""), ("hidden", "")]);
    }

    #[test]
    fn broken_html_neither_panics_nor_hangs() {
        for html in ["<", "<a", "<a b", "<a b=", "<a b=\"", "<a =", "<!--", "<script>", "</", "<é", "<a é='ü"] {
            let _ = tags(html);
        }
    }

    #[test]
    fn character_references_are_resolved_once() {
        assert_eq!(
            unescape("url(&quot;a&amp;amp;b.png&quot;) &#39;&#x41;&bogus; &"),
            "url(\"a&amp;b.png\") 'A&bogus; &"
        );
        assert_eq!(unescape(&escape("<a \"b\" & c>")), "<a \"b\" & c>");
    }

    #[test]
    fn css_addresses_are_found_outside_comments_and_strings() {
        let css = "@import 'other.css'; @import url(https://x/y.css);\n/* url(no.png) */ a{content:'url(no.png)';\
                   background:URL( \"a b.png\" ), url(c\\29 d.png),myurl(no) } @font-face{src:url('f.woff2') format('woff2')}";
        let found: Vec<_> = css_urls(css).into_iter().map(|u| (u.url, u.import)).collect();
        let expected = [
            ("other.css", true),
            ("https://x/y.css", true),
            ("a b.png", false),
            ("c)d.png", false),
            ("f.woff2", false),
        ];
        assert_eq!(found, expected.map(|(url, import)| (url.to_owned(), import)));
    }

    #[test]
    fn broken_css_neither_panics_nor_hangs() {
        for css in ["url(", "url('", "url(a\\", "'a\\", "/*", "@import", "url(ü\\ü", "\\"] {
            let _ = css_urls(css);
        }
    }

    #[test]
    fn addresses_say_where_they_point() {
        let cases = [
            ("images/a%20b.png?x#y", Address::Relative("images/a b.png".into())),
            ("/images/a.png", Address::FromRoot("images/a.png".into())),
            ("https://example.org/a.png", Address::Remote),
            ("//example.org/a.png", Address::Remote),
            ("data:image/png;base64,AA", Address::Inside),
            ("#part", Address::Inside),
            ("", Address::Inside),
            ("FILE:///etc/passwd", Address::Other),
            ("100%.png", Address::Relative("100%.png".into())),
            ("a:b/c.png", Address::Other),
            ("%ff.png", Address::Relative("%ff.png".into())),
        ];
        for (url, expected) in cases {
            assert_eq!(Address::of(url), expected, "{url}");
        }
    }
}
