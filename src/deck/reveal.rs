//! reveal.js Markdown → Marp Markdown, with a map back to the original.
//!
//! Three newlines in a row start the next slide, two the one below; a deck without any such place is read
//! with the other usual separators, `---` and `--`. Marp's slides are one sequence, so both become `---`.

use crate::diagnostic::{Code, Diagnostic, SourceFile, Span, Warned};

/// A converted deck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// Marp Markdown.
    pub text: String,
    lines: Vec<Piece>,
}

/// A stretch of the converted text and the line of the original it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    start: usize,
    original: Span,
}

impl Converted {
    /// The place in the original that a place in the converted text comes from, to within a line.
    pub fn original(&self, span: Span) -> Span {
        let start = self.offset(span.start);
        Span::new(start, self.offset(span.end).max(start))
    }

    fn offset(&self, at: usize) -> usize {
        let after = self.lines.partition_point(|piece| piece.start <= at);
        let Some(piece) = after.checked_sub(1).and_then(|index| self.lines.get(index)) else { return 0 };
        (piece.original.start + at - piece.start).min(piece.original.end)
    }
}

/// Converts a deck. Nothing in it is lost: what has no equal is kept as it stands, or named in a finding.
pub fn to_marp(source: &SourceFile) -> Warned<Converted> {
    let lines = lines(source.text());
    let mut writer = Writer {
        by_rulers: !lines.iter().any(|line| line.blank_before >= 2 && line.number > 0 && !line.inside),
        text: String::with_capacity(source.text().len() + 256),
        pieces: Vec::new(),
        diagnostics: Vec::new(),
        in_note: false,
    };
    for (index, line) in lines.iter().enumerate() {
        writer.line(line, lines.get(index + 1));
    }
    writer.end_note();
    Warned { value: Converted { text: writer.text, lines: writer.pieces }, diagnostics: writer.diagnostics }
}

/// A line that is not blank, or that is in code or in a comment.
struct Line<'a> {
    text: &'a str,
    span: Span,
    /// How many lines with content come before.
    number: usize,
    /// Blank lines directly above, when slides may start here.
    blank_before: usize,
    /// Within fenced code or a comment that started on an earlier line.
    inside: bool,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut fence: Option<(char, usize)> = None;
    let mut in_comment = false;
    let mut blank_before = 0;
    let mut start = 0;
    for written in text.split_inclusive('\n') {
        let line = written.trim_end_matches(['\n', '\r']);
        let span = Span::new(start, start + line.len());
        start += written.len();
        let inside = fence.is_some() || in_comment;
        if line.is_empty() && !inside {
            blank_before += 1;
            continue;
        }
        lines.push(Line { text: line, span, number: lines.len(), blank_before, inside });
        blank_before = 0;
        match (fence, fence_mark(line)) {
            (None, Some(mark)) if !in_comment => fence = Some(mark),
            (Some((character, length)), Some((other, written))) => {
                let closes = line.trim().chars().all(|c| c == character);
                if other == character && written >= length && closes {
                    fence = None;
                }
            }
            _ => {}
        }
        if fence.is_none() {
            in_comment = comment_open(line, in_comment);
        }
    }
    lines
}

/// The character and length of a code fence at the start of a line.
fn fence_mark(line: &str) -> Option<(char, usize)> {
    let line = line.trim_start();
    let character = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == character).count();
    (length >= 3).then_some((character, length))
}

/// Whether a comment is open after a line.
fn comment_open(line: &str, mut open: bool) -> bool {
    let mut rest = line;
    while let Some(at) = rest.find(if open { "-->" } else { "<!--" }) {
        rest = rest.get(at + 3..).unwrap_or("");
        open = !open;
    }
    open
}

struct Writer {
    by_rulers: bool,
    text: String,
    pieces: Vec<Piece>,
    diagnostics: Vec<Diagnostic>,
    in_note: bool,
}

