//! How full slides are, reckoned from their text without a browser. Pure.
//!
//! Coarse on purpose: what it tells of is far too much, and slides whose height it cannot know are left alone.

use super::fit::{Projector, too_small};
use crate::deck::{Block, BlockKind, Deck, Image, Inline, Slide};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::theme::Size;

/// A slide counts as too full when it is reckoned so many times too high.
const FULL: f64 = 1.3;
/// Parts of a slide that is this deeply nested are not reckoned.
const DEEPEST: usize = 20;
/// The width of a letter, and of one of code, for the size of its type.
const LETTER: f64 = 0.47;
const CODE_LETTER: f64 = 0.6;
/// The size of code for that of text, and the height of its lines.
const CODE: f64 = 0.85;
const CODE_LINE: f64 = 1.4;

/// What a theme takes for text.
#[derive(Debug, Clone, Copy)]
struct Type {
    size: f64,
    line: f64,
    /// Room at both sides, above and below together.
    beside: f64,
    above: f64,
}

/// Sizes of the built-in themes; others are taken for `default`, of which most are made.
fn type_of(theme: &str) -> Type {
    match theme {
        "gaia" => Type { size: 35.0, line: 1.35, beside: 140.0, above: 140.0 },
        "uncover" => Type { size: 40.0, line: 1.4, beside: 140.0, above: 60.0 },
        "gitops" => Type { size: 30.0, line: 1.45, beside: 136.0, above: 124.0 },
        _ => Type { size: 29.0, line: 1.5, beside: 157.0, above: 157.0 },
    }
}

/// What is reckoned to be wrong with the slides of a deck.
pub(super) fn findings(deck: &Deck, theme: &str, size: Size, projector: Projector) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let restyled = !deck.styles.is_empty();
    for slide in &deck.slides {
        found.extend(contrast(slide));
        let special = slide.directives.class.is_some() || !slide.scoped_styles.is_empty();
        if restyled || special || !slide.panels.is_empty() || !slide.steps.is_empty() {
            continue;
        }
        let room = Room::of(slide, type_of(theme), size);
        let Some(page) = room.page(&slide.blocks) else { continue };
        let part = page.height / room.height;
        if part > FULL {
            let message = format!("this slide holds about {part:.1} times what fits on it (estimated)");
            let finding = Diagnostic::warning(Code("slide/overflow"), message).at(first_line(slide));
            found.push(finding.hint("split it; `foredeck check --projector 1920x1080` measures it in a browser"));
        }
        let smallest = projector.smallest(size);
        if let Some((code, span)) = page.smallest_code.filter(|(code, _)| *code < smallest * 0.8) {
            let shown = code / size.height * f64::from(projector.height);
            found.push(too_small(true, shown, projector, smallest).at(span));
        }
    }
    found
}

fn first_line(slide: &Slide) -> Span {
    slide.blocks.first().map_or(slide.span, |block| block.span)
}

/// The place for a slide's content.
struct Room {
    kind: Type,
    width: f64,
    height: f64,
}

/// How much a slide's content takes.
#[derive(Default)]
struct Page {
    height: f64,
    /// The smallest type of code, shrunk to fit, and where it stands.
    smallest_code: Option<(f64, Span)>,
}

impl Room {
    fn of(slide: &Slide, kind: Type, size: Size) -> Self {
        let split = slide.backgrounds.iter().filter_map(|image| image.background.as_ref());
        let beside = split.filter(|background| background.split.is_some()).map(|background| {
            let part = background.split_size.as_deref().and_then(|part| part.trim_end_matches('%').parse::<f64>().ok());
            part.unwrap_or(50.0) / 100.0
        });
        let left = 1.0 - beside.fold(0.0, f64::max).clamp(0.0, 0.9);
        Self {
            kind,
            width: (size.width * left - kind.beside).max(100.0),
            height: (size.height - kind.above).max(100.0),
        }
    }

