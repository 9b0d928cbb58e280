//! Formulas are taken out before Markdown is parsed: they bind tighter than code, emphasis and escapes.
//!
//! Every formula is replaced by a placeholder of private characters (in a line) or by a comment
//! (a block), so that the Markdown parser cannot look inside.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::Compatibility;
use super::markdown::parser_options;

/// A text without its formulas.
#[derive(Debug, Default)]
pub(super) struct Extracted {
    /// The text with placeholders; `None` when there is no formula in it.
    pub(super) text: Option<String>,
    /// TeX of the formulas, in order.
    pub(super) formulas: Vec<String>,
    /// (offset in `text`, offset in the original) after every replacement.
    offsets: Vec<(usize, usize)>,
    mark: char,
}

/// Opens and closes a placeholder: punctuation, so that emphasis next to a formula works as next to `$`.
const OPEN: char = '\u{27c5}';
const CLOSE: char = '\u{27c6}';

impl Extracted {
    /// The offset in the original text.
    pub(super) fn original(&self, offset: usize) -> usize {
        match self.offsets.partition_point(|(at, _)| *at <= offset) {
            0 => offset,
            i => {
                let (at, original) = self.offsets[i - 1];
                original + (offset - at)
            }
        }
    }

    /// The block formula that an HTML block stands for.
    pub(super) fn block(&self, html: &str) -> Option<&str> {
        let inner = html.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
        self.formula(inner)
    }

    fn formula(&self, text: &str) -> Option<&str> {
        let number = text.strip_prefix(self.mark)?.trim_end_matches('|');
        self.formulas.get(number.parse::<usize>().ok()?).map(String::as_str)
    }

    /// Splits text at placeholders: `Ok` is text, `Err` is TeX.
    pub(super) fn split<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Result<&'a str, &'a str>> {
        let mut rest = text;
        let mut pending = None;
        std::iter::from_fn(move || {
            if let Some(tex) = pending.take() {
                return Some(Err(tex));
            }
            if rest.is_empty() {
                return None;
            }
            let mut from = 0;
            while let Some(at) = rest[from..].find(OPEN).map(|i| from + i) {
                let inside = &rest[at + OPEN.len_utf8()..];
                if let Some(end) = inside.find(CLOSE)
                    && let Some(tex) = self.formula(&inside[..end])
                {
                    let before = &rest[..at];
                    rest = &inside[end + CLOSE.len_utf8()..];
                    if before.is_empty() {
                        return Some(Err(tex));
                    }
                    pending = Some(tex);
                    return Some(Ok(before));
                }
                from = at + OPEN.len_utf8();
            }
            Some(Ok(std::mem::take(&mut rest)))
        })
    }

    /// The text with formulas written out again, for places where formulas are not wanted.
    pub(super) fn restore(&self, text: &str) -> String {
        self.split(text)
            .map(|part| match part {
                Ok(text) => text.to_owned(),
                Err(tex) => format!("${tex}$"),
            })
            .collect()
    }
}

/// Takes the formulas out of `source`.
pub(super) fn extract(source: &str, compatibility: Compatibility) -> Extracted {
    let mark = ('\u{e0f0}'..='\u{e0ff}').find(|c| !source.contains(*c));
    let (Some(mark), true) = (mark, source.contains('$')) else { return Extracted::default() };
    let mut out = Extracted { mark, ..Extracted::default() };
    let mut text = String::with_capacity(source.len());
    let mut done = 0;
    for leaf in leaves(source) {
        if leaf.end <= done {
            continue;
        }
        for found in formulas_in(source, leaf.start.max(done)..leaf.end, compatibility) {
            text.push_str(&source[done..found.range.start]);
            let number = out.formulas.len();
            if found.block {
                text.push_str(&format!("<!--{mark}{number}-->"));
            } else {
                // a table row has as many cells as before
                let pipes = "|".repeat(found.tex.matches('|').count() - found.tex.matches("\\|").count());
                text.push_str(&format!("{OPEN}{mark}{number}{pipes}{CLOSE}"));
            }
            out.offsets.push((text.len(), found.range.end));
            out.formulas.push(found.tex);
            done = found.range.end;
        }
    }
    if !out.formulas.is_empty() {
        text.push_str(&source[done..]);
        out.text = Some(text);
    }
    out
}