impl Writer {
    fn line(&mut self, line: &Line<'_>, next: Option<&Line<'_>>) {
        let alone = line.blank_before > 0 && next.is_none_or(|next| next.blank_before > 0);
        let trimmed = line.text.trim();
        if self.by_rulers && !line.inside && alone && line.number > 0 && matches!(trimmed, "---" | "--") {
            return self.boundary(line);
        }
        if !self.by_rulers && !line.inside && line.blank_before >= 2 && line.number > 0 {
            self.boundary(line);
        } else if line.blank_before > 0 && !self.text.is_empty() {
            self.blank(line);
        }
        if line.inside {
            return self.write(line, line.text);
        }
        if let Some(rest) = note_start(line.text) {
            self.end_note();
            self.write(line, "<!--");
            self.in_note = true;
            if !rest.is_empty() {
                self.write(line, rest);
            }
            return;
        }
        if self.in_note {
            return self.write(line, line.text);
        }
        if alone && line.blank_before > 0 && is_ruler(trimmed) && !self.by_rulers {
            return self.write(line, "<hr />");
        }
        let converted = self.reveal_comments(line);
        let converted = self.images(line, &converted);
        if !converted.trim().is_empty() || line.text.trim().is_empty() {
            self.write(line, &converted);
        }
    }

    /// Ends the slide.
    fn boundary(&mut self, line: &Line<'_>) {
        self.end_note();
        self.blank(line);
        self.write(line, "---");
        self.blank(line);
    }

    fn blank(&mut self, line: &Line<'_>) {
        if !self.text.ends_with("\n\n") {
            let start = Span::new(line.span.start, line.span.start);
            self.pieces.push(Piece { start: self.text.len(), original: start });
            self.text.push('\n');
        }
    }

    fn write(&mut self, line: &Line<'_>, text: &str) {
        self.pieces.push(Piece { start: self.text.len(), original: line.span });
        if self.in_note {
            // The end of a comment inside a note would show the rest of the note to the audience.
            self.text.push_str(&text.replace("-->", "--&gt;").replace("<!--", "&lt;!--"));
        } else {
            self.text.push_str(text);
        }
        self.text.push('\n');
    }

    fn end_note(&mut self) {
        if self.in_note {
            self.in_note = false;
            while self.text.ends_with("\n\n") {
                self.text.pop();
            }
            self.text.push_str("-->\n");
        }
    }

    fn warn(&mut self, code: &'static str, message: String, span: Span, hint: &str) {
        self.diagnostics.push(Diagnostic::warning(Code(code), message).at(span).hint(hint));
    }

    /// The line with `<!-- .slide: … -->` and `<!-- .element: … -->` replaced.
    fn reveal_comments(&mut self, line: &Line<'_>) -> String {
        let mut out = String::new();
        let mut rest = line.text;
        while let Some(open) = rest.find("<!--") {
            let inner = &rest[open + 4..];
            let Some(end) = inner.find("-->") else { break };
            let at = line.span.start + line.text.len() - rest.len() + open;
            let span = Span::new(at, at + 4 + end + 3);
            out.push_str(&rest[..open]);
            let content = inner[..end].trim();
            if let Some(attributes) = content.strip_prefix(".slide:") {
                let replaced = self.slide_attributes(attributes, span);
                out.push_str(&replaced);
            } else if content.starts_with(".element:") {
                let message = format!("`{content}` has no equal in Marp and is left out");
                self.warn("reveal/element-attribute", message, span, "use a list with `*` for items shown one by one");
            } else {
                out.push_str(&rest[open..open + 4 + end + 3]);
            }
            rest = &inner[end + 3..];
        }
        out.push_str(rest);
        out
    }

    fn slide_attributes(&mut self, attributes: &str, span: Span) -> String {
        let mut out = String::new();
        for (name, value) in html_attributes(attributes) {
            match name.as_str() {
                "class" => out.push_str(&format!("<!-- _class: {value} -->")),
                "data-background-color" => out.push_str(&format!("<!-- _backgroundColor: \"{value}\" -->")),
                "data-background" if !value.contains(['/', '.']) => {
                    out.push_str(&format!("<!-- _backgroundColor: \"{value}\" -->"));
                }
                "data-background" | "data-background-image" => out.push_str(&format!("![bg](<{value}>)")),
                "data-transition" => out.push_str(&format!("<!-- _transition: {value} -->")),
                _ => {
                    let message = format!("the slide attribute `{name}` has no equal in Marp and is left out");
                    self.warn("reveal/slide-attribute", message, span, "say it with a class and a theme instead");
                }
            }
        }
        out
    }

