//! Texts that a page gave away → paragraphs and runs as a PowerPoint file has them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::link::Target;
use super::{Frame, clean, whole};

/// So many texts of a slide, paragraphs of a text and runs of a paragraph are taken.
const MOST: usize = 1000;
/// Hundredths of a point for a CSS pixel.
const SIZE: f64 = 75.0;
/// Other programs have other fonts: a text may become this much wider before it wraps anew.
const ROOM: f64 = 1.06;

/// A text of the slide.
#[derive(Debug, Deserialize)]
pub(super) struct Text {
    heading: bool,
    x: f64,
    width: f64,
    paragraphs: Vec<Paragraph>,
}

#[derive(Debug, Deserialize)]
struct Paragraph {
    level: u8,
    bullet: Option<Bullet>,
    runs: Vec<Run>,
    line: f64,
    align: String,
    left: f64,
    top: f64,
    bottom: f64,
}

#[derive(Debug, Deserialize)]
struct Bullet {
    char: Option<String>,
    scheme: Option<String>,
    number: Option<i64>,
    colour: Colour,
}

#[derive(Debug, Deserialize)]
struct Colour {
    rgb: String,
    alpha: f64,
}

#[derive(Debug, Deserialize)]
struct Run {
    text: String,
    font: String,
    size: f64,
    bold: bool,
    italic: bool,
    underline: bool,
    strike: bool,
    spacing: f64,
    colour: Colour,
    behind: Option<String>,
    slide: Option<u64>,
    href: Option<String>,
}

/// The texts that a page told of; those that make no sense are left out.
pub(super) fn texts(told: &Value) -> Vec<Text> {
    let list = told.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = list.iter().filter_map(|text| Text::deserialize(text).ok());
    texts.filter(|text| !text.paragraphs.is_empty()).take(MOST).collect()
}

/// For the template: the shapes of texts. `link` gives the relationship of a link's target.
pub(super) fn shapes(texts: &[Text], frame: Frame, link: &mut dyn FnMut(Target) -> String) -> Vec<Value> {
    let mut titled = false;
    let mut shapes = Vec::new();
    for text in texts {
        let title = text.heading && !titled;
        titled |= title;
        shapes.push(shape(text, title, frame, link));
    }
    shapes
}

fn shape(text: &Text, title: bool, frame: Frame, link: &mut dyn FnMut(Target) -> String) -> Value {
    let length = |pixels: f64| whole(pixels.max(0.0) * frame.unit);
    let half = |paragraph: &Paragraph| (paragraph.line - glyphs(paragraph)).max(0.0) / 2.0;
    let top = text.paragraphs.first().map_or(0.0, |first| first.top - half(first));
    let bottom = text.paragraphs.last().map_or(0.0, |last| last.bottom + half(last));
    let align = text.paragraphs.first().map_or("l", |first| alignment(&first.align));
    // The room is where the text grows to.
    let more = text.width * (ROOM - 1.0);
    let x = match align {
        "ctr" => text.x - more / 2.0,
        "r" => text.x - more,
        _ => text.x,
    };
    let mut before: Option<&Paragraph> = None;
    let mut paragraphs = Vec::new();
    for paragraph in text.paragraphs.iter().take(MOST) {
        let gap = before.map_or(0.0, |before| paragraph.top - half(paragraph) - before.bottom - half(before));
        before = Some(paragraph);
        let margin = if paragraph.bullet.is_some() { (paragraph.left - text.x).max(0.0) } else { 0.0 };
        let size = paragraph.runs.first().map_or(16.0, |run| run.size);
        let numbered = paragraph.bullet.as_ref().is_some_and(|bullet| bullet.scheme.is_some());
        let hanging = margin.min(size * if numbered { 1.5 } else { 1.1 });
        let runs: Vec<Value> = paragraph.runs.iter().take(MOST).flat_map(|run| parts(run, link)).collect();
        paragraphs.push(json!({
            "align": alignment(&paragraph.align),
            "level": paragraph.level.min(8),
            "margin": length(margin),
            "indent": length(hanging),
            "line": whole((paragraph.line * SIZE).clamp(0.0, 158_400.0)),
            "before": whole((gap * SIZE).clamp(0.0, 158_400.0)),
            "bullet": paragraph.bullet.as_ref().map(bullet),
            "runs": runs,
        }));
    }
    json!({
        "title": title,
        "x": length(x), "y": length(top),
        "width": length(text.width + more), "height": length(bottom - top),
        "paragraphs": paragraphs,
    })
}