/// Byte ranges of inline content: paragraphs, headings, cells, tight items; never code or HTML.
fn leaves(source: &str) -> Vec<Range<usize>> {
    let mut leaves: Vec<Range<usize>> = Vec::new();
    let mut place = Place::Between;
    for (event, range) in Parser::new_ext(source, parser_options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::TableCell) => {
                leaves.push(range);
                place = Place::Leaf;
            }
            Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock) => place = Place::Leaf,
            Event::Start(Tag::Item | Tag::BlockQuote(_) | Tag::List(_) | Tag::Table(_)) => place = Place::Between,
            Event::End(tag) if !is_inline_end(tag) => place = Place::Between,
            Event::Rule => place = Place::Between,
            _ => match (&place, leaves.last_mut()) {
                (Place::Leaf, _) => {}
                // text that stands directly in a tight item, event by event
                (Place::Tight, Some(last)) => last.end = last.end.max(range.end),
                _ => {
                    leaves.push(range);
                    place = Place::Tight;
                }
            },
        }
    }
    leaves
}

/// Where the walk over events is.
enum Place {
    Between,
    /// In a block that was taken whole, or must not be looked into.
    Leaf,
    /// In text without a block of its own.
    Tight,
}

fn is_inline_end(tag: TagEnd) -> bool {
    matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
}

struct Formula {
    range: Range<usize>,
    tex: String,
    block: bool,
}

fn formulas_in(source: &str, leaf: Range<usize>, compatibility: Compatibility) -> Vec<Formula> {
    let mut found = Vec::new();
    let mut at = leaf.start;
    let mut line_start = true;
    while at < leaf.end {
        let rest = &source[at..leaf.end];
        if line_start {
            line_start = false;
            let content = rest.trim_start_matches([' ', '\t', '>']);
            if content.starts_with("$$") {
                let start = at + rest.len() - content.len();
                if let Some((end, tex)) = block(source, start, compatibility) {
                    found.push(Formula { range: start..end, tex, block: true });
                    at = end;
                    line_start = source[..end].ends_with('\n');
                    continue;
                }
            }
        }
        let Some(c) = rest.chars().next() else { break };
        let step = match c {
            '\n' => {
                line_start = true;
                1
            }
            '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            '`' => code_span(rest),
            '<' => markup(rest),
            ']' if rest.starts_with("](") => 2 + destination(&rest[2..]),
            '$' => match inline(rest) {
                Some((length, tex)) => {
                    found.push(Formula { range: at..at + length, tex: tex.to_owned(), block: false });
                    length
                }
                None => 1 + usize::from(rest.starts_with("$$")),
            },
            c => c.len_utf8(),
        };
        at += step;
    }
    found
}

fn code_span(rest: &str) -> usize {
    let ticks = rest.bytes().take_while(|b| *b == b'`').count();
    let mut from = ticks;
    while let Some(offset) = rest[from..].find('`') {
        let at = from + offset;
        let run = rest[at..].bytes().take_while(|b| *b == b'`').count();
        if run == ticks {
            return at + run;
        }
        from = at + run;
    }
    ticks
}

/// Length of a tag, comment or autolink; 1 when `<` is just a character.
fn markup(rest: &str) -> usize {
    if let Some(inner) = rest.strip_prefix("<!--") {
        return inner.find("-->").map_or(1, |end| end + 7);
    }
    let is_tag = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    match rest.find('>') {
        Some(end) if is_tag => end + 1,
        _ => 1,
    }
}

/// Length of a link destination with its title and closing parenthesis.
fn destination(rest: &str) -> usize {
    let mut depth = 0;
    for (i, c) in rest.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return i + 1,
            ')' => depth -= 1,
            '\n' => return 0,
            _ => {}
        }
    }
    0
}

/// `$…$` at the start of `rest`: its length and TeX.
fn inline(rest: &str) -> Option<(usize, &str)> {
    let inner = &rest[1..];
    if inner.starts_with([' ', '\t', '\n', '$']) || inner.is_empty() {
        return None;
    }
    let mut from = 0;
    let close = loop {
        let at = from + inner[from..].find('$')?;
        let escapes = inner[..at].bytes().rev().take_while(|b| *b == b'\\').count();
        if escapes % 2 == 0 {
            break at;
        }
        from = at + 1;
    };
    let tex = &inner[..close];
    let next = inner[close + 1..].chars().next();
    if tex.is_empty() || tex.ends_with([' ', '\t']) || next.is_some_and(|c| c.is_ascii_digit()) {
        return None;
    }
    Some((close + 2, tex))
}

