//! What was measured of slides → findings about what does not fit, is too small to read, or hard to tell apart. Pure.

use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::export::measure::{Cut, Measured, Piece};
use crate::theme::Size;

/// So many pixels may reach over an edge: borders, shadows and roundings do.
const TOLERANCE: f64 = 2.0;
/// Type smaller than this part of the picture's height cannot be read from the last row.
const SMALLEST_PART: f64 = 0.02;
/// Type smaller than this, in the projector's own pixels, is blurred.
const SMALLEST: f64 = 11.0;
/// The least contrast of text, and of large text.
const CONTRAST: (f64, f64) = (4.5, 3.0);

/// The pixels of a projector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Projector {
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Projector {
    /// What most rooms have.
    pub(super) const USUAL: Self = Self { width: 1920, height: 1080 };

    /// `1024x768`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once(['x', 'X', '×']);
        let number = |part: &str| part.trim().parse::<u32>().ok().filter(|number| (100..=20_000).contains(number));
        let size = parts.and_then(|(width, height)| Some(Self { width: number(width)?, height: number(height)? }));
        size.ok_or_else(|| "a projector's size is two numbers of pixels, as `1920x1080`".to_owned())
    }

    /// Its pixels for one of a slide's.
    fn scale(self, size: Size) -> f64 {
        (f64::from(self.width) / size.width).min(f64::from(self.height) / size.height)
    }

    /// The smallest type that can be read, in a slide's pixels.
    pub(super) fn smallest(self, size: Size) -> f64 {
        (f64::from(self.height) * SMALLEST_PART).max(SMALLEST) / self.scale(size)
    }
}

impl std::fmt::Display for Projector {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}x{}", self.width, self.height)
    }
}

/// The findings about one slide; `slide` is its place in the source.
pub(super) fn findings(
    measured: &Measured,
    source: &SourceFile,
    slide: Span,
    size: Size,
    projector: Projector,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let at = |text: &str| place(source, slide, text);
    found.extend(overflow(measured).map(|finding| finding.at(at(""))));
    found.extend(measured.cut.iter().filter_map(|cut| Some(cut_off(cut)?.at(at(&cut.text)))));
    let smallest = projector.smallest(size);
    let small = measured.texts.iter().filter(|piece| piece.size < smallest);
    if let Some(piece) = small.min_by(|a, b| a.size.total_cmp(&b.size)) {
        let shown = piece.size * projector.scale(size);
        found.push(too_small(piece.code, shown, projector, smallest).at(at(&piece.text)));
    }
    found.extend(pale(&measured.texts).map(|(piece, ratio)| faint(piece, ratio).at(at(&piece.text))));
    found
}

fn overflow(measured: &Measured) -> Option<Diagnostic> {
    let Measured { across, down, .. } = measured;
    let edge = match (*across > TOLERANCE, *down > TOLERANCE) {
        (false, false) => return None,
        (true, false) => format!("{} pixels over its right edge", across.round()),
        (false, true) => format!("{} pixels over its lower edge", down.round()),
        (true, true) => {
            format!("{} pixels over its lower and {} over its right edge", down.round(), across.round())
        }
    };
    let message = format!("the slide's content reaches {edge}");
    let finding = Diagnostic::warning(Code("slide/overflow"), message);
    Some(finding.hint("take something away, split the slide, or give it a class with smaller type"))
}

fn cut_off(cut: &Cut) -> Option<Diagnostic> {
    let part = match (cut.across > TOLERANCE, cut.down > TOLERANCE) {
        (false, false) => return None,
        (true, _) => format!("{} pixels at the side", cut.across.round()),
        (false, true) => format!("{} pixels below", cut.down.round()),
    };
    let what = if matches!(cut.name.as_str(), "pre" | "code") { "code" } else { "block" };
    let message = format!("this {what} is cut off: {part} cannot be seen");
    Some(Diagnostic::warning(Code("slide/overflow"), message).hint("shorten its lines, or show fewer of them"))
}

/// The finding about type that is too small.
pub(super) fn too_small(code: bool, shown: f64, projector: Projector, smallest: f64) -> Diagnostic {
    let what = if code { "code" } else { "text" };
    let message = format!("{what} on this slide is {shown:.0} pixels high on a projector of {projector}");
    let finding = Diagnostic::warning(Code("slide/small-text"), message);
    finding.hint(format!("type of at least {smallest:.0} pixels on the slide can be read from the last row"))
}