    fn page(&self, blocks: &[Block]) -> Option<Page> {
        let mut page = Page::default();
        self.blocks(blocks, self.width, 0, &mut page)?;
        Some(page)
    }

    /// Adds the height of blocks; nothing when it cannot be known.
    fn blocks(&self, blocks: &[Block], width: f64, depth: usize, page: &mut Page) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        let Type { size, line, .. } = self.kind;
        for block in blocks {
            page.height += match &block.kind {
                BlockKind::Heading { level, content, .. } => {
                    let size = size * [1.6, 1.35, 1.15, 1.05, 1.0, 1.0][usize::from(level - 1).min(5)];
                    self.lines(content, size, width)? * size * 1.25 + size * 0.4
                }
                BlockKind::Paragraph(content) => self.lines(content, size, width)? * size * line + size * 0.4,
                BlockKind::Plain(content) => self.lines(content, size, width)? * size * line,
                BlockKind::Quote(inner) => {
                    self.blocks(inner, width - size * 1.5, depth + 1, page)?;
                    size * 0.4
                }
                BlockKind::List { items, .. } => {
                    for item in items {
                        self.blocks(&item.blocks, width - size * 1.5, depth + 1, page)?;
                    }
                    size * 0.3
                }
                BlockKind::Code { text, .. } => self.code(text, width, block.span, page),
                BlockKind::Table { rows, .. } => (1 + rows.len()) as f64 * size * (line + 0.3) + size * 0.4,
                BlockKind::Rule => size,
                BlockKind::Html(_) | BlockKind::Math(_) => return None,
            };
        }
        Some(())
    }

    /// Code shrinks until its longest line fits.
    fn code(&self, text: &str, width: f64, span: Span, page: &mut Page) -> f64 {
        let size = self.kind.size * CODE;
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        let needed = longest as f64 * size * CODE_LETTER;
        let shrunk = size * (width / needed.max(1.0)).min(1.0);
        if page.smallest_code.is_none_or(|(smallest, _)| shrunk < smallest) {
            page.smallest_code = Some((shrunk, span));
        }
        text.lines().count() as f64 * shrunk * CODE_LINE + size
    }

    /// How many lines text takes.
    fn lines(&self, content: &[Inline], size: f64, width: f64) -> Option<f64> {
        let mut lines = 0.0;
        let mut row = 0.0;
        let mut rest: Vec<&Inline> = content.iter().rev().collect();
        while let Some(inline) = rest.pop() {
            match inline {
                Inline::Text(text) | Inline::Code(text) => row += text.chars().count() as f64 * size * LETTER,
                Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strikethrough(inner) => {
                    rest.extend(inner.iter().rev());
                }
                Inline::Link { content, .. } => rest.extend(content.iter().rev()),
                Inline::Break => {
                    lines += (row / width).ceil().max(1.0);
                    row = 0.0;
                }
                Inline::Image(Image { height, .. }) => {
                    let height = height.as_deref()?.strip_suffix("px")?.parse::<f64>().ok()?;
                    lines += height / (size * self.kind.line);
                }
                Inline::Html(_) | Inline::Math(_) => return None,
            }
        }
        Some(lines + (row / width).ceil())
    }
}

/// Colours that a deck gives to text and to what is behind it, when they are too much alike.
fn contrast(slide: &Slide) -> Option<Diagnostic> {
    let (front, behind) = (slide.directives.color.as_deref()?, slide.directives.background_color.as_deref()?);
    let (a, b) = (luminance(colour(front)?), luminance(colour(behind)?));
    let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
    (ratio < 3.0).then(|| {
        let message = format!("`{front}` on `{behind}` has a contrast of {ratio:.1} to 1 and is hard to read");
        let finding = Diagnostic::warning(Code("slide/contrast"), message).at(first_line(slide));
        finding.hint("take a darker or lighter colour: large text needs 3 to 1, other text 4.5 to 1")
    })
}

