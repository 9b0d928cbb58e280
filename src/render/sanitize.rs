//! Which raw HTML is let through: Marp's list of tags and attributes.

use super::HtmlPolicy;

/// Attributes that `tag` may have besides the global ones; `None` when the tag is not allowed.
fn allowed(tag: &str) -> Option<&'static [&'static str]> {
    Some(match tag {
        "a" => &["href", "name", "rel", "target"],
        "audio" => &["autoplay", "controls", "loop", "muted", "preload", "src"],
        "blockquote" | "q" => &["cite"],
        "col" | "colgroup" => &["align", "valign", "span", "width"],
        "del" | "ins" => &["cite", "datetime"],
        "details" => &["open"],
        "img" => &["align", "alt", "decoding", "height", "loading", "src", "srcset", "title", "width"],
        "li" => &["type", "value"],
        "ol" => &["reversed", "start", "type"],
        "source" => &["height", "media", "sizes", "src", "srcset", "type", "width"],
        "table" => &["width", "border", "align", "valign"],
        "tbody" | "thead" | "tfoot" => &["align", "valign"],
        "td" | "th" => &["width", "rowspan", "colspan", "align", "valign"],
        "time" => &["datetime"],
        "tr" => &["rowspan", "align", "valign"],
        "video" => {
            &["autoplay", "controls", "loop", "muted", "playsinline", "poster", "preload", "src", "height", "width"]
        }
        "abbr" | "address" | "article" | "aside" | "b" | "bdi" | "bdo" | "big" | "br" | "caption" | "center"
        | "cite" | "code" | "dd" | "div" | "dl" | "dt" | "em" | "figcaption" | "figure" | "h1" | "h2" | "h3" | "h4"
        | "h5" | "h6" | "hr" | "i" | "kbd" | "mark" | "nav" | "p" | "picture" | "pre" | "rp" | "rt" | "ruby" | "s"
        | "section" | "small" | "span" | "strike" | "strong" | "sub" | "summary" | "sup" | "u" | "ul" | "wbr" => &[],
        _ => return None,
    })
}

fn is_global(tag: &str, attribute: &str) -> bool {
    tag != "source" && matches!(attribute, "class" | "dir" | "lang" | "title")
}

fn is_void(tag: &str) -> bool {
    matches!(tag, "br" | "col" | "hr" | "img" | "source" | "wbr")
}

/// Whether a tag of this name (lower case) passes under the default list.
pub fn is_allowed_tag(tag: &str) -> bool {
    allowed(tag).is_some()
}

/// Appends raw HTML, as far as the policy lets it through; the rest is shown as text.
pub fn html(out: &mut String, raw: &str, policy: &HtmlPolicy) {
    match policy {
        HtmlPolicy::All => out.push_str(raw),
        HtmlPolicy::None => super::html::text(out, raw),
        HtmlPolicy::AllowList | HtmlPolicy::Custom(_) => filter(out, raw, policy),
    }
}

fn filter(out: &mut String, raw: &str, policy: &HtmlPolicy) {
    let mut rest = raw;
    while let Some(at) = rest.find('<') {
        angles(out, &rest[..at]);
        rest = &rest[at..];
        if let Some(inner) = rest.strip_prefix("<!--") {
            rest = inner.find("-->").map_or("", |end| &inner[end + 3..]);
            continue;
        }
        match Tag::read(rest) {
            Some(tag) => {
                tag.write(out, policy);
                rest = &rest[tag.source.len()..];
            }
            None => {
                out.push_str("&lt;");
                rest = &rest[1..];
            }
        }
    }
    angles(out, rest);
}

/// Entities in raw HTML are the author's own: only angle brackets are escaped.
fn angles(out: &mut String, text: &str) {
    let mut done = 0;
    for (i, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => continue,
        };
        out.push_str(&text[done..i]);
        out.push_str(entity);
        done = i + 1;
    }
    out.push_str(&text[done..]);
}

struct Tag<'a> {
    source: &'a str,
    closing: bool,
    name: String,
    attributes: Vec<(String, Option<&'a str>)>,
}

impl<'a> Tag<'a> {
    /// Reads the tag at the start of `text`.
    fn read(text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix('<')?;
        let (closing, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        let name_end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == ':'))?;
        let name = &inner[..name_end];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let mut attributes = Vec::new();
        let mut rest = &inner[name_end..];
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if let Some(after) = rest.strip_prefix('>') {
                let source = &text[..text.len() - after.len()];
                return Some(Self { source, closing, name: name.to_ascii_lowercase(), attributes });
            }
            let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/'))?;
            let end = end.max(rest.chars().next()?.len_utf8());
            let attribute = rest[..end].to_ascii_lowercase();
            let after_name = rest[end..].trim_start();
            match after_name.strip_prefix('=') {
                Some(value) => {
                    let (value, after) = attribute_value(value.trim_start())?;
                    attributes.push((attribute, Some(value)));
                    rest = after;
                }
                None => {
                    attributes.push((attribute, None));
                    rest = &rest[end..];
                }
            }
        }
    }

    fn write(&self, out: &mut String, policy: &HtmlPolicy) {
        let custom = match policy {
            HtmlPolicy::Custom(tags) => Some(tags.iter().find(|(tag, _)| *tag == self.name).map(|(_, list)| list)),
            _ => None,
        };
        let listed = allowed(&self.name);
        let passes = custom.map_or(listed.is_some(), |known| known.is_some());
        if !passes {
            return angles(out, self.source);
        }
        // a stray `</img>` is a picture in Marp
        let closing = self.closing && !is_void(&self.name);
        out.push_str(if closing { "</" } else { "<" });
        out.push_str(&self.name);
        if !closing {
            for (attribute, value) in &self.attributes {
                let kept = match custom.flatten() {
                    Some(list) => list.iter().any(|known| known == attribute),
                    None => is_global(&self.name, attribute) || listed.is_some_and(|l| l.contains(&attribute.as_str())),
                };
                if kept {
                    write_attribute(out, attribute, value.unwrap_or(""));
                }
            }
            if is_void(&self.name) {
                out.push_str(" /");
            }
        }
        out.push('>');
    }
}