/// How high the first line's letters stand, as the page measured a line of them.
fn glyphs(paragraph: &Paragraph) -> f64 {
    let lines = ((paragraph.bottom - paragraph.top) / paragraph.line.max(1.0)).round().max(1.0);
    paragraph.bottom - paragraph.top - (lines - 1.0) * paragraph.line
}

fn alignment(css: &str) -> &'static str {
    match css {
        "center" | "-webkit-center" => "ctr",
        "right" | "end" | "-webkit-right" => "r",
        "justify" => "just",
        _ => "l",
    }
}

fn bullet(bullet: &Bullet) -> Value {
    let schemes = ["arabicPeriod", "alphaLcPeriod", "alphaUcPeriod", "romanLcPeriod", "romanUcPeriod"];
    let scheme = bullet.scheme.as_deref().filter(|scheme| schemes.contains(scheme));
    json!({
        "scheme": scheme,
        "start": bullet.number.map(|number| number.clamp(1, 32_767)),
        "char": bullet.char.as_deref().map(clean).filter(|char| !char.is_empty()),
        "colour": hex(&bullet.colour.rgb),
    })
}

/// A run for the template, in parts: line breaks are parts of their own.
fn parts(run: &Run, link: &mut dyn FnMut(Target) -> String) -> Vec<Value> {
    let target = match (run.slide, &run.href) {
        (Some(slide), _) => Some(Target::Slide(slide)),
        (None, Some(href)) => Some(Target::Address(href.clone())),
        (None, None) => None,
    };
    let inside = matches!(target, Some(Target::Slide(_)));
    let relationship = target.map(link).filter(|relationship| !relationship.is_empty());
    let look = json!({
        "size": whole((run.size * SIZE).clamp(100.0, 400_000.0)),
        "bold": run.bold, "italic": run.italic, "underline": run.underline, "strike": run.strike,
        "spacing": spacing(run.spacing),
        "font": font(&run.font),
        "colour": hex(&run.colour.rgb),
        "alpha": whole((run.colour.alpha * 100_000.0).clamp(0.0, 100_000.0)),
        "behind": run.behind.as_deref().map(hex),
        "link": relationship, "inside": inside,
    });
    let mut out = Vec::new();
    for (index, line) in clean(&run.text).split('\n').enumerate() {
        for (text, wanted) in [("\n", index > 0), (line, !line.is_empty())] {
            if wanted {
                let mut part = look.clone();
                part["text"] = text.into();
                part["break"] = (text == "\n").into();
                out.push(part);
            }
        }
    }
    out
}

/// In hundredths of a point.
#[expect(clippy::cast_possible_truncation, reason = "`as` keeps within the type's bounds")]
fn spacing(pixels: f64) -> i64 {
    (pixels * SIZE).clamp(-4000.0, 4000.0).round() as i64
}

fn hex(rgb: &str) -> String {
    let sound = rgb.len() == 6 && rgb.bytes().all(|byte| byte.is_ascii_hexdigit());
    if sound { rgb.to_ascii_uppercase() } else { "000000".to_owned() }
}