/// Red, green and blue from 0 to 1 of a colour without transparency.
fn colour(text: &str) -> Option<[f64; 3]> {
    const NAMES: [(&str, u32); 18] = [
        ("aqua", 0x00_ffff),
        ("black", 0),
        ("blue", 0x00_00ff),
        ("fuchsia", 0xff_00ff),
        ("gray", 0x80_8080),
        ("green", 0x00_8000),
        ("grey", 0x80_8080),
        ("lime", 0x00_ff00),
        ("maroon", 0x80_0000),
        ("navy", 0x00_0080),
        ("olive", 0x80_8000),
        ("orange", 0xff_a500),
        ("purple", 0x80_0080),
        ("red", 0xff_0000),
        ("silver", 0xc0_c0c0),
        ("teal", 0x00_8080),
        ("white", 0xff_ffff),
        ("yellow", 0xff_ff00),
    ];
    let text = text.trim().to_ascii_lowercase();
    let number = match text.strip_prefix('#') {
        Some(digits) if digits.len() == 6 => u32::from_str_radix(digits, 16).ok()?,
        Some(digits) if digits.len() == 3 => {
            let doubled: String = digits.chars().flat_map(|digit| [digit, digit]).collect();
            u32::from_str_radix(&doubled, 16).ok()?
        }
        Some(_) => return None,
        None => NAMES.iter().find(|(name, _)| *name == text)?.1,
    };
    Some([16, 8, 0].map(|shift| f64::from((number >> shift) & 0xff) / 255.0))
}

fn luminance([red, green, blue]: [f64; 3]) -> f64 {
    let linear = |part: f64| if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deck::{Options, parse};
    use crate::diagnostic::SourceFile;

    const SIZE: Size = Size { width: 1280.0, height: 720.0 };

    fn told(text: &str) -> Vec<String> {
        let source = SourceFile::new("a.md", text);
        let deck = parse(&source, &Options::default()).value;
        let found = findings(&deck, "default", SIZE, Projector::USUAL);
        let lines = found.iter().map(|found| {
            let line = source.line_column(found.span.unwrap().start).line;
            format!("{line} {} {}", found.code, found.message)
        });
        lines.collect()
    }

    #[test]
    fn only_what_is_far_too_much_is_told() {
        let list = |items: usize| format!("# A\n\n{}", "- one short item\n".repeat(items));
        assert_eq!(told(&list(12)), [""; 0]);
        assert_eq!(told(&list(30)), ["1 slide/overflow this slide holds about 2.5 times what fits on it (estimated)"]);
        let many = format!("# A\n\n{}", "A long sentence that goes on and on and on and on. ".repeat(60));
        assert_eq!(told(&many).len(), 1);
        for unknown in ["<div>x</div>\n\n", "![](a.png)\n\n", "<!-- _class: columns -->\n\n", "$$x$$\n\n"] {
            assert_eq!(told(&format!("{unknown}{}", list(30))), [""; 0], "{unknown}");
        }
    }

    #[test]
    fn code_that_shrinks_too_far_is_told() {
        let code = |width: usize| format!("# A\n\n```sh\n{}\n```\n", "x".repeat(width));
        assert_eq!(told(&code(80)), [""; 0]);
        assert_eq!(
            told(&code(300)),
            ["3 slide/small-text code on this slide is 9 pixels high on a projector of 1920x1080"]
        );
    }

    #[test]
    fn colours_that_are_alike_are_told() {
        let deck =
            |front: &str, behind: &str| format!("---\ncolor: \"{front}\"\nbackgroundColor: \"{behind}\"\n---\n# A\n");
        assert_eq!(told(&deck("white", "#000")), [""; 0]);
        assert_eq!(told(&deck("var(--x)", "#000")), [""; 0]);
        assert_eq!(
            told(&deck("#777", "gray")),
            ["5 slide/contrast `#777` on `gray` has a contrast of 1.1 to 1 and is hard to read"]
        );
    }
}