    /// The line with misspelt attributes of pictures mended, and a picture of its own as a Markdown one.
    fn images(&mut self, line: &Line<'_>, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut ticks = 0;
        while let Some(open) = find_image(rest) {
            let Some(end) = rest[open..].find('>').map(|end| open + end + 1) else { break };
            let before = &rest[..open];
            ticks += before.matches('`').count();
            out.push_str(before);
            let alone = out.trim().is_empty() && rest[end..].trim().is_empty();
            let tag = &rest[open..end];
            rest = &rest[end..];
            if ticks % 2 == 1 {
                // In a code span it is text.
                out.push_str(tag);
                continue;
            }
            let attributes = self.mended(line, tag);
            match markdown_image(&attributes) {
                Some(image) if alone => out.push_str(&image),
                _ => out.push_str(&html_image(&attributes)),
            }
        }
        out.push_str(rest);
        out
    }

    /// The attributes of a picture, spelt right.
    fn mended(&mut self, line: &Line<'_>, tag: &str) -> Vec<(String, String)> {
        let inner = tag.get(IMAGE.len()..).unwrap_or("").trim_end_matches('>').trim_end_matches('/');
        let mut attributes = html_attributes(inner);
        for (name, _) in &mut attributes {
            let mended = match name.as_str() {
                "heigth" | "hight" | "heigh" | "hieght" => "height",
                "widht" | "witdh" | "widh" | "wdith" => "width",
                _ => continue,
            };
            let message = format!("`{name}` is read as `{mended}`");
            self.warn("reveal/misspelt-attribute", message, line.span, "mend the spelling in the deck");
            mended.clone_into(name);
        }
        attributes
    }
}

/// How a picture starts.
const IMAGE: &str = "<img ";

/// Where a picture starts.
fn find_image(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let starts = |at: &usize| bytes[*at..].get(..IMAGE.len()).is_some_and(|b| b.eq_ignore_ascii_case(IMAGE.as_bytes()));
    (0..bytes.len()).filter(|at| bytes[*at] == b'<').find(starts)
}

/// What follows `Note:` or `Notes:` at the start of a line.
fn note_start(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let colon = line.find(':')?;
    let word = &line[..colon];
    (word.eq_ignore_ascii_case("note") || word.eq_ignore_ascii_case("notes")).then(|| line[colon + 1..].trim())
}

fn is_ruler(line: &str) -> bool {
    let marks: Vec<char> = line.chars().filter(|c| !c.is_whitespace()).collect();
    marks.len() >= 3 && matches!(marks[0], '-' | '*' | '_') && marks.iter().all(|c| *c == marks[0])
}

/// `name="value"` pairs; a name alone has an empty value.
fn html_attributes(text: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let body = quote.map_or(after, |_| &after[1..]);
            let end = body.find(|c: char| quote.map_or(c.is_whitespace(), |quote| c == quote)).unwrap_or(body.len());
            value = &body[..end];
            rest = body[end..].strip_prefix(['"', '\'']).unwrap_or(&body[end..]);
        }
        rest = rest.trim_start();
        if !name.is_empty() {
            attributes.push((name, value.to_owned()));
        }
    }
    attributes
}

/// A picture in Markdown; `None` when it says something that Markdown cannot.
fn markdown_image(attributes: &[(String, String)]) -> Option<String> {
    let (mut words, mut src, mut title) = (Vec::new(), None, String::new());
    for (name, value) in attributes {
        match name.as_str() {
            "src" | "data-src" => src = Some(value),
            "alt" => words.push(value.replace(['[', ']'], "")),
            "title" if !value.contains('"') => title = format!(" \"{value}\""),
            "width" => words.push(format!("w:{}", length(value)?)),
            "height" => words.push(format!("h:{}", length(value)?)),
            // reveal's class for a picture without a frame: Marp's pictures have none.
            "class" if value == "plain" => {}
            _ => return None,
        }
    }
    let src = src?;
    let plain = !src.is_empty() && !src.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>'));
    plain.then(|| format!("![{}]({src}{title})", words.join(" ")))
}

/// A length that Marp's image keywords take.
fn length(value: &str) -> Option<&str> {
    let digits = value.trim_end_matches("px");
    (!digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())).then_some(value)
}