/// A `$$` block starting at `start`: where it ends (after its last line) and its TeX.
fn block(source: &str, start: usize, compatibility: Compatibility) -> Option<(usize, String)> {
    let line_start = source[..start].rfind('\n').map_or(0, |i| i + 1);
    let container = Container::of(&source[line_start..start]);
    let mut lines = source[start + 2..].split_inclusive('\n');
    let first_line = lines.next().unwrap_or("");
    let mut end = start + 2 + first_line.len();
    let first = first_line.trim_end_matches(['\n', '\r']);
    let with_break = |text: &str| if text.trim().is_empty() { String::new() } else { format!("{text}\n") };
    if let Some(tex) = first.trim().strip_suffix("$$") {
        return Some((trim_break(source, end), with_break(tex)));
    }
    if compatibility == Compatibility::KeepText && first.contains("$$") {
        return None;
    }
    let mut tex = with_break(first);
    for line in lines {
        let Some(content) = container.strip(line) else { break };
        end += line.len();
        let bare = content.trim_end_matches(['\n', '\r']);
        if let Some(last) = bare.trim().strip_suffix("$$") {
            if !last.trim().is_empty() {
                tex.push_str(last);
            }
            return Some((trim_break(source, end), tex));
        }
        tex.push_str(content);
    }
    (compatibility == Compatibility::Strict).then_some((end, tex))
}

/// The line break stays outside the formula.
fn trim_break(source: &str, end: usize) -> usize {
    let line = &source[..end];
    end - (line.len() - line.trim_end_matches(['\n', '\r']).len())
}

/// Quotes and items around a formula, read off the start of its first line.
struct Container {
    quotes: usize,
    indent: usize,
}

impl Container {
    fn of(prefix: &str) -> Self {
        let quotes = prefix.matches('>').count();
        let after = prefix.rsplit('>').next().unwrap_or(prefix);
        let is_item = after.trim().ends_with(['-', '*', '+', '.', ')']);
        let spaces = after.len() - after.trim_start().len();
        Self { quotes, indent: if is_item || spaces > 3 { after.chars().count() } else { 0 } }
    }

    /// The line's content inside the container; `None` when it is outside.
    fn strip<'a>(&self, line: &'a str) -> Option<&'a str> {
        let mut rest = line;
        for _ in 0..self.quotes {
            rest = rest.trim_start_matches(' ').strip_prefix('>')?;
            rest = rest.strip_prefix(' ').unwrap_or(rest);
        }
        let spaces = rest.bytes().take_while(|b| *b == b' ').count();
        if spaces < self.indent && !rest.trim().is_empty() {
            return None;
        }
        Some(&rest[spaces.min(self.indent)..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formulas(source: &str) -> Vec<String> {
        extract(source, Compatibility::KeepText).formulas
    }

    #[test]
    fn inline_rules() {
        for (source, expected) in [
            ("from $5 to $10", vec![]),
            ("$x$5", vec![]),
            ("costs $x$5 and $y$", vec!["y"]),
            ("$x $y$", vec!["y"]),
            ("$a$$b$", vec!["a", "b"]),
            ("*$b*$", vec!["b*"]),
            ("$`a`$ and `$c$`", vec!["`a`"]),
            ("\\$a$", vec![]),
            ("text $$a$$ more", vec![]),
            ("$a\nb$", vec!["a\nb"]),
            ("$a\n\nb$", vec![]),
            ("- $a$\n- $b$", vec!["a", "b"]),
            ("- a $x \\in \\{b\\}$ c $d$", vec!["x \\in \\{b\\}", "d"]),
            ("| $a$ | b |\n|---|---|\n| $c$ | d |", vec!["a", "c"]),
            ("```\n$a$\n```", vec![]),
        ] {
            assert_eq!(formulas(source), expected, "{source}");
        }
    }

    #[test]
    fn blocks() {
        for (source, expected) in [
            ("$$ a $$", vec!["a \n"]),
            ("$$\na\n\nb\n$$", vec!["a\n\nb\n"]),
            ("$$a\nb$$", vec!["a\nb"]),
            ("para\n$$\na\n$$\nafter", vec!["a\n"]),
            ("> $$\n> a\n> $$", vec!["a\n"]),
            ("- $$\n  a\n  $$\n- b", vec!["a\n"]),
            ("    $$a$$", vec![]),
            ("$$$$", vec![""]),
        ] {
            assert_eq!(formulas(source), expected, "{source}");
        }
    }

    #[test]
    fn unclosed_blocks_swallow_only_when_strict() {
        let source = "$$a$$ tail\n\nmore";
        assert_eq!(formulas(source), Vec::<String>::new());
        assert_eq!(extract(source, Compatibility::Strict).formulas, ["a$$ tail\n\nmore"]);
    }

    #[test]
    fn offsets_map_back() {
        let source = "a $x$ b $$ c";
        let extracted = extract(source, Compatibility::KeepText);
        let text = extracted.text.as_deref().expect("a formula");
        let at = text.find(" b ").expect("kept");
        assert_eq!(extracted.original(at), source.find(" b ").expect("there"));
    }
}