/// The name under which a font of a CSS list may be installed elsewhere.
fn font(css: &str) -> String {
    let first = css.split(',').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    let name = match first {
        // The fonts inside foredeck are installed nowhere; these are, and no wider.
        name if name.ends_with(" Variable") && css.contains("monospace") => "Consolas",
        name if name.ends_with(" Variable") => "Calibri",
        "monospace" | "ui-monospace" => "Consolas",
        "serif" => "Georgia",
        "" | "sans-serif" | "system-ui" | "-apple-system" | "ui-sans-serif" => "Arial",
        name => name,
    };
    clean(name).chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Deck;
    use super::*;
    use crate::theme::Size;

    fn run(text: &str, more: &Value) -> Value {
        let mut run = json!({
            "text": text, "font": "\"Source Sans 3 Variable\", sans-serif", "size": 32, "bold": false, "italic": false,
            "underline": false, "strike": false, "spacing": 0, "colour": { "rgb": "1a2b3c", "alpha": 1 },
            "behind": null,
        });
        run.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        run
    }

    fn paragraph(top: f64, bullet: &Value, runs: &[Value]) -> Value {
        json!({
            "level": 0, "bullet": bullet, "runs": runs, "line": 40, "align": "start",
            "left": 140, "top": top, "bottom": top + 36.0,
        })
    }

    #[test]
    fn texts_become_shapes_with_paragraphs_and_runs() {
        let dot = json!({ "char": "•", "colour": { "rgb": "ff0000", "alpha": 1 } });
        let told = json!([
            { "heading": true, "x": 100, "width": 1000, "paragraphs": [paragraph(50.0, &Value::Null, &[run("A\nb", &json!({}))])] },
            { "heading": true, "x": 100, "width": 1000, "paragraphs": [
                paragraph(150.0, &dot, &[run("one", &json!({ "href": "https://example.org" }))]),
                paragraph(200.0, &dot, &[run("two", &json!({ "bold": true, "behind": "zz" }))]),
            ] },
            { "heading": false, "x": 1, "width": 1, "paragraphs": [] },
            { "heading": false },
        ]);
        let texts = texts(&told);
        assert_eq!(texts.len(), 2);
        let frame = Frame::of(Size { width: 1280.0, height: 720.0 });
        let mut targets = Vec::new();
        let shapes = shapes(&texts, frame, &mut |target| {
            targets.push(target);
            "rId9".to_owned()
        });
        assert_eq!(targets, [Target::Address("https://example.org".into())]);
        let title = &shapes[0];
        assert_eq!(
            [&title["title"], &title["x"], &title["y"], &title["width"], &title["height"]],
            [&json!(true), &json!(952_500), &json!(457_200), &json!(10_096_500), &json!(381_000)]
        );
        let words: Vec<_> = title["paragraphs"][0]["runs"].as_array().unwrap().iter().map(|run| &run["text"]).collect();
        assert_eq!(words, ["A", "\n", "b"]);
        let list = &shapes[1];
        assert_eq!((&list["title"], &list["paragraphs"][1]["before"]), (&json!(false), &json!(750)));
        assert_eq!(
            list["paragraphs"][0]["bullet"],
            json!({ "scheme": null, "start": null, "char": "•", "colour": "FF0000" })
        );
        assert_eq!(
            list["paragraphs"][0]["runs"][0],
            json!({
                "size": 2400, "bold": false, "italic": false, "underline": false, "strike": false, "spacing": 0,
                "font": "Calibri", "colour": "1A2B3C", "alpha": 100_000, "behind": null,
                "link": "rId9", "inside": false, "text": "one", "break": false,
            })
        );
        assert_eq!(list["paragraphs"][1]["runs"][0]["behind"], "000000");
    }

    #[test]
    fn fonts_have_names_that_others_know() {
        for (css, expected) in [
            ("'JetBrains Mono Variable', monospace", "Consolas"),
            ("Lato, sans-serif", "Lato"),
            ("monospace", "Consolas"),
            ("system-ui, x", "Arial"),
            ("", "Arial"),
        ] {
            assert_eq!(font(css), expected);
        }
    }

    #[test]
    fn an_editable_deck_is_well_formed() {
        let rendered = super::super::tests::rendered();
        let mut deck = Deck::new(&rendered, "talk", false);
        let told = json!([{ "heading": true, "x": 1, "width": 10, "paragraphs": [paragraph(
            50.0,
            &json!({ "scheme": "arabicPeriod", "number": 3, "colour": { "rgb": "ff0000", "alpha": 1 } }),
            &[run("A < B\u{1}\n", &json!({ "slide": 2, "behind": "ffffff", "underline": true }))],
        )] }]);
        for slide in &rendered.slides {
            let part = super::super::SlidePart { slide, picture: b"\x89PNG", links: &Value::Null, texts: &told };
            deck.slide(part).unwrap();
        }
        let parts = super::super::tests::checked(&deck.finish().unwrap());
        let slide = &parts.iter().find(|(name, _)| name == "ppt/slides/slide1.xml").unwrap().1;
        assert!(slide.contains("<a:t>A &lt; B</a:t>"), "{slide}");
        assert!(slide.contains("<p:ph type=\"title\"/>") && !slide.contains("y=\"-914400\""), "{slide}");
    }
}