fn html_image(attributes: &[(String, String)]) -> String {
    let mut tag = String::from("<img");
    for (name, value) in attributes {
        let quoted = value.replace('"', "&quot;");
        tag.push_str(&format!(" {name}=\"{quoted}\""));
    }
    tag.push_str(" />");
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(text: &str) -> (String, Vec<String>) {
        let converted = to_marp(&SourceFile::new("deck.md", text));
        (converted.value.text, converted.diagnostics.into_iter().map(|d| d.message).collect())
    }

    #[test]
    fn three_newlines_are_the_next_slide_and_two_the_one_below() {
        let (text, findings) = convert("# A\n\n\n\n## B\n\ntext\n\n\n## C\n");
        assert_eq!(text, "# A\n\n---\n\n## B\n\ntext\n\n---\n\n## C\n");
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn code_and_comments_are_not_cut() {
        let code = "# A\n\n```sh\na\n\n\n\nb\n```\n\n<!--\nx\n\n\n\ny\n-->\n\n\n# B\n";
        assert_eq!(convert(code).0, code.replace("-->\n\n\n", "-->\n\n---\n\n"));
    }

    #[test]
    fn a_fence_closes_only_with_its_own_mark() {
        let text = "````md\n```\n\n\n\n```\n````\n\n\nb\n";
        assert_eq!(convert(text).0, text.replace("````\n\n\nb", "````\n\n---\n\nb"));
    }

    #[test]
    fn rulers_separate_when_newlines_do_not() {
        assert_eq!(convert("# A\n\n--\n\n# B\n\n---\n\n# C\n").0, "# A\n\n---\n\n# B\n\n---\n\n# C\n");
        assert_eq!(convert("# A\n\n\n# B\n\n---\n\nc\n").0, "# A\n\n---\n\n# B\n\n<hr />\n\nc\n");
    }

    #[test]
    fn notes_become_comments_that_cannot_end_early() {
        let (text, _) = convert("# A\n\nNote: one --> two\n\nthree\n\n\n# B\n\nNotes:\nfour\n");
        assert_eq!(text, "# A\n\n<!--\none --&gt; two\n\nthree\n-->\n\n---\n\n# B\n\n<!--\nfour\n-->\n");
    }

    #[test]
    fn pictures_are_mended_and_become_markdown_where_they_can() {
        let (text, findings) =
            convert("<img class=\"plain\" src=\"slides/a.png\" heigth=\"400px\">\n\nx <img src=b.png id=q> y\n");
        assert_eq!(text, "![h:400px](slides/a.png)\n\nx <img src=\"b.png\" id=\"q\" /> y\n");
        assert_eq!(findings, ["`heigth` is read as `height`"]);
    }

    #[test]
    fn pictures_in_code_and_many_on_a_line_are_no_trouble() {
        assert_eq!(convert("`<img src=a heigth=1>` x\n").0, "`<img src=a heigth=1>` x\n");
        let many = "<img src=a.png>".repeat(20_000);
        assert_eq!(convert(&many).0, format!("{}\n", "<img src=\"a.png\" />".repeat(20_000)));
        for broken in ["<img ", "<img src", "<img src=\"", "<img =>", "<!-- .slide:", "<!-- .slide: a=", "Note:"] {
            convert(broken);
        }
    }

    #[test]
    fn slide_attributes_become_directives() {
        let (text, findings) = convert(
            "<!-- .slide: class=\"big\" data-background=\"#000\" data-state='x' -->\n# A <!-- .element: class=\"fragment\" -->\n",
        );
        assert_eq!(text, "<!-- _class: big --><!-- _backgroundColor: \"#000\" -->\n# A \n");
        assert_eq!(
            findings,
            [
                "the slide attribute `data-state` has no equal in Marp and is left out",
                "`.element: class=\"fragment\"` has no equal in Marp and is left out",
            ]
        );
    }

    #[test]
    fn places_lead_back_to_the_original() {
        let original = "# A\n\n\n\n## B\n\nNote: hi\n";
        let converted = to_marp(&SourceFile::new("d.md", original)).value;
        let at = converted.text.find("## B").unwrap();
        assert_eq!(converted.original(Span::new(at + 3, at + 4)), Span::new(10, 11));
        assert_eq!(&original[10..11], "B");
        assert_eq!(converted.original(Span::new(0, 1)), Span::new(0, 1));
        assert_eq!(to_marp(&SourceFile::new("d.md", "")).value.original(Span::new(3, 9)), Span::new(0, 0));
    }
}