/// The text that stands out least, when that is too little.
fn pale(texts: &[Piece]) -> Option<(&Piece, f64)> {
    let faint = texts.iter().filter_map(|piece| {
        let least = if piece.large { CONTRAST.1 } else { CONTRAST.0 };
        // What is rounded to the limit is at it.
        piece.ratio.filter(|ratio| ratio + 0.05 < least).map(|ratio| (piece, ratio))
    });
    faint.min_by(|(_, a), (_, b)| a.total_cmp(b))
}

fn faint(piece: &Piece, ratio: f64) -> Diagnostic {
    let message = format!("{} on {} has a contrast of {ratio:.1} to 1 and is hard to read", piece.front, piece.behind);
    let least = if piece.large { CONTRAST.1 } else { CONTRAST.0 };
    Diagnostic::warning(Code("slide/contrast"), message)
        .hint(format!("take a darker or lighter colour: text of this size needs {least} to 1"))
}

/// Where a text stands on a slide, else the slide's first line with something on it.
fn place(source: &SourceFile, slide: Span, text: &str) -> Span {
    let written = source.text().get(slide.start..slide.end).unwrap_or("");
    let whole = (!text.is_empty()).then(|| written.find(text).map(|at| (at, text.len()))).flatten();
    let words = || {
        let word = text.split(' ').find(|word| word.chars().count() > 3)?;
        written.find(word).map(|at| (at, word.len()))
    };
    if let Some((at, length)) = whole.or_else(words) {
        return Span::new(slide.start + at, slide.start + at + length);
    }
    let first = written.len() - written.trim_start().len();
    let length = written.trim_start().lines().next().unwrap_or("").trim_end().len();
    Span::new(slide.start + first, slide.start + first + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str, size: f64, ratio: Option<f64>) -> Piece {
        let (front, behind) = ("#777777".to_owned(), "#888888".to_owned());
        Piece { text: text.to_owned(), size, code: false, ratio, large: size >= 24.0, front, behind }
    }

    const SIZE: Size = Size { width: 1280.0, height: 720.0 };

    fn told(measured: &Measured, projector: Projector) -> Vec<String> {
        let source = SourceFile::new("a.md", "# One\n\n---\n\n# Two\n\nsmall words\n");
        let found = findings(measured, &source, Span::new(11, 31), SIZE, projector);
        let lines = found.iter().map(|found| {
            let place = source.line_column(found.span.unwrap().start);
            format!("{}:{} {} {}", place.line, place.column, found.code, found.message)
        });
        lines.collect()
    }

    #[test]
    fn what_fits_and_can_be_read_is_left_alone() {
        let texts = vec![piece("Two", 40.0, Some(3.0)), piece("small words", 15.0, Some(4.46))];
        let fine = Measured { across: 1.0, down: 2.0, cut: Vec::new(), texts };
        assert_eq!(told(&fine, Projector::USUAL), [""; 0]);
    }

    #[test]
    fn the_worst_of_a_slide_is_told_with_its_place() {
        let cut = Cut { name: "pre".to_owned(), text: "x".to_owned(), across: 12.0, down: 0.0 };
        let texts = vec![piece("small words", 9.0, Some(2.0)), piece("Two", 10.0, Some(2.9))];
        let wrong = Measured { across: 0.0, down: 33.4, cut: vec![cut], texts };
        let expected = [
            "5:1 slide/overflow the slide's content reaches 33 pixels over its lower edge",
            "5:1 slide/overflow this code is cut off: 12 pixels at the side cannot be seen",
            "7:1 slide/small-text text on this slide is 14 pixels high on a projector of 1920x1080",
            "7:1 slide/contrast #777777 on #888888 has a contrast of 2.0 to 1 and is hard to read",
        ];
        assert_eq!(told(&wrong, Projector::USUAL), expected);
    }

    #[test]
    fn the_projector_decides_what_is_too_small() {
        let square = Projector::parse("1024x768").unwrap();
        assert_eq!(square.smallest(SIZE).round(), 19.0);
        assert_eq!(Projector::USUAL.smallest(SIZE).round(), 14.0);
        assert_eq!(Projector::parse("640x360").unwrap().smallest(SIZE), 22.0);
        for bad in ["", "1024", "1024x", "x768", "0x0", "1024x99999", "-1024x768"] {
            assert!(Projector::parse(bad).is_err(), "{bad}");
        }
    }
}