fn write_attribute(out: &mut String, name: &str, value: &str) {
    let lower;
    let value = match name {
        "href" if !is_safe_url(value, false) => "",
        "src" | "poster" | "cite" if !is_safe_url(value, true) => "",
        "dir" => {
            lower = value.to_ascii_lowercase();
            if matches!(lower.as_str(), "ltr" | "rtl" | "auto") { lower.as_str() } else { "" }
        }
        _ => value,
    };
    out.push(' ');
    out.push_str(name);
    // a value that is refused leaves the bare name, as in Marp
    if !value.is_empty() {
        out.push_str("=\"");
        let quoted = value.replace('"', "&quot;");
        angles(out, &quoted);
        out.push('"');
    }
}

/// The value after `=` and what follows it.
fn attribute_value(text: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            let end = inner.find(quote)?;
            return Some((&inner[..end], &inner[end + 1..]));
        }
    }
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
    // `src=a.svg/>` ends with the tag's own slash
    let value = &text[..end];
    let value = if text[end..].starts_with('>') { value.strip_suffix('/').unwrap_or(value) } else { value };
    Some((value, &text[end..]))
}

/// Relative, `http:`, `https:`, or (for pictures) `data:image/`.
fn is_safe_url(value: &str, picture: bool) -> bool {
    let decoded = decode(value);
    let address: String = decoded.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let address = address.to_ascii_lowercase();
    let scheme_end = address.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
    match scheme_end {
        Some(end) if end > 0 && address[end..].starts_with(':') => {
            matches!(&address[..end], "http" | "https") || (picture && address.starts_with("data:image/"))
        }
        _ => true,
    }
}

/// Character references that could hide a scheme.
fn decode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match reference(rest) {
            Some((c, after)) => {
                out.push(c);
                rest = after.strip_prefix(';').unwrap_or(after);
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    out
}

/// The character after an `&`, and what follows it. Browsers need no `;` behind a number: it ends with its digits.
fn reference(text: &str) -> Option<(char, &str)> {
    let Some(number) = text.strip_prefix('#') else {
        return [("colon", ':'), ("Tab", ' '), ("NewLine", ' ')]
            .iter()
            .find_map(|(name, c)| Some((*c, text.strip_prefix(name)?)));
    };
    let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |hex| (hex, 16));
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let code = u32::from_str_radix(&digits[..end], radix).ok()?;
    Some((char::from_u32(code)?, &digits[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(raw: &str) -> String {
        let mut out = String::new();
        html(&mut out, raw, &HtmlPolicy::AllowList);
        out
    }

    #[test]
    fn allowed_tags_pass_with_their_attributes() {
        for (raw, expected) in [
            ("<div class=\"a\" id=x style='y'>", "<div class=\"a\">"),
            ("<BR>", "<br />"),
            ("<img src=a.png alt='q\"q' onerror=x>", "<img src=\"a.png\" alt=\"q&quot;q\" />"),
            ("<video controls src=v.mp4></video>", "<video controls src=\"v.mp4\"></video>"),
            ("a &amp; b > c", "a &amp; b &gt; c"),
            ("<p dir=RTL><p dir=up>", "<p dir=\"rtl\"><p dir>"),
        ] {
            assert_eq!(filtered(raw), expected);
        }
    }

    #[test]
    fn the_rest_is_text() {
        for (raw, expected) in [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("<font color=\"red\">", "&lt;font color=\"red\"&gt;"),
            ("<!DOCTYPE html>", "&lt;!DOCTYPE html&gt;"),
            ("<div <b>x", "<div>x"),
            ("<a", "&lt;a"),
            ("x <!-- gone --> y <!-- open", "x  y "),
        ] {
            assert_eq!(filtered(raw), expected);
        }
    }

    #[test]
    fn addresses_that_execute_are_refused() {
        for raw in [
            "javascript:x",
            "JAVA\nscript:x",
            "java&#115;cript:x",
            "javascript&colon;x",
            "javascript&#58alert(1)",
            "javascript&#x3Aprompt(1)",
            "java&#115cript:x",
            "java&#x00000000073;cript:x",
            "java&Tab;script:x",
            "&#1;javascript:x",
            "mailto:a@b",
            "data:text/html,x",
        ] {
            assert_eq!(filtered(&format!("<a href=\"{raw}\">")), "<a href>", "{raw}");
        }
        assert_eq!(filtered("<img src=\"data:image/png;base64,AA\">"), "<img src=\"data:image/png;base64,AA\" />");
        assert_eq!(filtered("<a href=\"a:b\">"), "<a href>");
        assert_eq!(filtered("<a href=\"./a:b\">"), "<a href=\"./a:b\">");
    }
}
